"""A simulated CLN with one account, the clock both sides share, and a way to run probes against it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import pytest

from cln_monitor.cln import (
    Credentials,
    RateLimiter,
    ReadOnlyClient,
    Redactor,
    Secret,
    Threads,
    Transport,
    TransportSettings,
)
from cln_monitor.probes import Probe, ProbeContext, Run, run_probe
from cln_monitor.simulator import Account, Simulator, serve
from tests.helpers.clock import FakeClock

LOGIN, SECRET_KEY, TOKEN = "acme_login", "pl4nted-secret-key", "pl4nted-registration-token"


@dataclass
class Cln:
    """What a test of a probe holds: both ends of the wire. ``run`` runs a probe once."""

    simulator: Simulator
    account: Account
    client: ReadOnlyClient
    clock: FakeClock
    pool: Executor
    monitoring_keys: Callable[[], Sequence[Secret]] = tuple
    key_label: Callable[[str], str] = str

    def source(self, probe: Probe[Any], **settings: Any) -> ProbeContext:
        """Return where a probe reads, with some of its ``settings`` set."""
        return ProbeContext(
            self.client,
            probe.settings(**settings),
            "acme" if probe.per_account else "",
            self.key_label,
            self.monitoring_keys,
            now=self.clock.time,
        )

    def run(self, probe: Probe[Any], **settings: Any) -> Run[Any]:
        """Run a probe against the simulator."""
        return run_probe(probe, self.source(probe, **settings), self.pool, self.clock, order=list)

    def asked(self) -> list[str]:
        """Return the paths that were asked for, sorted: a probe asks for its parts at the same time."""
        return sorted(request.path for request in self.simulator.requests)


@pytest.fixture
def cln() -> Iterator[Cln]:
    """A CLN of an empty account, asked one call at a time so that the order of calls is known."""
    clock = FakeClock()
    simulator = Simulator(clock.time)
    account = simulator.add_account(LOGIN, SECRET_KEY, TOKEN)
    with serve(simulator) as served, Threads(0) as pool:
        transport = Transport(
            TransportSettings(api_url=served.url, timeout=5.0), RateLimiter(4, 0, clock), clock, Redactor()
        )
        credentials = Credentials(LOGIN, lambda: Secret(SECRET_KEY))
        client = ReadOnlyClient.over(transport, credentials)
        yield Cln(simulator, account, client, clock, pool)
        client.close()
