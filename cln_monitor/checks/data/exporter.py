"""The indirect source: a running exporter. Checks that use it send no requests to CLN."""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import re
import ssl
import threading
from typing import Any, NoReturn
from urllib.parse import SplitResult, quote, unquote, unquote_to_bytes, urlencode, urlsplit

from cln_monitor import __version__
from cln_monitor.checks.plugin_exit import CheckError, NoResponseError, PluginExit
from cln_monitor.http_body import BodyError, UnfinishedBodyError, unpack
from cln_monitor.http_response import InvalidResponseError, StrictResponse
from cln_monitor.urls import host_of

from .request import DataRequest

OLDEST_FORMAT, NEWEST_FORMAT = 1, 1
"""The versions of the exporter's report format that the checks read. Fields that they do not know are ignored."""

_LARGEST = 128 << 20
"""Maximum number of bytes of a response, enough for a million servers. Decoding more would exceed the timeout."""


_PIECE = 1 << 16
_API = "/api/v1/observations"


def report_from_exporter(request: DataRequest, options: argparse.Namespace, exit_: PluginExit) -> dict[str, Any]:
    """Return the report for ``request`` from the exporter of ``options``. Raises CheckError or NoResponseError."""
    probe = request.probe
    account = options.account or _only_account(index_from_exporter(options, exit_)["probes"], probe)
    path = f"{_API}/{quote(account, safe='', errors='replace')}/{probe}" if account else f"{_API}/{probe}"
    if request.form:
        path += f"?{urlencode(request.form, errors='replace')}"
    return _ask(options, exit_, path, "observation")


def index_from_exporter(options: argparse.Namespace, exit_: PluginExit) -> dict[str, Any]:
    """Return the status of each of the exporter's ``probes``, and its own ``problems``, which older versions lack.

    Raises CheckError or NoResponseError.
    """
    return _ask(options, exit_, _API, "probes")


def _ask(options: argparse.Namespace, exit_: PluginExit, path: str, content: str) -> dict[str, Any]:
    """Return the JSON object at ``path`` of the exporter, which must have the field ``content``."""
    parts = urlsplit(options.exporter)
    where = f"{parts.scheme}://{host_of(options.exporter)}"
    exit_.stage = f"querying the exporter at {where}"
    if parts.password:
        exit_.hide(parts.password)
        exit_.hide(unquote(parts.password))
        exit_.hide(_basic(parts))
    try:
        status, body = _get(parts, parts.path + path, exit_.left)
    except TimeoutError:
        raise NoResponseError(
            f"the exporter at {where} did not respond within {options.timeout:g} s (-t/--timeout)"
        ) from None
    except ssl.SSLCertVerificationError as error:
        reason = f"TLS certificate verification failed: {error.verify_message}"
        raise NoResponseError(f"request to the exporter at {where} failed: {reason}") from None
    except (OSError, UnicodeError, http.client.HTTPException) as error:
        raise NoResponseError(f"request to the exporter at {where} failed: {_reason(error)}") from None
    return _answer(status, body, where, content)


def _reason(error: Exception) -> str:
    if isinstance(error, http.client.IncompleteRead):
        return "incomplete response"
    if isinstance(error, UnfinishedBodyError):
        return f"incomplete response: {error}"
    if isinstance(error, InvalidResponseError):
        return f"invalid HTTP response: {error}"
    if isinstance(error, BodyError):
        return str(error)
    if isinstance(error, UnicodeError):
        return "invalid host name"
    return getattr(error, "strerror", None) or type(error).__name__


