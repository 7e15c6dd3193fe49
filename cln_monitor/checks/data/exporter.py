"""The indirect source: a running exporter. Checks that use it send no requests to CLN."""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import re
import ssl
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Protocol
from urllib.parse import SplitResult, quote, unquote, unquote_to_bytes, urlencode, urlsplit

from cln_monitor import __version__
from cln_monitor.checks.plugin_exit import CheckError, NoResponseError, PluginExit
from cln_monitor.http_body import BodyError, UnfinishedBodyError, unpack
from cln_monitor.http_response import InvalidResponseError, StrictResponse
from cln_monitor.source_kinds import kind_of
from cln_monitor.urls import host_of

from .request import DataRequest, Form

if TYPE_CHECKING:
    import socket

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
    return _source_of(options, exit_).ask(path, request.form, "observation")


def index_from_exporter(options: argparse.Namespace, exit_: PluginExit) -> dict[str, Any]:
    """Return the status of each of the exporter's ``probes``, and its own ``problems``, which older versions lack.

    Raises CheckError or NoResponseError.
    """
    return _source_of(options, exit_).ask(_API, (), "probes")


class ExporterSource(Protocol):
    """A way to read an exporter: a request for each check, or one for many checks."""

    def ask(self, path: str, form: Form, content: str) -> dict[str, Any]:
        """Return the JSON object at ``path``, in ``form`` or whole, which must have the field ``content``.

        Raises CheckError or NoResponseError.
        """


def _source_of(options: argparse.Namespace, exit_: PluginExit) -> ExporterSource:
    """Return ``options.exporter_source``, which a program that runs many checks sets, or a source for one check."""
    shared: ExporterSource | None = getattr(options, "exporter_source", None)
    return shared or _SourceOfOneCheck(options, exit_)


class _SourceOfOneCheck:
    def __init__(self, options: argparse.Namespace, exit_: PluginExit) -> None:
        self._options = options
        self._exit = exit_

    def ask(self, path: str, form: Form, content: str) -> dict[str, Any]:
        parts = urlsplit(self._options.exporter)
        where = place_of(self._options.exporter)
        self._exit.stage = f"querying the exporter at {where}"
        if parts.password:
            self._exit.hide(parts.password)
            self._exit.hide(unquote(parts.password))
            self._exit.hide(_basic(parts))
        headers = {"Authorization": f"Basic {_basic(parts)}"} if parts.username else {}
        seconds, timeout = self._exit.left, self._options.timeout
        status, body = request(lambda: get(parts, with_form(path, form), seconds, headers), where, timeout)
        return answer_of(status, body, where, content)


def place_of(url: str) -> str:
    """Return ``url`` without path and credentials, as errors name an exporter."""
    return f"{urlsplit(url).scheme}://{host_of(url)}"


def with_form(path: str, form: Form) -> str:
    """Return ``path`` with the parameters of ``form``."""
    return f"{path}?{urlencode(form, errors='replace')}" if form else path


def request(send: Callable[[], tuple[int, bytes]], where: str, timeout: float) -> tuple[int, bytes]:
    """Return the status and the body that ``send`` gets from the exporter at ``where``. Raises NoResponseError."""
    try:
        return send()
    except TimeoutError:
        raise NoResponseError(f"the exporter at {where} did not respond within {timeout:g} s (-t/--timeout)") from None
    except ssl.SSLCertVerificationError as error:
        reason = f"TLS certificate verification failed: {error.verify_message}"
        raise NoResponseError(f"request to the exporter at {where} failed: {reason}") from None
    except (OSError, UnicodeError, http.client.HTTPException) as error:
        raise NoResponseError(f"request to the exporter at {where} failed: {_reason(error)}") from None


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


def answer_of(status: int, body: bytes, where: str, content: str) -> dict[str, Any]:
    """Return the JSON object in a response of the exporter at ``where``, with ``content``. Raises CheckError.

    The objects in it raise CheckError for a missing field.
    """
    if status in {401, 403}:
        raise CheckError(
            f"{where} rejected the user or password (HTTP {status}): use --exporter http://user:password@host"
        )
    if len(body) > _LARGEST:
        raise CheckError(f"response of {where} is larger than {_LARGEST >> 20} MB: check the URL of --exporter")
    exporter = _Exporter(where)
    try:
        answer = json.loads(body, object_hook=exporter.record_type() if status == 200 else None)
        result = dict(answer)["format"] if status == 200 else str.strip(answer["error"])  # TypeError if it is no text
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


def get(
    parts: SplitResult,
    path: str,
    seconds: float,
    headers: Mapping[str, str],
    *,
    context: ssl.SSLContext | None = None,
    on_connection: Callable[[socket.socket], object] = lambda _: None,
) -> tuple[int, bytes]:
    """Return the status and the body of ``path`` below the URL ``parts``.

    ``seconds`` limits each wait, and does not limit a slow response. ``context`` is that of TLS, by default Python's.
    ``on_connection`` is called with the socket once it is connected. Raises OSError, UnicodeError, or HTTPException.
    """
    host, timeout = parts.hostname or "", min(seconds, threading.TIMEOUT_MAX)
    connection = (
        http.client.HTTPSConnection(host, parts.port, timeout=timeout, context=context)
        if parts.scheme == "https"
        else http.client.HTTPConnection(host, parts.port, timeout=timeout)
    )
    connection.response_class = StrictResponse
    try:
        connection.connect()
        on_connection(connection.sock)
        connection.request(
            "GET", parts.path + path, headers={"Accept": "application/json", "Accept-Encoding": "gzip", **headers}
        )
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
    """Return the only source that ``probe`` could read, such as an account, in ``index``. Raises CheckError.

    It is an empty text for a probe of CLN itself.
    """
    if [report["account"] for report in index if report["probe"] == probe] == [""]:
        return ""
    kind = kind_of(probe)
    named = {report["account"] for report in index if report["probe"] in kind.probes}
    accounts = sorted(filter(None, named))
    if len(accounts) == 1:
        return str(accounts[0])
    if not accounts:
        raise CheckError(f"the exporter has no {kind.noun}")
    raise CheckError(f"the exporter has several {kind.plural}; use --account with one of: {', '.join(accounts)}")
