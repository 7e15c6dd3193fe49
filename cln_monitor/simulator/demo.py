"""The account of the demo: about 90 KernelCare servers on six keys, each with its own scenario.

It also has Imunify, ELS and CloudLinux OS servers, IP licenses and groups.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from .model import DAY, HOUR, Account, Cycling, Never, SimulatedCheckIns, Steady, Stopped, names


@dataclass(frozen=True, slots=True)
class _Scenario:
    """A key, or the IP licenses of a type, with `limit` and `servers`.

    `silent` has the days since the last check-in, one for each silent server. `never` servers have never checked in;
    `flapping` servers check in with gaps. `outofdate` and `unsupported` are numbers of servers in that patch state.
    """

    note: str
    limit: int
    servers: int
    enabled: bool = True
    silent: tuple[float, ...] = ()
    never: int = 0
    flapping: int = 0
    outofdate: int = 0
    unsupported: int = 0


_KERNELCARE = (
    _Scenario("Production web, Frankfurt", 50, 48, silent=(2.5, 6), never=1, flapping=2, outofdate=3),
    _Scenario("Shared hosting Köln", 20, 20, silent=(45,), unsupported=2),
    _Scenario("クラウド (unlimited)", 0, 17, never=1, flapping=1, outofdate=1),
    _Scenario("Databases", 12, 5),
    _Scenario("Lab, retired", 5, 2, enabled=False, silent=(90, 120)),
    _Scenario("New customer: onboarding", 10, 0),
)
_IMUNIFY = (
    ("360_250", _Scenario("Shared hosting Köln", 20, 14, silent=(4,), never=1, flapping=1)),
    ("360_30", _Scenario("Production web, Frankfurt", 5, 5)),
    ("AVP", _Scenario("Серверы клиентов", 0, 6, silent=(8,))),
    ("360_1", _Scenario("Single sites", 10, 0)),
)
_IP_LICENSES_FROM = 700  # number of the first address, beyond those of the servers
_IP_LICENSES = (
    # type, offset of its first address, and: server info, number of licenses, number of licenses in use
    (1, 0, _Scenario("cloudlinux-release-8 (4.18.0-553.16.1.lve.el8.x86_64)", 8, 6, silent=(9,))),
    (1002, 8, _Scenario("cloudlinux-release-9 (5.14.0-427.31.1.el9_4.x86_64)", 4, 3)),
    (16, 12, _Scenario("almalinux-release-9 (5.14.0-427.31.1.el9_4.x86_64)", 3, 3, silent=(40,))),
    (42, 3, _Scenario("cloudlinux-release-8 (4.18.0-553.16.1.lve.el8.x86_64)", 4, 3, never=1)),
    (5010, 15, _Scenario("cloudlinux-release-7 (3.10.0-962.3.2.lve1.5.88.el7.x86_64)", 1, 1)),
)
_ELS = (
    # the codes of the product in the revisions of the API document, and its key
    (("CELS",), _Scenario("Shared hosting Köln", 10, 8, silent=(11,))),
    (("PHP_ELS",), _Scenario("", 0, 4)),
    (("UELS18",), _Scenario("Databases", 3, 3)),
    (("CELS_8",), _Scenario("Серверы клиентов", 5, 2)),
    (("ELS CELS7+SLA", "ELS_FOR_CENTOS7_PLUS_SLA"), _Scenario("New customer: onboarding", 5, 0)),
)
_CLOUDLINUX_FROM = 740  # beyond those of the IP licenses
_CLOUDLINUX = (
    ("CLP", _Scenario("Shared hosting Köln", 20, 14)),
    ("CL", _Scenario("", 0, 3)),
    ("CLS", _Scenario("Single sites", 5, 1)),
    ("CLADMIN", _Scenario("New customer: onboarding", 10, 0)),
)
AWP_WEBSITES = 12
EPORTAL_SERVERS = 36


def populate_demo(account: Account, random: Random, now: float) -> None:
    """Add the keys and servers of the demo to `account`, with check-ins up to `now` (Unix seconds)."""
    for scenario in _KERNELCARE:
        kernelcare = account.add_kernelcare_key(
            limit=scenario.limit,
            note=scenario.note,
            enabled=scenario.enabled,
            created=now - random.randrange(500, 900) * DAY,
        )
        states = ["outofdate"] * scenario.outofdate + ["unsupported"] * scenario.unsupported
        states = ["uptodate"] * (scenario.servers - len(states)) + states
        for (created, checkins), state in zip(_agents(scenario, random, now), states, strict=True):
            kernelcare.add_server(created=created, last_checkin=checkins, patch_state=state)
    _double_registration(account, now)
    for code, scenario in _IMUNIFY:
        imunify = account.add_imunify_key(code=code, limit=scenario.limit, note=scenario.note)
        for created, checkins in _agents(scenario, random, now):
            imunify.add_server(created=created, last_checkin=checkins)
    account.add_monitoring_key("DemoMonitoringKey0001")


def add_ip_licenses(account: Account, random: Random, now: float) -> None:
    """Add the IP licenses of the demo to `account`; some addresses have two, and some licenses are unused."""
    for type_, first, scenario in _IP_LICENSES:
        start = _IP_LICENSES_FROM + first
        for place, (created, checkins) in enumerate(_agents(scenario, random, now)):
            account.add_ip_license(
                names.address(start + place), type_, created=created, last_checkin=checkins, server_info=scenario.note
            )
        for place in range(scenario.servers, scenario.limit):
            created = now - random.randrange(130 * DAY, 480 * DAY)
            account.add_ip_license(names.address(start + place), type_, registered=False, created=created)


def add_els_keys(account: Account, codes: Sequence[str], random: Random, now: float) -> None:
    """Add the ELS keys of the demo to `account`: below the limit, unlimited, full, and without servers.

    `codes` are the product codes of the revision. One server is silent.
    """
    for names_, scenario in _ELS:
        code = next(name for name in names_ if name in codes)
        key = account.add_els_key(code=code, limit=scenario.limit, note=scenario.note)
        for created, checkins in _agents(scenario, random, now):
            key.add_server(created=created, last_checkin=checkins)


def add_cloudlinux_keys(account: Account) -> None:
    """Add the CloudLinux OS keys of the demo to `account`: below the limit, unlimited, and without servers."""
    number = _CLOUDLINUX_FROM
    for product, scenario in _CLOUDLINUX:
        key = account.add_cloudlinux_key(product_type=product, limit=scenario.limit, note=scenario.note)
        for _ in range(scenario.servers):
            key.add_server(str(40_000 + number), ip=names.address(number), hostname=names.hostname(number))
            number += 1


def add_groups(account: Account) -> None:
    """Add the groups of the demo to `account`.

    One group has servers of both products, one shares a server with it, and one is empty.
    """
    web = next(key for key in account.kernelcare_keys.values() if key.note == "Production web, Frankfurt")
    databases = next(key for key in account.kernelcare_keys.values() if key.note == "Databases")
    protected = next(key for key in account.imunify_keys.values() if key.note == "Production web, Frankfurt")
    frankfurt = account.add_group("Frankfurt", "All that must be up at night")
    for server in (*list(web.servers.values())[:12], *protected.servers.values()):
        frankfurt.add_server(server)
    critical = account.add_group("Kritisch für Köln")
    for server in (next(iter(web.servers.values())), *databases.servers.values()):
        critical.add_server(server)
    account.add_group("New customers", "Empty until the first one comes")


def _agents(scenario: _Scenario, random: Random, now: float) -> list[tuple[float, SimulatedCheckIns]]:
    """Return the registration time and the check-ins of each server of a scenario."""
    agents = []
    for place in range(scenario.servers):
        created = now - random.randrange(130 * DAY, 480 * DAY)
        agent: SimulatedCheckIns = Steady(random.getrandbits(32), created)
        if place < len(scenario.silent):
            agent = Stopped(agent, now - scenario.silent[place] * DAY)
        elif place < len(scenario.silent) + scenario.never:
            created, agent = now - 5 * DAY, Never()
        elif place < len(scenario.silent) + scenario.never + scenario.flapping:
            agent = Cycling(agent, now - random.randrange(3 * DAY), up=2 * DAY, down=30 * HOUR)
        agents.append((created, agent))
    return agents


def _double_registration(account: Account, now: float) -> None:
    """Register a reinstalled server again at its address: the old id is silent, and still counts."""
    databases = next(key for key in account.kernelcare_keys.values() if key.note == "Databases")
    first = next(iter(databases.servers.values()))
    first.checkins = Stopped(first.checkins, now - 12 * DAY)
    databases.add_server(ip=first.ip, hostname=first.hostname, created=now - 12 * DAY + HOUR)
