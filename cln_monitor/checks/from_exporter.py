"""The indirect way: ask a running exporter what it saw. A thousand checks cost CLN nothing."""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import ssl
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from .exit import Exit, Unreached, Unusable

FORMAT = 1
"""The form of what the exporter tells, as the checks read it."""

_LARGEST = 256 << 20


def view_from_exporter(probe: str, options: argparse.Namespace, leave: Exit) -> dict[str, Any]:
    """Return what the exporter at ``options.exporter`` saw by ``probe``. Raises Unusable or Unreached."""
    account = options.account or _only_account(ask_exporter(options, leave, "/api/v1/observations"), probe)
    path = f"/api/v1/observations/{quote(account, safe='')}/{probe}"
    view: dict[str, Any] = ask_exporter(options, leave, path)
    return view


def ask_exporter(options: argparse.Namespace, leave: Exit, path: str) -> dict[str, Any]:
    """Return the JSON that the exporter gives at ``path``. Raises Unusable or Unreached."""
    parts = urlsplit(options.exporter)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Unusable("--exporter: expected an address such as http://127.0.0.1:10099")
    where = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    leave.stage = f"asking the exporter at {where}"
    if parts.password:
        leave.hide(unquote(parts.password))
    status, body = _get(parts, parts.path.rstrip("/") + path, options.timeout, where)
    try:
        answer = json.loads(body)
        told = answer["format"] if status == 200 else answer["error"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Unusable(
            f"{where} answers HTTP {status} with something that is not of cln-exporter; is --exporter its address?"
        ) from None
    if status != 200:
        raise Unusable(f"the exporter at {where}: {told}")
    if told != FORMAT:
        raise Unusable(f"the exporter at {where} is of another version, install the same on both sides")
    return dict(answer)


def _get(parts: Any, path: str, seconds: float, where: str) -> tuple[int, bytes]:
    make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    headers = {"Accept": "application/json"}
    if parts.username:
        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = "Basic " + base64.b64encode(credentials.encode()).decode()
    connection = make(parts.hostname, parts.port, timeout=seconds)
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        body = response.read(_LARGEST)
    except TimeoutError:
        raise Unreached(f"the exporter at {where} did not answer within {seconds:g} s") from None
    except ssl.SSLCertVerificationError as error:
        raise Unreached(
            f"the exporter at {where} has a certificate that is not trusted ({error.verify_message})"
        ) from None
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise Unreached(f"the exporter at {where} cannot be reached ({reason})") from None
    finally:
        connection.close()
    return response.status, body


def _only_account(index: dict[str, Any], probe: str) -> str:
    accounts = sorted({each["account"] for each in index["probes"] if each["account"]})
    if len(accounts) == 1:
        return str(accounts[0])
    raise Unusable(f"the exporter watches several accounts, name one with --account: {', '.join(accounts)} ({probe})")
