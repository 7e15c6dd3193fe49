"""A KernelCare fleet with dead and replaced servers and shared addresses, for the tests of `servers prune`."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from cln_monitor.simulator import Account, SimulatedCheckIns, SimulatedKernelCareServer

from .account import KEY, OTHER_KEY, Cln
from .inside import Outcome, ask

DAY = 86400.0
REMOVE = "/kcare/srv/remove.json"
_ROUNDING = 120.0  # seconds: CLN's dates have minutes, and its clock has whole seconds


@dataclass(eq=False)
class WakesUp(SimulatedCheckIns):
    """A server with a last check-in at ``at`` that checks in again after it was listed ``reads`` times."""

    at: float
    reads: int = 1
    count: int = field(default=0, init=False)

    def last_checkin(self, now: float) -> float:
        """Return the old check-in until it was listed ``reads`` times."""
        self.count += 1
        return self.at if self.count <= self.reads else now


def empty(cln: Cln) -> Account:
    """Return the account of ``cln`` after removing its servers."""
    account = cln.account
    for keys in (account.kernelcare_keys, account.imunify_keys, account.els_keys, account.cloudlinux_keys):
        for key in keys.values():
            for server_id in [*key.servers]:
                key.remove_server(server_id)
    account.ip_licenses.clear()
    return account


def add_server(
    cln: Cln,
    name: str,
    ip: str,
    age: float | SimulatedCheckIns | None = 0.0,
    *,
    created: float = 100 * DAY,
    key: str = KEY,
) -> SimulatedKernelCareServer:
    """Add a KernelCare server registered ``created`` seconds ago, with a check-in ``age`` seconds ago."""
    now = time.time() - _ROUNDING
    last = now - age if isinstance(age, int | float) else age
    return cln.account.kernelcare_keys[key].add_server(name, ip=ip, created=now - created, last_checkin=last)


def fleet_of_200(cln: Cln) -> None:
    """Make a fleet of 200: 30 servers dead for 40 days, 25 of them replaced at their own address.

    The other 5 dead ones are behind one NAT address with three servers that check in. ``dead-0`` wakes up between the
    list and its removal.
    """
    empty(cln)
    for number in range(25):
        ip = f"192.0.2.{number}"
        add_server(cln, f"dead-{number}", ip, WakesUp(time.time() - 40 * DAY) if number == 0 else 40 * DAY)
        add_server(cln, f"new-{number}", ip, created=39 * DAY, key=OTHER_KEY)
    for number in range(5):
        add_server(cln, f"nat-dead-{number}", "198.51.100.7", 40 * DAY)
    for number in range(3):
        add_server(cln, f"nat-new-{number}", "198.51.100.7", created=39 * DAY)
    for number in range(200 - 58):
        add_server(cln, f"fine-{number}", f"203.0.113.{number}")
    assert len(list(cln.account.kernelcare_servers())) == 200


def servers_of(account: Account) -> set[str]:
    """Return the ids of the KernelCare servers of ``account``."""
    return {server.server_id for server in account.kernelcare_servers()}


def removals(cln: Cln) -> list[str]:
    """Return the ids of the servers whose removal was sent."""
    return [query.get("server_id") or query["id"] for _, path, query in cln.sent() if path.endswith("/srv/remove.json")]


def prune(cln: Cln, *arguments: str) -> Outcome:
    """Return the outcome of the command with --yes."""
    return ask(cln, "servers", "prune", *arguments, "--yes")


def five_dead(cln: Cln, *, fine: int = 6) -> None:
    """Create a fleet of five dead servers and ``fine`` healthy ones."""
    empty(cln)
    for number in range(5):
        add_server(cln, f"dead-{number}", f"192.0.2.{number}", (50 - number) * DAY)
    for number in range(fine):
        add_server(cln, f"fine-{number}", f"203.0.113.{number}")
