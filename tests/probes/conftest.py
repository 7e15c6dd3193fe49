"""A simulated CLN with one account, a clock that both sides share, and a function that runs probes."""

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
    """Both ends of a connection to CLN: the simulator and the client. ``run`` runs a probe once."""

    simulator: Simulator
    account: Account
    client: ReadOnlyClient
    clock: FakeClock
    pool: Executor
    monitoring_keys: Callable[[], Sequence[Secret]] = tuple
    key_label: Callable[[str], str] = str

    def source(self, probe: Probe[Any], **settings: Any) -> ProbeContext:
        """Return the context of a probe, with some of its ``settings`` changed."""
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
        """Return the requested paths, sorted, as a probe requests its parts concurrently."""
        return sorted(request.path for request in self.simulator.requests)


@pytest.fixture
def cln() -> Iterator[Cln]:
    """A CLN with an empty account and one call at a time, so that the order of calls is known."""
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
