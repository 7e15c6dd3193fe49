"""The indirect way: ask a running exporter what it saw. A thousand checks cost CLN nothing."""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import ssl
import threading
from typing import Any
from urllib.parse import SplitResult, quote, unquote, unquote_to_bytes, urlsplit

from cln_monitor.checks.plugin_exit import CheckError, NoResponseError, PluginExit
from cln_monitor.http_body import BodyError, UnfinishedBodyError, unpack
from cln_monitor.http_response import InvalidResponseError, StrictResponse
from cln_monitor.urls import host_of

FORMAT = 1
"""The form of what the exporter tells, as the checks read it."""

_LARGEST = 128 << 20
"""Bytes of an answer that are read: what a million servers take. To decode more would hold up the deadline as well."""


_PIECE = 1 << 16
_API = "/api/v1/observations"


def view_from_exporter(probe: str, options: argparse.Namespace, exit_: PluginExit) -> dict[str, Any]:
    """Return what the exporter at ``options.exporter`` saw by ``probe``. Raises CheckError or NoResponseError."""
    account = options.account or _only_account(index_from_exporter(options, exit_)["probes"], probe)
    path = f"{_API}/{quote(account, safe='', errors='replace')}/{probe}" if account else f"{_API}/{probe}"
    return _ask(options, exit_, path, "observation")


def index_from_exporter(options: argparse.Namespace, exit_: PluginExit) -> dict[str, Any]:
    """Return how each of the ``probes`` of that exporter stands, and its own ``problems``, which an older one lacks.

    Raises CheckError or NoResponseError.
    """
    return _ask(options, exit_, _API, "probes")


def _ask(options: argparse.Namespace, exit_: PluginExit, path: str, content: str) -> dict[str, Any]:
    """Return the JSON that the exporter gives at ``path``, which has the field ``content``."""
    parts = urlsplit(options.exporter)
    where = f"{parts.scheme}://{host_of(options.exporter)}"
    exit_.stage = f"asking the exporter at {where}"
    if parts.password:
        exit_.hide(parts.password)
        exit_.hide(unquote(parts.password))
        exit_.hide(_basic(parts))
    try:
        status, body = _get(parts, parts.path + path, exit_.left)
    except TimeoutError:
        raise NoResponseError(
            f"the exporter at {where} did not answer within {options.timeout:g} s (-t/--timeout)"
        ) from None
    except ssl.SSLCertVerificationError as error:
        reason = f"its certificate is not trusted: {error.verify_message}"
        raise NoResponseError(f"the exporter at {where} cannot be reached ({reason})") from None
    except (OSError, UnicodeError, http.client.HTTPException) as error:
        reason = _reason(error)
        raise NoResponseError(f"the exporter at {where} cannot be reached ({reason})") from None
    return _answer(status, body, where, content)


def _reason(error: Exception) -> str:
    if isinstance(error, http.client.IncompleteRead):
        return "incomplete response"
    if isinstance(error, UnfinishedBodyError):
        return f"incomplete response: {error}"
    if isinstance(error, InvalidResponseError):
        return f"not valid HTTP: {error}"
    if isinstance(error, BodyError):
        return str(error)
    if isinstance(error, UnicodeError):
        return "no host can have that name"
    return getattr(error, "strerror", None) or type(error).__name__


def _answer(status: int, body: bytes, where: str, content: str) -> dict[str, Any]:
    if status in {401, 403}:
        raise CheckError(f"{where} wants another user and password: http://user:password@host (HTTP {status})")
    if len(body) > _LARGEST:
        raise CheckError(f"{where} answers with more than {_LARGEST >> 20} MB; is --exporter its address?")
    try:
        answer = json.loads(body)
        told = answer["format"] if status == 200 else answer["error"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise CheckError(
            f"{where} answers HTTP {status} with something that is not of cln-exporter; is --exporter its address?"
        ) from None
    if status != 200:
        raise CheckError(f"the exporter at {where}: {told}")
    if told != FORMAT or content not in answer:
        raise CheckError(f"the exporter at {where} is of another version, install the same on both sides")
    return dict(answer)


def _get(parts: SplitResult, path: str, seconds: float) -> tuple[int, bytes]:
    """Return status and body. ``seconds`` bound each wait; a server that drips is left to the deadline of the check."""
    make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    headers = {"Accept": "application/json"}
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
    """Return user and password as a header carries them."""
    credentials = b":".join(unquote_to_bytes(part or "") for part in (parts.username, parts.password))
    return base64.b64encode(credentials).decode()


def _only_account(index: list[dict[str, Any]], probe: str) -> str:
    """Return the one account that can be meant; the empty text for a probe of CLN itself, of which there is one."""
    if [each["account"] for each in index if each["probe"] == probe] == [""]:
        return ""
    accounts = sorted({each["account"] for each in index if each["account"]})
    if len(accounts) == 1:
        return str(accounts[0])
    if not accounts:
        raise CheckError("the exporter watches no account")
    raise CheckError(f"the exporter watches several accounts, name one with --account: {', '.join(accounts)}")
