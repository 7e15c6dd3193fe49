"""Host names are resolved within a timeout and by few threads, even if the resolver hangs."""

from __future__ import annotations

import _thread
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cln_monitor.cln import TimedOutError
from cln_monitor.cln.http import resolver as resolve
from cln_monitor.cln.http.resolver import Addresses
from cln_monitor.cln.http.resolver import resolve as look_up
from tests.cln.asking import Clients, read
from tests.helpers.running import wait_until
from tests.helpers.scripted import ScriptedServer, answering, http_answer

HOST = "cln.example.com"
FOUND: Addresses = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 443))]


class Resolver:
    """A replacement of ``getaddrinfo`` that returns ``found``, or raises ``error``, once ``go_on`` is set.

    A thread left by an earlier test looks up this machine, and gets ``others``.
    """

    def __init__(self, others: Callable[..., Any]) -> None:
        self.others = others
        self.asked: list[str] = []
        self.go_on = threading.Event()
        self.found = FOUND
        self.error: OSError | None = None

    def __call__(self, host: str, *arguments: Any, **named: Any) -> Any:
        """Record the host, and return its addresses."""
        if host in {"127.0.0.1", "localhost"}:
            return self.others(host, *arguments, **named)
        self.asked.append(host)
        assert self.go_on.wait(20)
        if self.error is not None:
            raise self.error
        return self.found


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Resolver]:
    """A resolver that hangs until the test continues it; its threads have ended after the test."""
    resolver = Resolver(socket.getaddrinfo)
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    yield resolver
    resolver.go_on.set()
    wait_until(lambda: not under_way(), "the end of all look-ups")


def under_way() -> int:
    """Return the number of threads with a lookup."""
    return resolve._MOST - resolve._threads._value


def test_it_answers(resolver: Resolver) -> None:
    """Each lookup returns the addresses of the system, without a cache."""
    resolver.go_on.set()
    assert look_up(HOST, 443, 5) == FOUND
    resolver.found = []
    assert look_up(HOST, 443, 5) == []
    assert resolver.asked == [HOST, HOST]


def test_it_refuses(resolver: Resolver) -> None:
    """A lookup that fails raises a new exception in each waiting call."""
    resolver.error = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    with ThreadPoolExecutor(2) as pool:
        asking = [pool.submit(look_up, HOST, 443, 5) for _ in range(2)]
        resolver.go_on.set()
        errors = [each.exception(5) for each in asking]
    assert [str(error) for error in errors] == [str(resolver.error)] * 2
    assert errors[0] is not errors[1]


def test_it_hangs(resolver: Resolver) -> None:
    """Calls wait for one shared lookup, up to their timeout, and get its result when it returns."""
    for _ in range(3):
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            look_up(HOST, 443, 0.05)
        assert time.monotonic() - started < 5
    wait_until(lambda: resolver.asked, "the look-up")
    assert (len(resolver.asked), under_way()) == (1, 1)
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(look_up, HOST, 443, 5)
        resolver.go_on.set()
        assert asking.result(5) == FOUND


def test_it_is_stuck(resolver: Resolver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hung lookup is replaced by a new one, up to a number of threads."""
    monkeypatch.setattr(resolve, "_STUCK", 0.0)
    for _ in range(resolve._MOST + 3):
        with pytest.raises(TimeoutError):
            look_up(HOST, 443, 0.001)
    assert under_way() == resolve._MOST
    with pytest.raises(OSError, match="16 DNS lookups are already in progress"):
        look_up("other.example.com", 443, 0.001)
    resolver.go_on.set()
    wait_until(lambda: not under_way(), "the end of all look-ups")
    assert look_up("other.example.com", 443, 5) == FOUND


def test_no_thread_can_be_started(resolver: Resolver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a new thread, the lookup is made in the current thread."""

    def fail(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_thread, "start_new_thread", fail)
    resolver.go_on.set()
    for _ in range(resolve._MOST + 1):
        assert look_up(HOST, 443, 1) == FOUND
    resolver.error = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    with pytest.raises(socket.gaierror):
        look_up(HOST, 443, 1)


def test_a_thread_that_dies_before_it_runs(resolver: Resolver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that dies early is reported, and the host is resolved again once threads run."""
    monkeypatch.setattr(resolve, "_START", 0.0)
    with monkeypatch.context() as patch:
        patch.setattr(_thread, "start_new_thread", lambda *_: None)
        for _ in range(resolve._MOST + 1):
            with pytest.raises(OSError, match="cannot start a thread"):
                look_up(HOST, 443, 0.001)
        resolve._join(HOST, 443)  # and nobody waits for that one
    resolver.go_on.set()
    assert look_up(HOST, 443, 5) == FOUND


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "fe80::1%lo"])
def test_an_address_needs_no_look_up(host: str, resolver: Resolver, monkeypatch: pytest.MonkeyPatch) -> None:
    """An IP address needs neither a lookup nor a thread."""
    monkeypatch.setattr(_thread, "start_new_thread", None)
    resolver.go_on.set()
    assert look_up(host, 443, 0) == FOUND


def test_a_call_ends_in_time(clients: Clients, resolver: Resolver) -> None:
    """A call times out while the resolver hangs, and succeeds once it responds."""
    started = time.monotonic()
    with ScriptedServer(answering(http_answer(b"{}"))) as server:
        resolver.found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", server.port))]
        with pytest.raises(TimedOutError) as raised:
            read(clients.transport("http://cln.example.com", timeout=0.1))
        assert str(raised.value) == "timed out after 0.1 s while resolving the host name"
        assert time.monotonic() - started < 5
        resolver.go_on.set()
        assert read(clients.transport("http://cln.example.com", timeout=5)).status == 200