def _answer(status: int, body: bytes, where: str, content: str) -> dict[str, Any]:
    if status in {401, 403}:
        raise CheckError(
            f"{where} rejected the user or password (HTTP {status}): use --exporter http://user:password@host"
        )
    if len(body) > _LARGEST:
        raise CheckError(f"response of {where} is larger than {_LARGEST >> 20} MB: check the URL of --exporter")
    exporter = _Exporter(where)
    try:
        answer = json.loads(body, object_hook=exporter.record_type() if status == 200 else None)
        result = dict(answer)["format"] if status == 200 else answer["error"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise CheckError(
            f"unexpected response from {where}, not of cln-exporter (HTTP {status}): check the URL of --exporter"
        ) from None
    if status != 200:
        raise CheckError(f"the exporter at {where}: {result}")
    exporter.version = str(answer.get("exporter_version", ""))
    if type(result) is not int or not OLDEST_FORMAT <= result <= NEWEST_FORMAT:
        exporter.refuse_format(result)
    answer[content]  # refuses an answer without it
    return answer  # type: ignore[no-any-return] # of the record type


class _Exporter:
    """The exporter at ``where``, whose answers lack a field or have another format if its version is too different."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.version = ""

    def record_type(self) -> type[dict[str, Any]]:
        """Return the type of the objects in its answers: a dict that raises CheckError for a missing field."""
        lacks = self._lacks

        class Record(dict[str, Any]):
            __slots__ = ()

            def __missing__(self, field: str) -> NoReturn:
                lacks(field)

        return Record

    def refuse_format(self, format_: object) -> NoReturn:
        """Raise CheckError for a report format that the checks do not read."""
        age = None
        if type(format_) is int:
            age = "newer" if format_ > NEWEST_FORMAT else "older"
        self._refuse(f"its report format {str(format_)[:20]} is not supported", age)

    def _lacks(self, field: str) -> NoReturn:
        self._refuse(f"it does not report {field!r}", _compared(self.version, __version__))

    def _refuse(self, problem: str, age: str | None) -> NoReturn:
        versions = f" (version {self.version[:20]}, this is {__version__})" if self.version else ""
        verdict, advice = {
            "newer": ("is newer than this plugin", "upgrade the plugins"),
            "older": ("is older than this plugin", "upgrade the exporter"),
            None: ("has another version", "install the same version on both sides"),
        }[age]
        raise CheckError(f"the exporter at {self.where} {verdict}{versions}: {problem}; {advice}")


def _compared(version: str, own: str) -> str | None:
    """Return whether a ``version`` is "newer" or "older" than one's ``own``; None if unknown or equal."""
    theirs, ours = (tuple(map(int, re.findall(r"\d+", text.partition("-")[0]))) for text in (version, own))
    if not theirs or theirs == ours:
        return None
    return "newer" if theirs > ours else "older"


def _get(parts: SplitResult, path: str, seconds: float) -> tuple[int, bytes]:
    """Return status and body. ``seconds`` limits each wait; the timeout of the check limits a slow response."""
    make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    headers = {"Accept": "application/json", "Accept-Encoding": "gzip"}
    if parts.username:
        headers["Authorization"] = f"Basic {_basic(parts)}"
    connection = make(parts.hostname or "", parts.port, timeout=min(seconds, threading.TIMEOUT_MAX))
    connection.response_class = StrictResponse
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        body = bytearray()
        packed = iter(lambda: response.read(_PIECE), b"")
        for piece in unpack(packed, response.getheader("Content-Encoding", "")):
            body += piece
            if len(body) > _LARGEST:
                break
    finally:
        connection.close()
    return response.status, bytes(body)


def _basic(parts: SplitResult) -> str:
    """Return the credentials of an Authorization header (RFC 7617)."""
    credentials = b":".join(unquote_to_bytes(part or "") for part in (parts.username, parts.password))
    return base64.b64encode(credentials).decode()


def _only_account(index: list[dict[str, Any]], probe: str) -> str:
    """Return the only account of ``index``, or an empty text for a probe of CLN itself. Raises CheckError."""
    if [report["account"] for report in index if report["probe"] == probe] == [""]:
        return ""
    accounts = sorted({report["account"] for report in index if report["account"]})
    if len(accounts) == 1:
        return str(accounts[0])
    if not accounts:
        raise CheckError("the exporter has no account")
    raise CheckError(f"the exporter has several accounts; use --account with one of: {', '.join(accounts)}")
