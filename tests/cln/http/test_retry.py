"""Retries of reads: after transient errors, three attempts, with pauses that CLN asks for or that grow."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate

import pytest

from cln_monitor.cln import (
    BadAnswerError,
    ClnError,
    Deadline,
    RateLimitedError,
    RateLimiter,
    RefusedError,
    UnreachableError,
)
from cln_monitor.cln.http import retry
from cln_monitor.simulator import Fault, Served, Simulator
from tests.cln.asking import Clients, read
from tests.helpers.clock import NOW
from tests.helpers.running import wait_until
from tests.helpers.scripted import http_answer

GOOD = http_answer(b'{"success": true, "data": {}}')

PASSING = {
    "429": (lambda: Fault("status", status=429, times=2), RateLimitedError),
    "500 with a refusal": (lambda: Fault("status", status=500, times=2), RefusedError),
    "502 with a page": (lambda: Fault("status", status=502, html=True, times=2), BadAnswerError),
    "503": (lambda: Fault("status", status=503, html=True, times=2), BadAnswerError),
    "503 that asks to wait": (lambda: Fault("status", status=503, retry_after=1, times=2), RateLimitedError),
    "a reset": (lambda: Fault("reset", times=2), UnreachableError),
    "a cut body": (lambda: Fault("cut_body", times=2), BadAnswerError),
    "gzip without its end": (lambda: Fault("cut_gzip", times=2), BadAnswerError),
}
LASTING = {
    "400": (lambda: Fault("status", status=400), "CLN refused the request: Unexpected server error"),
    "401": (lambda: Fault("status", status=401), "CLN refused the token: Authorization failed"),
    "403 with a page": (
        lambda: Fault("status", status=403, html=True),
        "HTTP 403 without a reason: the login, secret key or token is wrong, or our IP address is blocked",
    ),
    "404": (
        lambda: Fault("status", status=404, html=True),
        "unexpected response from CLN: an HTML page (HTTP 404); check api_url",
    ),
    "a refusal": (lambda: Fault("answer", body='{"success": false}'), "CLN refused the request: no reason given"),
    "a page": (lambda: Fault("html"), "unexpected response from CLN: an HTML page (HTTP 200)"),
    "an empty body": (lambda: Fault("empty"), "unexpected response from CLN: an empty body (HTTP 200)"),
    "cut JSON": (lambda: Fault("cut"), "unexpected response from CLN: truncated or malformed JSON (HTTP 200)"),
    "no HTTP": (
        lambda: Fault("garbage"),
        "unexpected response from CLN: not valid HTTP (no HTTP status line); check api_url",
    ),
    "two lengths": (
        lambda: Fault("raw", body="HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello"),
        "unexpected response from CLN: not valid HTTP (more than one Content-Length)",
    ),
    "silence": (lambda: Fault("hang"), "timed out after 0.1 s while waiting for the response"),
}


def time_for(fault: Fault) -> float:
    """Return the timeout of a call, which is short if the call would only wait for it."""
    return 0.1 if fault.kind == "hang" else 10


@pytest.mark.parametrize(("fault", "_kind"), PASSING.values(), ids=PASSING.keys())
def test_what_may_pass_is_tried_again(
    clients: Clients, simulator: Simulator, served: Served, fault: Callable[[], Fault], _kind: type[ClnError]
) -> None:
    """A transient failure is retried at most twice, after pauses that grow and vary."""
    simulator.faults.add(fault())
    assert clients.client(served.url).status.flags().is_good("xmlrpc")
    assert len(simulator.requests) == 3
    first, second = clients.clock.slept
    assert 0.25 <= first <= 1
    assert 0.5 <= second <= 1.5


@pytest.mark.parametrize(("fault", "kind"), PASSING.values(), ids=PASSING.keys())
def test_third_failure_is_the_last(
    clients: Clients, simulator: Simulator, served: Served, fault: Callable[[], Fault], kind: type[ClnError]
) -> None:
    """The third failure is raised without another pause."""
    endless = fault()
    endless.times = None
    simulator.faults.add(endless)
    with pytest.raises(kind) as raised:
        clients.client(served.url).kernelcare.keys()
    assert raised.value.transient
    assert len(simulator.requests) == 3
    assert len(clients.clock.slept) == 2


@pytest.mark.usefixtures("call_clock")
@pytest.mark.parametrize(("fault", "problem"), LASTING.values(), ids=LASTING.keys())
def test_what_will_not_pass_is_told_at_once(
    clients: Clients, simulator: Simulator, served: Served, fault: Callable[[], Fault], problem: str
) -> None:
    """A permanent failure, or one that used up the time, is not retried."""
    struck = fault()
    simulator.faults.add(struck)
    with pytest.raises(ClnError) as raised:
        clients.client(served.url, timeout=time_for(struck)).kernelcare.keys()
    assert raised.value.problem == problem
    wait_until(lambda: simulator.requests, "the request")  # sent, and maybe not read yet
    assert len(simulator.requests) == len(clients.exchanges) == 1
    assert clients.clock.slept == []


def test_waits_vary(clients: Clients, simulator: Simulator, served: Served) -> None:
    """Two clients that fail at the same time do not retry at the same time."""
    simulator.faults.add(Fault("reset"))
    waits = set()
    for _ in range(4):
        with pytest.raises(UnreachableError):
            read(clients.transport(served.url))
        waits.add(clients.clock.slept.pop())
    assert len(waits) == 4


def test_no_retry_beyond_the_deadline(
    clients: Clients, simulator: Simulator, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the pause would exceed the deadline, the failure is raised at once."""
    monkeypatch.setattr(retry, "_FIRST_BACK_OFF", 16)
    simulator.faults.add(Fault("reset"))
    with pytest.raises(UnreachableError):
        read(clients.transport(served.url), deadline=Deadline(7, clients.clock))
    assert len(simulator.requests) == 1
    assert clients.clock.slept == []


