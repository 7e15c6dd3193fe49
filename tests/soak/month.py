"""The events of a month: scheduled polls, and random faults, reloads and changes of the fleet."""

from __future__ import annotations

import gc
import heapq
import threading
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from cln_monitor.cln import Redactor
from cln_monitor.config import Config, parse_config
from cln_monitor.exporter.service import Service
from cln_monitor.exporter.target import TargetId
from cln_monitor.simulator import Account, Fault, Simulator
from tests.exporter.conftest import HandClock
from tests.helpers.running import wait_until

DAY = 86400.0
HOURS = {
    "status": 4.0,
    "kernelcare": 4.0,
    "imunify": 4.0,
    "patch_status": 8.0,
    "ip_licenses": 8.0,
    "els": 12.0,
    "groups": 12.0,
    "awp": 24.0,
    "cloudlinux": 12.0,
}
"""Between two polls of each probe in a month that is to be over soon."""
_FAULTS: Sequence[tuple[str, dict[str, Any]]] = (
    ("reset", {}),
    ("garbage", {}),
    ("html", {}),
    ("empty", {}),
    ("cut", {}),
    ("cut_body", {}),
    ("redirect", {"location": "http://192.0.2.1/"}),
    ("skew", {"seconds": 3600}),
    ("skew", {"seconds": -90}),
    ("status", {"status": 401}),
    ("status", {"status": 429}),
    ("status", {"status": 429, "retry_after": 20}),
    ("status", {"status": 429, "retry_after": 7200}),
    ("status", {"status": 500, "html": True}),
    ("status", {"status": 503, "retry_after": 90}),
    ("answer", {"body": '{"success": true, "data": null}'}),
    ("answer", {"body": '{"success": false, "message": "\\ud800 | \\u202e"}'}),
    ("huge", {"size": 300_000, "gzip": True}),
)
_PATHS = ("*", "*", "/kcare/*", "/im/srv/*", "/ipl/*", "/status.*", "/kcare/nagios*", "/group/*")


@dataclass(frozen=True)
class Held:
    """The resources of the process. ``memory``: MiB; ``objects``: those known to the garbage collector."""

    memory: float
    objects: int
    threads: int
    files: int


def held(service: Service, others: Collection[threading.Thread]) -> Held:
    """Return the current resources of this process, without the connections that ``service`` keeps.

    ``others``: the previous threads, as another test may have left a simulator.
    """
    for target in service.targets.values():
        target.context.client.close()
    wait_until(lambda: _connections(others) == 0, "the simulator to see that they are closed")
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    files = len(list(Path("/proc/self/fd").iterdir()))
    return Held(pages * 4096 / (1 << 20), len(gc.get_objects()), threading.active_count(), files)


def _connections(others: Collection[threading.Thread]) -> int:
    accepting = 1
    own = [thread for thread in threading.enumerate() if thread not in others]
    return sum(thread.name == "cln-simulator" for thread in own) - accepting


