"""The table of faults, with their expected effects."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from cln_monitor.cln.caller import make_token
from cln_monitor.probes import PROBES
from tests.checks.running import PLANTED
from tests.helpers.small_cln import LOGIN, SECRET_KEY

from .plugins import probe_of
from .world import INTERVAL, TIMEOUT, World

_ECHO = " ".join(
    [*PLANTED, *(quote(secret, safe="") for secret in PLANTED), make_token(LOGIN, SECRET_KEY, 1_714_490_800)]
)


_SPRING = json.dumps(
    {
        "timestamp": "2024-04-30T15:26:00Z",
        "status": 400,
        "error": "Oops",
        "message": f"Unexpected parameter {SECRET_KEY}",
    }
)


@dataclass(frozen=True)
class Case:
    """A fault: ``title`` describes it after the word "CLN", ``inject`` injects it.

    ``reason`` is why each probe fails, "" if none fails; ``others`` are the probes with another reason. ``says`` is a
    pattern of the messages in the log and of plugins. ``states`` are the states of plugins that are not UNKNOWN
    although the probe fails, or not OK although it succeeds. ``least`` is the minimum duration of a run of a probe, in
    seconds. ``skew`` is that of CLN's clock. ``heavy``: probes and plugins do not run at the same time.
    """

    title: str
    inject: Callable[[World], object]
    reason: str
    says: str = ""
    others: Mapping[str, str] = field(default_factory=dict)
    states: Mapping[str, str] = field(default_factory=dict)
    least: float = 0.0
    skew: float = 0.0
    heavy: bool = False

    def reason_of(self, probe: str) -> str:
        """Return why ``probe`` fails, or "" if it succeeds."""
        return self.others.get(probe, self.reason)

    def state_of(self, plugin: str) -> str:
        """Return the expected state of a plugin that queries CLN."""
        return self.states.get(plugin, "UNKNOWN" if self.reason_of(probe_of(plugin)) else "OK")


def _only(*names: str) -> Mapping[str, str]:
    """Return an empty reason for all probes except ``names``."""
    return {name: "" for name in PROBES if name not in names}


def _certificate(name: str, **fields: Any) -> Callable[[World], object]:
    return lambda world: world.show_certificate(name, **fields)


def _fault(kind: str, path: str = "*", **fields: Any) -> Callable[[World], object]:
    return lambda world: world.inject(kind, path, **fields)


def _many_rows(world: World) -> None:
    rows = b",".join(b'{"id":"%d"}' % number for number in range(1_000_000 if world.long else 20_000))
    world.inject("answer", "/im/srv/list.json", body=b'{"success":true,"data":[' + rows + b"]}")


def _elsewhere(world: World) -> None:
    world.inject("redirect", location=f"{world.elsewhere.url}/api")


# Calls without a token are not affected by a clock that is off.
_NO_TOKEN = {"check_cln_patch_status -k": "OK", "check_cln_patch_status --reseller": "OK"}
_UNTRUSTED = r"TLS certificate verification failed"

CASES: Mapping[str, Case] = {
    "refused": Case("refuses connections", lambda world: world.front.refuse(), "unreachable", "connection refused"),
    "reset": Case("resets connections", _fault("reset"), "unreachable", "connection closed"),
    "no-name": Case(
        "has a name that does not resolve",
        lambda world: world.lose_name(),
        "unreachable",
        "cannot resolve the host name",
    ),
    "wrong-certificate": Case(
        "shows the certificate of another host",
        _certificate("other", of="DNS:cln.example.net"),
        "unreachable",
        rf"{_UNTRUSTED}: Hostname mismatch",
    ),
    "expired-certificate": Case(
        "shows a certificate that has expired",
        _certificate("old", days=-1),
        "unreachable",
        rf"{_UNTRUSTED}: .*expired",
    ),
    "hang": Case(
        "accepts connections and never responds",
        _fault("hang"),
        "timeout",
        "while waiting for the response",
        least=TIMEOUT,
    ),
    "drip-headers": Case(
        "sends one byte per second", _fault("drip_headers"), "timeout", "while waiting for the response", least=TIMEOUT
    ),
    "drip": Case(
        "sends its headers, then one byte per second",
        _fault("drip"),
        "timeout",
        "while reading the response",
        least=TIMEOUT,
    ),
    "slow": Case("responds 100 times slower, 0.2 s per call", _fault("latency", seconds=0.2), "", least=0.2),
    "pause": Case(
        "pauses for longer than the interval", _fault("latency", seconds=2 * INTERVAL), "", least=2 * INTERVAL
    ),
    "cut-body": Case("cuts the body", _fault("cut_body"), "bad_answer", "incomplete response from CLN"),
    "cut-json": Case(
        "sends half of the JSON with a matching length", _fault("cut"), "bad_answer", "unexpected response from CLN"
    ),
    "garbage": Case("sends data that is not HTTP", _fault("garbage"), "bad_answer", "not valid HTTP"),
    "two-lengths": Case(
        "sends invalid HTTP",
        _fault("raw", body="HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello"),
        "bad_answer",
        r"not valid HTTP \(more than one Content-Length\)",
    ),
    "interim": Case("sends a 103 before each response", _fault("interim"), ""),
    "cut-gzip": Case(
        "sends gzip without its trailer",
        _fault("cut_gzip"),
        "bad_answer",
        "incomplete response from CLN: the gzip stream ends early",
    ),
    "206": Case(
        "answers 206",
        _fault("answer", status=206, body='{"success":true,"data":[]}'),
        "bad_answer",
        r"a body that reports success \(HTTP 206\)",
    ),
    "page": Case(
        "sends one page of several, for one product",
        _fault("answer", "/im/key/list.json", body='{"success":true,"data":[],"page":1,"pages":9}'),
        "bad_answer",
        r"one page of several \(pages: 9; 0 rows\)",
        _only("imunify"),
    ),
    "idle": Case(
        "is behind a NAT that forgets idle connections", lambda world: world.front.forget(after=INTERVAL / 2), ""
    ),
    "html": Case("sends HTML with 200", _fault("html"), "bad_answer", "unexpected response from CLN: an HTML page"),
    "401": Case("answers 401", _fault("status", status=401), "auth", "Authorization failed"),
    "403": Case("answers 403", _fault("status", status=403), "auth", "Access denied", {"cloudlinux": "refused"}),
    "403-html": Case(
        *("answers 403 with HTML", _fault("status", status=403, html=True), "auth", "HTTP 403 without a reason"),
        {"cloudlinux": "refused"},
    ),
    "400-words": Case(
        "answers 400 with the error page of a web framework",
        _fault("answer", status=400, body=_SPRING),
        "refused",
        "CLN refused the request: HTTP 400: Unexpected parameter",
    ),
    "500-words": Case(
        "answers 500 with the error page of a web framework",
        _fault("answer", status=500, body=_SPRING),
        "bad_answer",
        r"JSON without a success field \(HTTP 500\); message: Unexpected parameter",
    ),
    "429": Case("answers 429", _fault("status", status=429), "rate_limited", "rate limited by CLN: HTTP 429"),
    "429-wait": Case(
        "answers 429 with Retry-After, for one product",
        _fault("status", "/cl/awp", status=429, retry_after=1),
        "rate_limited",
        "rate limited by CLN: HTTP 429, retry after 1 s",
        _only("awp"),
    ),
    "500": Case("answers 500", _fault("status", status=500, html=True), "bad_answer", r"an HTML page \(HTTP 500\)"),
    "503": Case("answers 503", _fault("status", status=503, html=True), "bad_answer", r"an HTML page \(HTTP 503\)"),
    "redirect": Case("redirects to another host", _elsewhere, "bad_answer", "not followed"),
    "ahead": Case(
        "has a clock an hour ahead",
        _fault("skew", seconds=3600),
        "auth",
        r"the local clock is 3\d+ s behind the clock of CLN",
        {"status": ""},
        _NO_TOKEN,
        skew=3600,
    ),
    "behind": Case(
        "has a clock an hour behind",
        _fault("skew", seconds=-3600),
        "auth",
        r"the local clock is 3\d+ s ahead of the clock of CLN",
        {"status": ""},
        _NO_TOKEN,
        skew=-3600,
    ),
    "huge": Case(
        "sends 200 MB, for one product",
        _fault("huge", "/im/key/list.json"),
        "bad_answer",
        r"unexpected response from CLN: larger than \d+ MB",
        _only("imunify"),
        heavy=True,
    ),
    "bomb": Case(
        "sends 200 MB as a small gzip, for one product",
        _fault("huge", "/im/key/list.json", gzip=True),
        "bad_answer",
        r"unexpected response from CLN: larger than \d+ MB",
        _only("imunify"),
        heavy=True,
    ),
    "many-rows": Case(
        "sends a list of 1 000 000 servers", _many_rows, "", states={"check_cln_imunify": "WARNING"}, heavy=True
    ),
    "echo": Case(
        "refuses, and echoes all secrets",
        _fault("answer", body=json.dumps({"success": False, "message": _ECHO})),
        "auth",
        "CLN refused the token: <login> <secret> <secret> ",
    ),
}
"""All faults. A fault for the probes of all products also affects all plugins."""
