"""Checkmk: a file of local checks in the spool directory of the agent, which ignores it once it is too old."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from cln_monitor.feed.result import FeedResult

from .perfdata import Metric, metrics
from .sink import DELIVERED, Delivery, Outcome, SinkSettings, object_name

_NAME = "cln_feed"
_OURS = re.compile(rf"\d+_{_NAME}")
_MODE = 0o640  # with any umask: an agent that does not run as root reads it by the group of the directory
_UNFIT_FOR_SERVICE = re.compile(r"""["'\n\r\0]""")
_HOST = re.compile(r"[-0-9A-Za-z_.]+")
_UNFIT_FOR_METRIC = re.compile(r"[^-0-9A-Za-z_.]")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_RANGE = re.compile(r"(~|-?\d+(?:\.\d+)?)?:(-?\d+(?:\.\d+)?)?")


class Settings(SinkSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of a Checkmk agent on this machine.

    By default all services belong to the host of the agent. With ``piggyback`` they belong to the host of their name
    in Checkmk.
    """

    files: ClassVar[tuple[str, ...]] = ("spool_directory",)

    spool_directory: str
    piggyback: bool = False

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield the field and the problem of each invalid value."""
        try:
            is_directory = Path(self.spool_directory).is_dir()
        except OSError as error:  # such as no permission for a directory above it
            yield "spool_directory", f"{self.spool_directory} cannot be read: {error.strerror}"
            return
        if not is_directory:
            yield "spool_directory", f"{self.spool_directory} is not a directory: is the Checkmk agent installed?"


class CheckmkSink:
    """Writes the newest result of each service to one spool file, whose name begins with its greatest age in seconds.

    The file has all services, as the agent reports those that are missing as vanished.
    """

    name = "checkmk"

    def __init__(self, settings: Settings) -> None:
        self._directory = Path(settings.spool_directory)
        self._piggyback = settings.piggyback
        self._lines: dict[tuple[str, str], tuple[float, str]] = {}

    def send(self, results: Sequence[FeedResult], *, now: float, ttl: float) -> list[Outcome]:
        """Write ``results`` and earlier ones that are not too old, and return an outcome for each."""
        newest = {key: line for key, line in self._lines.items() if now < line[0] <= now + ttl}
        hosts = {service: host for host, service in newest}
        outcomes = []
        for result in results:
            problem = self._problem(result, hosts)
            if not problem:
                newest[result.host, result.service] = now + ttl, local_check(result)
            outcomes.append(Outcome(Delivery.REFUSED, f"Checkmk: {problem}") if problem else DELIVERED)
        try:
            self._write(f"{max(1, int(ttl))}_{_NAME}", newest)
        except OSError as error:
            failure = Outcome(Delivery.FAILED, f"{self._directory}: {error.strerror}")
            return [failure if outcome is DELIVERED else outcome for outcome in outcomes]
        self._lines = newest
        return outcomes

    def check(self, results: Sequence[FeedResult]) -> list[str]:
        """Return why results cannot be written; Checkmk itself cannot be asked here."""
        hosts: dict[str, str] = {}
        found = [self._problem(result, hosts) for result in results]
        problems = [f"Checkmk: {problem}" for problem in found if problem]
        if not os.access(self._directory, os.W_OK | os.X_OK):
            problems.append(f"{self._directory}: no permission to write files there, or not a directory")
        return problems

    def close(self) -> None:
        """Leave the file: the agent ignores it once it is too old."""

    def _problem(self, result: FeedResult, hosts: dict[str, str]) -> str:
        """Return why Checkmk cannot take ``result``, or ""; ``hosts`` are those of known services, and its own."""
        if not result.service.strip() or _UNFIT_FOR_SERVICE.search(result.service):
            return f"{object_name(result)!r}: the name of a service must not be empty, or contain a quote or a line end"
        if self._piggyback:
            if not _HOST.fullmatch(result.host):
                return f"{object_name(result)!r}: the name of a host must have only letters, digits and -_."
            return ""
        other = hosts.setdefault(result.service, result.host)
        if other != result.host:
            return f"{object_name(result)!r}: {other!r} has a service of that name, too; set piggyback: true"
        return ""

    def _write(self, name: str, lines: dict[tuple[str, str], tuple[float, str]]) -> None:
        text = _piggybacked(lines) if self._piggyback else _section(line for _, line in lines.values())
        temporary = self._directory / f".{_NAME}.tmp"  # the agent ignores hidden files
        try:
            with os.fdopen(_created(temporary), "wb") as file:
                os.fchmod(file.fileno(), _MODE)
                file.write(text.encode("utf-8", "replace"))
            temporary.rename(self._directory / name)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        for old in self._directory.iterdir():
            if _OURS.fullmatch(old.name) and old.name != name:  # with another age, from before a reload
                with contextlib.suppress(OSError):
                    old.unlink()


def _created(path: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _section(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in ("<<<local>>>", *lines))


def _piggybacked(lines: dict[tuple[str, str], tuple[float, str]]) -> str:
    hosts: dict[str, list[str]] = {}
    for (host, _), (_, line) in lines.items():
        hosts.setdefault(host, []).append(line)
    return "".join(f"<<<<{host}>>>>\n{_section(own)}<<<<>>>>\n" for host, own in hosts.items())


def local_check(result: FeedResult) -> str:
    """Return the line of a local check: state, quoted name, perfdata or ``-``, and the output.

    Line ends of the output are ``\\n``. A backslash before an n gets a space after it, as Checkmk has no escape for it.
    """
    perfdata = "|".join(map(_metric, metrics(result.perfdata))) or "-"
    text = result.output.rstrip("\n").replace("\r", " ").replace("\\n", "\\ n").replace("\n", "\\n")
    return f'{result.state} "{result.service}" {perfdata} {text}'


def _metric(metric: Metric) -> str:
    """Return a metric as Checkmk reads it: without a unit, and with levels in place of ranges."""
    warn, crit, least, most = metric.limits
    levels = (_levels(warn), _levels(crit), _number(least), _number(most))
    return ";".join([f"{_UNFIT_FOR_METRIC.sub('_', metric.label)}={metric.value}", *levels]).rstrip(";")


def _levels(written: str) -> str:
    """Return a range of Nagios as levels ``UPPER``, ``LOWER:`` or ``LOWER:UPPER``; "" for an inverted range."""
    if _NUMBER.fullmatch(written):
        return written
    found = _RANGE.fullmatch(written)
    if found is None:
        return ""
    lower, upper = found[1] or "", found[2] or ""
    return upper if lower in {"", "~"} else f"{lower}:{upper}"


def _number(written: str) -> str:
    return written if _NUMBER.fullmatch(written) else ""