@dataclass
class Month:
    """An exporter of at most two accounts, and the results of its polls.

    ``hours``: the time between two polls of a probe, if not the default interval.
    """

    random: Random
    simulator: Simulator
    clock: HandClock
    url: str
    hours: dict[str, float]
    failures: Counter[tuple[TargetId, str]] = field(default_factory=Counter)
    polls: int = 0
    reloads: int = 0
    changes: int = 0
    calls: int = 0
    second_account: bool = True
    masked: bool = True

    def __post_init__(self) -> None:
        self._enabled = "enabled: true"
        note = self.simulator.note

        def counted(request: Any) -> None:
            self.calls += 1
            note(request)

        self.simulator.note = counted  # type: ignore[method-assign] # in place of the real one
        self.service = self.new_service()
        self._due: list[tuple[float, int, TargetId]] = []
        self._turn = 0

    def new_service(self) -> Service:
        """Return an exporter that starts now, and polls on demand."""
        service = Service(self._config, Redactor(), self.clock)
        service._poller.start = lambda: None  # type: ignore[method-assign] # when it is time is for the month to say
        service.start()
        return service

    def _config(self) -> Config:
        probes = [f"{name}: {{enabled: true, interval: {hours:g}h}}" for name, hours in self.hours.items()]
        probes += [f"{name}: {{enabled: true}}" for name in HOURS if name not in self.hours]
        second = "  - {name: second, login: second_login, secret_key: pl4nted-second-key}"
        text = f"""\
api_url: {self.url}
requests_per_second: 0
key_labels: {"masked" if self.masked else "full"}
probes: {{{", ".join(probes)}}}
accounts:
  - {{name: first, login: first_login, secret_key: pl4nted-first-key}}
{second if self.second_account else ""}
"""
        return parse_config(text.replace("enabled: true", self._enabled), Path("/nowhere"))

    def live(self, days: float) -> None:
        """Simulate ``days``."""
        self._plan()
        ends_at = self.clock.time() + days * DAY
        while self._due[0][0] < ends_at:
            at, _, target = heapq.heappop(self._due)
            self.clock.advance(max(0.0, at - self.clock.time()))
            self._something_happens()
            self.poll(target)
        self.clock.advance(max(0.0, ends_at - self.clock.time()))

    def _plan(self) -> None:
        self._due = []
        for target in self.service.targets:
            self._enter(target, self.random.uniform(0, 600))

    def _enter(self, target: TargetId, delay: float) -> None:
        self._turn += 1
        heapq.heappush(self._due, (self.clock.time() + delay, self._turn, target))

    def poll(self, target_id: TargetId) -> None:
        """Poll a target, unless a reload has removed it."""
        target = self.service.targets.get(target_id)
        if target is None:
            return
        run = self.service.run(target)
        self.polls += 1
        if run.failure is not None:
            self.failures[target_id, run.failure.reason] += 1
        self._enter(target_id, target.settings.interval * self.random.uniform(0.95, 1.05))

    def poll_all(self) -> None:
        """Poll each target once."""
        for target in list(self.service.targets):
            self.poll(target)

    def _something_happens(self) -> None:
        lot = self.random.random()
        if lot < 0.05:
            kind, fields = self.random.choice(_FAULTS)
            times = self.random.choice((None, 1, 3, 20))
            self.simulator.faults.add(Fault(kind, self.random.choice(_PATHS), times=times, **fields))
        elif lot < 0.10:
            self.simulator.faults.clear()
            self.simulator.clear_requests()
        elif lot < 0.12:
            self._reload()
        elif lot < 0.30:
            self.changes += 1
            self.random.choice(_CHANGES)(self.random, self.random.choice(list(self.simulator.accounts.values())))
        elif lot < 0.33:
            assert b"".join(self.service.exposition().gzipped(b""))

    def _reload(self) -> None:
        """Load another configuration, or an invalid one that changes nothing."""
        self.reloads += 1
        before = set(self.service.targets)
        was = (self.second_account, self.masked)
        choice = self.random.choice(("account", "labels", "broken", "same"))
        if choice == "account":
            self.second_account = not self.second_account
        elif choice == "labels":
            self.masked = not self.masked
        elif choice == "broken":
            self._enabled = "enabled: perhaps"
        error = self.service.reload()
        self._enabled = "enabled: true"
        assert (error is not None) == (choice == "broken")
        if error is not None:
            assert (was, before) == ((self.second_account, self.masked), set(self.service.targets))
        for removed in before - set(self.service.targets):
            for key in [key for key in self.failures if key[0] == removed]:
                del self.failures[key]
        for new in set(self.service.targets) - before:
            self._enter(new, self.random.uniform(0, 10))


def _kernelcare_key(random: Random, account: Account) -> None:
    if len(account.kernelcare_keys) < 6:
        account.add_kernelcare_key(limit=random.choice((0, 5, 40)), note=f"note {random.randrange(100)}\n🚀")
    else:
        account.remove_kernelcare_key(random.choice(list(account.kernelcare_keys)))


def _kernelcare_server(random: Random, account: Account) -> None:
    keys = [key for key in account.kernelcare_keys.values() if not key.is_full]
    if keys and sum(len(key.servers) for key in keys) < 60:
        random.choice(keys).add_server(patch_state=random.choice(("uptodate", "outofdate", "unsupported")))
    for key in account.kernelcare_keys.values():
        if len(key.servers) > 3 and random.random() < 0.3:
            key.remove_server(random.choice(list(key.servers)))


def _imunify_server(random: Random, account: Account) -> None:
    key = next(iter(account.imunify_keys.values()), None) or account.add_imunify_key(limit=0)
    if len(key.servers) < 20:
        key.add_server()
    else:
        key.remove_server(random.choice(list(key.servers)))


def _ip_license(random: Random, account: Account) -> None:
    ip = f"192.0.2.{random.randrange(1, 30)}"
    if (ip, 16) not in account.ip_licenses:
        account.add_ip_license(ip, 16, registered=random.random() < 0.8)


def _awp(random: Random, account: Account) -> None:
    account.add_awp_entity(f"shop{random.randrange(20)}.example.net", username="shop")


_CHANGES: Sequence[Callable[[Random, Account], None]] = (
    _kernelcare_key,
    _kernelcare_server,
    _kernelcare_server,
    _imunify_server,
    _ip_license,
)
