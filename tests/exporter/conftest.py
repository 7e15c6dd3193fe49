"""Fixtures of an exporter of a simulated CLN in the test process, with a manual clock and manual polls."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import certifi
import pytest

from cln_monitor.cln import Redactor, SystemClock
from cln_monitor.config import Config, parse_config
from cln_monitor.exporter.service import Service
from cln_monitor.exporter.target import Target
from cln_monitor.simulator import Account, Simulator, serve
from tests.helpers.clock import FakeClock
from tests.helpers.small_cln import LOGIN, REGISTRATION_TOKEN, SECRET_KEY


class HandClock(FakeClock, SystemClock):
    """A manual clock that an exporter can stop."""

    def __init__(self) -> None:
        FakeClock.__init__(self)
        SystemClock.__init__(self)


@dataclass
class File:
    """A configuration file in memory."""

    text: str = ""

    def load(self) -> Config:
        """Return the current configuration."""
        return parse_config(self.text, Path("/nowhere"))


class Hold:
    """Blocks calls to a path of a simulator until ``release``; ``asked`` is set by the first call."""

    def __init__(self, simulator: Simulator, path: str) -> None:
        self.asked = threading.Event()
        self._go_on = threading.Event()
        self.release = self._go_on.set
        answer: Callable[..., Any] = simulator.answer

        def held(method: str, at: str, *rest: Any) -> Any:
            if at == path:
                self.asked.set()
                assert self._go_on.wait(10)
            return answer(method, at, *rest)

        simulator.answer = held  # type: ignore[method-assign, assignment] # replaces the method


@dataclass
class Exporting:
    """A service that polls only when the test runs its probes. ``configure`` changes its ``file`` for the next load.

    ``eportal`` is what a test adds to the configuration to monitor the simulated ePortal.
    """

    simulator: Simulator
    account: Account
    url: str
    clock: HandClock
    file: File
    service: Service
    eportal: str = ""

    def configure(self, top: str = "", account: str = "", accounts: str = "") -> None:
        """Set the configuration, with ``top`` before, ``account`` in, and ``accounts`` after the account acme."""
        self.file.text = f"""\
api_url: {self.url}
requests_per_second: 0
timeout: 5s
{top}
accounts:
  - name: acme
    login: {LOGIN}
    secret_key: {SECRET_KEY}
    registration_token: {REGISTRATION_TOKEN}
{"".join(f"    {line}{chr(10)}" for line in account.splitlines())}
{accounts}
"""

    def target(self, probe: str, account: str = "acme") -> Target:
        """Return the target of a probe of an account."""
        target = self.service.find(account, probe)
        assert target is not None, (account, probe)
        return target

    def run(self, *probes: str, account: str = "acme") -> None:
        """Run ``probes`` once, by default all that are enabled for the account, including that of CLN."""
        of_first = [entry.probes for entry in self.service.config.accounts[:1]]
        enabled = [name for settings in of_first for name, probe in settings.items() if probe.enabled]
        for probe in probes or enabled:
            self.service.run(self.target(probe, account))

    def hold(self, path: str) -> Hold:
        """Block calls to ``path`` until the returned hold is released."""
        return Hold(self.simulator, path)

    def metrics(self) -> str:
        """Return the metrics of polled data."""
        return b"".join(self.service.exposition().plain(b"")).decode()

    def own_metrics(self) -> str:
        """Return the exporter's own metrics."""
        return self.service.counters.render(openmetrics=False)[0].decode()

    def samples(self, start: str) -> list[str]:
        """Return the lines of all metrics that start with ``start``."""
        return [line for line in (self.metrics() + self.own_metrics()).splitlines() if line.startswith(start)]


@pytest.fixture(scope="package", autouse=True)
def _one_certificate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Trust a single CA certificate, because loading all of them takes longer than most tests."""
    first, end, _ = Path(certifi.where()).read_text(encoding="utf-8").partition("-----END CERTIFICATE-----\n")
    bundle = tmp_path_factory.mktemp("certificates") / "one.pem"
    bundle.write_text(first + end, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(certifi, "where", lambda: str(bundle))
        yield


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Return a function that disables the schedule of a service."""

    def keep(service: Service) -> None:
        monkeypatch.setattr(service._poller, "start", lambda: None)

    return keep


@pytest.fixture
def exporting(idle: Callable[[Any], None]) -> Iterator[Exporting]:
    """An exporter of one account without keys, which has loaded its configuration and not polled yet."""
    clock = HandClock()
    simulator = Simulator(clock.time)
    account = simulator.add_account(LOGIN, SECRET_KEY, REGISTRATION_TOKEN)
    with serve(simulator) as served:
        file = File()
        service = Service(file.load, Redactor(), clock)
        idle(service)
        exporting = Exporting(simulator, account, served.url, clock, file, service)
        exporting.configure()
        service.start()
        targets = list(service.targets.values())
        yield exporting
        targets += service.targets.values()
        service.stop()
        for target in targets:
            target.context.client.close()