def test_retry_after_seconds(clients: Clients, simulator: Simulator, served: Served) -> None:
    """A pause in seconds in Retry-After is observed."""
    simulator.faults.add(Fault("status", status=429, retry_after=7, times=1))
    read(clients.transport(served.url))
    assert clients.clock.slept == [7]


@pytest.mark.parametrize("skew", [0, 3600, -3600], ids=["same clock", "CLN is ahead", "CLN is behind"])
def test_retry_after_date(clients: Clients, simulator: Simulator, served: Served, skew: int) -> None:
    """A date in Retry-After is relative to CLN's clock."""
    simulator.faults.add(Fault("skew", seconds=skew))
    date = formatdate(NOW + skew + 12, usegmt=True)
    simulator.faults.add(Fault("status", status=429, retry_after=date, times=1))
    read(clients.transport(served.url))
    assert clients.clock.slept == [12]


@pytest.mark.parametrize("date", ["Wed, 21 Oct 2015 07:28:00 GMT", "0"], ids=["in the past", "no time"])
def test_retry_after_no_time(clients: Clients, simulator: Simulator, served: Served, date: str) -> None:
    """With a Retry-After of 0 the call is repeated at once."""
    simulator.faults.add(Fault("status", status=429, retry_after=date, times=1))
    read(clients.transport(served.url))
    assert clients.clock.slept == []


@pytest.mark.parametrize("value", ["soon", "-5", "1.5", "²", "", "9" * 400 + "x", "Wed, 99 Oct 2015"])
def test_retry_after_that_cannot_be_read(clients: Clients, simulator: Simulator, served: Served, value: str) -> None:
    """With an invalid Retry-After the usual pause applies."""
    simulator.faults.add(Fault("status", status=429, retry_after=value, times=1))
    read(clients.transport(served.url))
    assert 0.25 <= clients.clock.slept[0] <= 0.75


def test_long_pause_is_not_waited_out(clients: Clients, simulator: Simulator, served: Served) -> None:
    """A long pause is reported at once, and until it ends no account sends requests to that host."""
    limits = RateLimiter(8, 0, clients.clock)
    mine, other = (clients.client(served.url, limits=limits) for _ in range(2))
    simulator.faults.add(Fault("status", status=429, retry_after=120, times=1))
    with pytest.raises(RateLimitedError) as raised:
        mine.kernelcare.keys()
    assert str(raised.value) == (
        f"reading /kcare/key/list.json at {mine.api}: rate limited by CLN: HTTP 429, retry after 120 s"
    )
    assert raised.value.retry_after == 120
    clients.clock.advance(60)
    for client in (mine, other):
        with pytest.raises(RateLimitedError) as raised:
            client.imunify.keys()
        assert raised.value.problem == "rate limited for another 60 s; request not sent"
    assert len(simulator.requests) == 1
    clients.clock.advance(31)
    other.imunify.keys()
    assert clients.clock.slept == [29]


def test_rate_limit_without_a_wait(clients: Clients, simulator: Simulator, served: Served) -> None:
    """Without a Retry-After the error mentions no pause."""
    simulator.faults.add(Fault("status", status=429))
    with pytest.raises(RateLimitedError) as raised:
        read(clients.transport(served.url))
    assert str(raised.value) == "rate limited by CLN: HTTP 429"
    assert raised.value.retry_after is None
