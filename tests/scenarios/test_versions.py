"""Versions next to each other: what earlier versions wrote is read, and what this version writes they can read.

``tests/versions`` has the configuration, the state directory and the JSON of an exporter of each earlier version;
``tools/record_version.py`` recorded them.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from cln_monitor.checks import entry
from cln_monitor.checks.data.exporter import NEWEST_FORMAT, OLDEST_FORMAT
from cln_monitor.cln import Redactor, SystemClock
from cln_monitor.config import load_config
from cln_monitor.exporter.service import Service
from cln_monitor.exporter.snapshot import FORMAT as STATE_FORMAT
from cln_monitor.probes import ALL_PROBES, FORMAT, PROBES
from tests.checks.inside import run_in_process
from tests.checks.running import Outcome
from tests.helpers.clock import FakeClock
from tests.helpers.scripted import ScriptedServer, http_answer, read_head
from tools.record_version import VERSIONS

RECORDED = sorted(directory.name for directory in VERSIONS.iterdir())
PLUGINS = (
    *("check_cln_awp", "check_cln_cloudlinux", "check_cln_cve", "check_cln_els", "check_cln_eportal"),
    *(
        "check_cln_exporter",
        "check_cln_imunify",
        "check_cln_ip_licenses",
        "check_cln_kernelcare",
        "check_cln_patch_status",
        "check_cln_status",
    ),
)
LATER = {"added_later": {"x": [1, None]}}
"""A field that no version has."""
ASKED = {"exporter": "index", "cve": "eportal"}
"""What plugins read whose names are not that of a probe."""
OPTIONAL = {"created", "host_names", "last_checkin"}
"""Fields whose absence has a meaning: the exporter leaves them out for what CLN does not report."""
MAPS = ("host_names", "flags", "counts", "checkins", "newest")
"""Objects whose names are data, to which no field is added."""


@pytest.fixture(params=RECORDED)
def version(request: pytest.FixtureRequest) -> Path:
    """The files of an earlier version."""
    directory: Path = VERSIONS / request.param
    return directory


def answers_of(version: Path) -> dict[str, Any]:
    """Return the responses of the exporter of ``version`` by probe, and its ``index``."""
    return {file.stem: json.loads(file.read_bytes()) for file in (version / "answers").glob("*.json")}


def recorded_at(version: Path) -> float:
    """Return a Unix time just after the files were written."""
    answers = answers_of(version).items()
    return 1.0 + max(float(answer["last_run"] + answer["duration"]) for name, answer in answers if name != "index")


def configuration_of(version: Path, directory: Path) -> Path:
    """Copy the configuration of an earlier version, and its API key, to ``directory``, and return its path."""
    for file in (version / "cln-monitor.yml", *version.glob("*.key")):
        Path(shutil.copy(file, directory)).chmod(0o600)
    return directory / "cln-monitor.yml"


class Clock(FakeClock, SystemClock):
    """A manual clock that an exporter can stop."""

    def __init__(self, now: float) -> None:
        FakeClock.__init__(self)
        SystemClock.__init__(self)
        self.advance(now - self.time())


def edited(value: Any, edit: Callable[[dict[str, Any]], Mapping[str, Any]], name: str = "") -> Any:
    """Return a copy of plain values in which each object is replaced by the result of ``edit``."""
    if isinstance(value, dict):
        copy = {key: edited(item, edit, key) for key, item in value.items()}
        return copy if name in MAPS else dict(edit(copy))
    return [edited(item, edit, name) for item in value] if isinstance(value, list) else value


def lacks(old: Any, new: Any, path: str = "") -> list[str]:
    """Return the paths of everything in ``old`` that ``new`` lacks or has with another value."""
    if isinstance(old, dict) and isinstance(new, dict):
        missing = [f"{path}.{name}" for name in old if name not in new]
        return missing + [each for name in old if name in new for each in lacks(old[name], new[name], f"{path}.{name}")]
    if isinstance(old, list | tuple) and isinstance(new, list | tuple) and len(old) == len(new):
        pairs = zip(old, new, strict=True)
        return [each for number, (one, other) in enumerate(pairs) for each in lacks(one, other, f"{path}[{number}]")]
    return [] if old == new else [f"{path}: {old!r} is now {new!r}"]


@contextmanager
def restored(version: Path, directory: Path, edit: Callable[[bytes], bytes] = bytes) -> Iterator[Service]:
    """Start this version with the state and the configuration of ``version``; it does not poll.

    ``edit`` changes the state files.
    """
    config = configuration_of(version, directory)
    state = directory / "state"
    state.mkdir(mode=0o700)
    for file in (version / "state").iterdir():
        (state / file.name).write_bytes(edit(file.read_bytes()))
    service = Service(lambda: load_config(config), Redactor(), Clock(recorded_at(version)), state)
    service._poller.start = lambda: None  # type: ignore[method-assign] # disables the schedule
    service.start()
    targets = list(service.targets.values())
    try:
        yield service
    finally:
        service.stop()
        for target in targets:
            target.context.client.close()


def test_this_version_reads_what_it_writes() -> None:
    """A plugin of this version reads the report format of an exporter of this version."""
    assert OLDEST_FORMAT <= FORMAT <= NEWEST_FORMAT


def test_configuration(version: Path, tmp_path: Path) -> None:
    """The configuration of an earlier version is valid."""
    loaded = load_config(configuration_of(version, tmp_path))
    assert [account.name for account in loaded.accounts] == ["acme"]
    assert [eportal.name for eportal in loaded.eportals] == ["dc1"]
    of_eportals = {name: loaded.probes[name] for name in ALL_PROBES if name not in PROBES}
    probes = loaded.accounts[0].probes | of_eportals
    assert [name for name in answers_of(version) if name != "index" and not probes[name].enabled] == []


def test_saved_state(version: Path, tmp_path: Path) -> None:
    """The state of an earlier version is restored completely, and its plugins find all fields in the new reports."""
    expected = answers_of(version)
    index = expected.pop("index")
    with capture_logs() as logs, restored(version, tmp_path) as service:
        assert [log for log in logs if log["log_level"] != "info"] == []
        reports = [target.report(0.0, with_data=False) for target in service.targets.values()]
        new_index = json.loads(msgspec.json.encode({"probes": reports}))
        for name, old in expected.items():
            target = service.find("acme", name) or service.find("dc1", name) or service.find("", name)
            assert target is not None, name
            assert target.observation is not None, name
            new = json.loads(msgspec.json.encode(target.report()))
            del old["ages"], old["exporter_version"]
            if name == "kernelcare":  # the names come from another probe, which has not run
                new["host_names"] = old["host_names"]
            assert lacks(old, new) == [], name
            (report,) = (report for report in new_index["probes"] if report["probe"] == name)
            (known,) = (report for report in index["probes"] if report["probe"] == name)
            assert set(known) - set(report) == set(), name


def parts_of(file: bytes) -> tuple[int, Any]:
    """Return the format and the content of a state file."""
    header, _, body = file.partition(b"\n")
    return int(header.split()[2]), msgspec.msgpack.decode(body)


def file_of(format_: int, content: object) -> bytes:
    """Return a state file of ``content``."""
    body = msgspec.msgpack.encode(content)
    return f"cln-monitor state {format_} {hashlib.sha256(body).hexdigest()}\n".encode() + body


def test_state_for_an_earlier_version(version: Path, tmp_path: Path) -> None:
    """A file in the same format has all fields that the earlier version wrote, so a downgraded exporter can read it."""
    files = {file.name.partition("-")[0]: file.read_bytes() for file in (version / "state").iterdir()}
    compared = 0
    with restored(version, tmp_path) as service:
        for target in service.targets.values():
            saved = target.snapshot()
            assert saved is not None, target.id
            (old_format, old), (new_format, new) = parts_of(files[target.id.probe]), parts_of(saved.encode())
            assert new_format == STATE_FORMAT >= old_format
            if new_format == old_format:  # another one is set aside by the earlier version
                compared += 1
                assert lacks(old, new) == [], target.id
    assert compared in {0, len(files)}


def test_state_with_fields_of_a_later_version(version: Path, tmp_path: Path) -> None:
    """Unknown fields in a state file are ignored."""

    def extended(file: bytes) -> bytes:
        format_, content = parts_of(file)
        return file_of(format_, edited(content, lambda value: value | LATER))

    (tmp_path / "as-it-was").mkdir()
    (tmp_path / "later").mkdir()
    with restored(version, tmp_path / "as-it-was") as service:
        expected = b"".join(service.exposition().plain(b""))
    with capture_logs() as logs, restored(version, tmp_path / "later", extended) as service:
        assert [log for log in logs if log["log_level"] != "info"] == []
        assert b"".join(service.exposition().plain(b"")) == expected
    assert b"cln_kernelcare_key_servers{" in expected


def checked(name: str, answers: Mapping[str, Any], now: float) -> Outcome:
    """Return the outcome of a plugin of this version that reads an exporter with these ``answers``."""

    def serve(connection: socket.socket) -> None:
        while head := read_head(connection):
            path = head.split()[1].decode().partition("?")[0]  # earlier versions ignore a query
            body = json.dumps(answers[path.removeprefix("/api/v1/observations").rpartition("/")[2] or "index"]).encode()
            connection.sendall(http_answer(body))

    with ScriptedServer(serve) as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr(entry, "time", Clock(now))
        return run_in_process(name, "--exporter", server.url, "-v")


@pytest.mark.parametrize("name", PLUGINS)
def test_plugin_with_an_exporter_of_an_earlier_version(
    name: str, version: Path, golden: Callable[[str, str], None]
) -> None:
    """A plugin gives the same result with an exporter of an earlier version as with one of this version."""
    outcome = checked(name, answers_of(version), recorded_at(version))
    assert "this plugin" not in outcome.text
    golden(f"versions/{version.name}/{name}.txt", outcome.output)


@pytest.mark.parametrize("name", PLUGINS)
def test_plugin_with_an_exporter_of_a_later_version(name: str, version: Path) -> None:
    """Unknown fields of a report are ignored, and an unknown reason of a failure does not change the state."""
    answers, now = answers_of(version), recorded_at(version)
    expected = checked(name, answers, now)
    later = edited(answers, lambda value: value | LATER | ({"reason": "unheard_of"} if "reason" in value else {}))
    outcome = checked(name, later, now)
    assert outcome.output.replace("unheard_of", "bad_answer") == expected.output


def without(field: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``value`` without one field."""
    return {name: item for name, item in value.items() if name != field}


@pytest.mark.parametrize("name", PLUGINS)
def test_plugin_with_an_exporter_that_lacks_a_field(name: str, version: Path) -> None:
    """Without a field a plugin gives the same result, or is UNKNOWN and says which side to upgrade; nothing else."""
    probe = name.removeprefix("check_cln_")
    answers, now = answers_of(version), recorded_at(version)
    asked = ASKED.get(probe, probe)
    expected = checked(name, answers, now)
    names: set[str] = set()

    def noted(value: dict[str, Any]) -> dict[str, Any]:
        names.update(value)
        return value

    edited(answers[asked], noted)
    refused = 0
    for field in sorted(names - {"format", "exporter_version"} - OPTIONAL):
        lacking = edited(answers[asked], partial(without, field)) | {"exporter_version": "0.0.1"}
        outcome = checked(name, answers | {asked: lacking}, now)
        if outcome.text != expected.text:
            refused += 1
            assert outcome.state == "UNKNOWN", (field, outcome.output)
            assert f"it does not report '{field}'; upgrade the exporter" in outcome.text, field
    assert refused >= 3
