"""NRDP, the HTTP receiver of Nagios: many results in one request, as JSON."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple
from urllib.parse import urlencode, urlsplit

import msgspec

from cln_monitor.cln import Redactor
from cln_monitor.config import SecretFile
from cln_monitor.feed.result import FeedResult
from cln_monitor.probes import Duration
from cln_monitor.urls import is_http_url

from .connection import Connection, Request
from .nagios_command import without_bars
from .receiver import AnswerError, Receiver, ReceiverError, TlsFiles
from .sink import DELIVERED, Delivery, Outcome, SinkSettings, object_name, problem_of_file, problem_of_timeout

_AT_A_TIME = 250  # results in one request: PHP accepts 8 MB by default, and a result has up to 8 KB
_HEADERS = "Accept: application/json\r\nContent-Type: application/x-www-form-urlencoded\r\n"
_RETRY_LATER = {408, 429}
_UNFIT_FOR_NAME = re.compile(r"[\n\r\0\t]")


class Settings(SinkSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of an NRDP: ``url`` is that of its directory, such as https://nagios.example.com/nrdp/."""

    files: ClassVar[tuple[str, ...]] = ("token_file", "ca_file")
    secrets: ClassVar[tuple[str, ...]] = ("token_file",)

    url: str
    token_file: str
    ca_file: str | None = None
    timeout: Duration = Duration(30.0)

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield the field and the problem of each invalid value."""
        if not is_http_url(self.url) or set("?#@") & set(self.url):
            yield "url", "expected the URL of an NRDP, for example https://nagios.example.com/nrdp/"
        if self.ca_file is not None and (problem := problem_of_file(Path(self.ca_file))):
            yield "ca_file", problem
        if problem := problem_of_timeout(self.timeout):
            yield "timeout", problem
        yield from super().problems()


class _Meta(msgspec.Struct, frozen=True):
    output: str = ""


class _Result(msgspec.Struct):
    status: int | str
    message: str = ""
    information: str = ""
    meta: _Meta = _Meta()


class _Answer(msgspec.Struct):
    result: _Result


_decode = msgspec.json.Decoder(_Answer).decode
_encode = msgspec.json.Encoder().encode


class NrdpSink:
    """Submits results to NRDP, which does not report unknown services."""

    name = "nrdp"

    def __init__(self, settings: Settings) -> None:
        self._timeout = settings.timeout
        self._token = SecretFile(settings.token_file, Path())
        self._redactor = Redactor()
        connection = Connection(_directory(settings.url), TlsFiles(settings.ca_file))
        self._receiver = Receiver([connection], self._redactor)

    def send(self, results: Sequence[FeedResult], *, now: float, ttl: float) -> list[Outcome]:  # noqa: ARG002 # NRDP takes the time at which it receives a result
        """Submit ``results``, and return an outcome for each."""
        ends_at = time.monotonic() + self._timeout
        refusals = [_refusal(result) for result in results]
        rest = [result for result, refusal in zip(results, refusals, strict=True) if refusal is None]
        outcomes: list[Outcome] = []
        while len(outcomes) < len(rest):
            part = rest[len(outcomes) : len(outcomes) + _AT_A_TIME]
            outcome = self._submit(part, ends_at)
            # What is wrong with one request is wrong with the others as well: the token, the server, the time.
            number = len(part) if outcome is DELIVERED else len(rest) - len(outcomes)
            outcomes += [outcome] * number
        accepted = iter(outcomes)
        return [refusal or next(accepted) for refusal in refusals]

    def check(self, results: Sequence[FeedResult]) -> list[str]:
        """Return what NRDP says about a request without results, and which names it cannot take."""
        problems = [refusal.reason for refusal in map(_refusal, results) if refusal is not None]
        outcome = self._submit([], time.monotonic() + self._timeout)
        return problems if outcome is DELIVERED else [*problems, outcome.reason]

    def close(self) -> None:
        """Close the connection."""
        self._receiver.close()

    def _submit(self, results: Sequence[FeedResult], ends_at: float) -> Outcome:
        try:
            token = self._token().reveal()
        except (OSError, ValueError) as error:
            return Outcome(Delivery.FAILED, f"NRDP: token_file: {getattr(error, 'strerror', None) or error}")
        self._redactor.hide(token)
        data = _encode({"checkresults": list(map(_check_result, results))})
        body = urlencode({"token": token, "cmd": "submitcheck", "json": data}).encode()
        try:
            where, answer = self._receiver.ask(Request("POST", "", _HEADERS, body), _meaning, ends_at)
        except ReceiverError as error:
            return Outcome(Delivery.FAILED, f"NRDP: {error}")
        if answer.problem:
            return Outcome(Delivery.REFUSED, self._receiver.scrub(f"NRDP: {where}: {answer.problem}"))
        if answer.processed is not None and answer.processed != len(results):
            text = f"NRDP: {where}: processed {answer.processed} of {len(results)} results"
            return Outcome(Delivery.REFUSED, text)
        return DELIVERED


def _directory(url: str) -> str:
    """Return the URL with the slash that a web server asks for, with a redirect, after the name of a directory."""
    last = urlsplit(url).path.rpartition("/")[2]
    return f"{url}/" if last and "." not in last else url


def _refusal(result: FeedResult) -> Outcome | None:
    if all(name and not _UNFIT_FOR_NAME.search(name) for name in (result.host, result.service)):
        return None
    problem = "a name must not be empty, or contain a tab or a line end"
    return Outcome(Delivery.REFUSED, f"NRDP: {object_name(result)!r}: {problem}")


def _check_result(result: FeedResult) -> dict[str, object]:
    first, separator, rest = without_bars(result.output).rstrip("\n").partition("\n")
    perfdata = f" | {result.perfdata}" if result.perfdata else ""
    # NRDP escapes line ends, as the core requires it, but no backslashes.
    output = f"{first}{perfdata}{separator}{rest}".replace("\\", "\\\\")
    return {
        "checkresult": {"type": "service", "checktype": "1"},
        "hostname": _utf8(result.host),
        "servicename": _utf8(result.service),
        "state": str(result.state),
        "output": _utf8(output),
    }


def _utf8(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


class _Meaning(NamedTuple):
    """What NRDP answers: a ``problem``, or the number of results that it has processed."""

    problem: str = ""
    processed: int | None = None


def _meaning(status: int, body: bytes) -> _Meaning:
    if 400 <= status < 500 and status not in _RETRY_LATER:
        return _Meaning(f"refused (HTTP {status})")
    if status != 200:
        raise AnswerError(f"HTTP {status}: check the url" if 300 <= status < 400 else f"HTTP {status}")
    try:
        result = _decode(body).result
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise AnswerError("unexpected response, not of NRDP (HTTP 200): check the url") from None
    if str(result.status) != "0":
        more = f": {result.information}" if result.information else ""
        return _Meaning(f"{result.message or 'refused without a reason'} (status {result.status}){more}")
    found = re.match(r"(\d+) checks? processed", result.meta.output)
    return _Meaning(processed=int(found[1]) if found else None)
