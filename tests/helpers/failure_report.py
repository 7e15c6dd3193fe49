"""A pytest plugin: the report of a failed test has the logs and exchanges of its programs, as sections."""

from __future__ import annotations

import socket
from collections.abc import Generator
from typing import Any, cast

import pytest

from cln_monitor.simulator import server
from cln_monitor.simulator.exchange import SimulatedExchange
from cln_monitor.simulator.request_log import Request
from cln_monitor.simulator.simulator import Simulator

from . import sources
from .sources import Exchanges, Source, watched

SECTIONS = 12
"""The most sections of a report: of what still lives, and of what began last."""


def pytest_configure(config: pytest.Config) -> None:
    """Record the exchanges of each simulator that is served in this process."""
    patch = pytest.MonkeyPatch()
    patch.setattr(server, "_Server", _WatchedServer)
    config.add_cleanup(patch.undo)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Forget sources that ended before this test."""
    watched.begin(item.nodeid)
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
    """Record which fixture starts a source that several tests may use."""
    before = watched.fixture
    watched.fixture = None if fixturedef.scope == "function" else (fixturedef.argname, fixturedef.baseid)
    try:
        return (yield)
    finally:
        watched.fixture = before


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach the sources to the report of a failed test, setup or teardown."""
    report = yield
    if report.failed:
        used = sorted(
            (source for source in watched.sources if _is_of(source, item)), key=lambda source: not source.ended
        )
        sections = [(source.title, text) for source in used if (text := source.text)]
        report.sections += sections[-SECTIONS:]
    return report


def _is_of(source: Source, item: pytest.Item) -> bool:
    """Return whether the test or one of its fixtures started ``source``, or a previous test of its module did."""
    if source.fixture is None:
        return source.test.partition("::")[0] == item.nodeid.partition("::")[0]
    name, where = source.fixture
    used = item._request.fixturenames if isinstance(item, pytest.Function) else []
    return name in used and item.nodeid.startswith(where)


class _WatchedServer(server._Server):
    """The HTTP server of a simulator that records its exchanges."""

    def __init__(self, simulator: Simulator, host: str, port: int) -> None:
        super().__init__(simulator, host, port)
        self.RequestHandlerClass = _WatchedHandler
        self.exchanges = Exchanges("simulated CLN", self.server_address[1])
        self.exchanges.watch()

    def server_close(self) -> None:
        super().server_close()
        if hasattr(self, "exchanges"):  # it is closed as well when its port cannot be had
            self.exchanges.end()


class _WatchedHandler(server._Handler):
    server: _WatchedServer
    _now: sources.Exchange | None = None

    def _call(self, request: Request, path: str) -> None:
        self._now = self.server.exchanges.begin(f"{request.method} {request.target}".encode())
        try:
            super()._call(request, path)
        finally:
            self._now = None

    def _exchange(self, request: Request, skew: float = 0.0) -> SimulatedExchange:
        exchange = super()._exchange(request, skew)
        if self._now is not None:
            exchange.connection = cast("socket.socket", _Connection(exchange.connection, self._now))
        return exchange


class _Connection:
    """A connection that records the data sent over it."""

    def __init__(self, connection: socket.socket, exchange: sources.Exchange) -> None:
        self._connection, self._exchange = connection, exchange

    def sendall(self, data: bytes) -> None:
        self._exchange.sent(data)
        self._connection.sendall(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)
