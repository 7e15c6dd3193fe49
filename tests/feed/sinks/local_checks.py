"""Read a spool file as the agent and Checkmk do, according to the documentation of local checks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple


class LocalCheck(NamedTuple):
    """A local check: ``metrics`` have value, warn, crit, min and max by name, as they are written."""

    host: str
    state: str
    service: str
    metrics: dict[str, tuple[str, ...]]
    text: str


def read_spool(directory: Path, now: float) -> list[LocalCheck]:
    """Return the local checks of the files that are not too old at the time ``now``."""
    found = []
    for file in sorted(directory.iterdir()):
        if file.name.startswith("."):  # the agent's shell pattern * leaves these out
            continue
        age = re.match(r"[0-9]+", file.name)
        if age is None or now - file.stat().st_mtime <= int(age[0]):
            found += _sections(file.read_text("utf-8"))
    return found


def _sections(text: str) -> list[LocalCheck]:
    assert text.endswith("\n")
    host, section, checks = "", "", []
    for line in text.splitlines():
        if (piggyback := re.fullmatch(r"<<<<([-0-9A-Za-z_.]*)>>>>", line)) is not None:
            host, section = piggyback[1], ""
        elif (header := re.fullmatch(r"<<<(\w+)>>>", line)) is not None:
            section = header[1]
        else:
            assert section == "local", line
            checks.append(_local_check(host, line))
    return checks


def _local_check(host: str, line: str) -> LocalCheck:
    found = re.fullmatch(r"""([0123P]) "([^"']+)" (\S+) (.*)""", line)
    assert found is not None, line
    metrics = {}
    for entry in found[3].split("|") if found[3] != "-" else []:
        name, _, written = entry.partition("=")
        assert re.fullmatch(r"[-0-9A-Za-z_.]+", name), entry
        value, *limits = written.split(";")
        float(value)
        assert len(limits) <= 4
        for limit in limits[:2]:
            assert re.fullmatch(r"(-?[\d.]+)?(:(-?[\d.]+)?)?", limit), entry
        metrics[name] = (value, *limits)
    return LocalCheck(host, found[1], found[2], metrics, found[4].replace("\\n", "\n"))
