"""The account of a demonstration: some 90 KernelCare servers on six keys, each with a story of its own.

Imunify and ELS servers, IP licences and groups come with it.
"""

from dataclasses import dataclass
from random import Random

from .model import DAY, HOUR, Account, Cycling, Never, SimulatedCheckIns, Steady, Stopped, names


@dataclass(frozen=True, slots=True)
class _Story:
    """A key, or the IP licences of a type.

    `silent` servers went silent that many days ago, `never` of them were never heard.
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
    _Story("Production web, Frankfurt", 50, 48, silent=(2.5, 6), never=1, flapping=2, outofdate=3),
    _Story("Shared hosting Köln", 20, 20, silent=(45,), unsupported=2),
    _Story("クラウド (unlimited)", 0, 17, never=1, flapping=1, outofdate=1),
    _Story("Databases", 12, 5),
    _Story("Lab, retired", 5, 2, enabled=False, silent=(90, 120)),
    _Story("New customer: onboarding", 10, 0),
)
_IMUNIFY = (
    ("360_250", _Story("Shared hosting Köln", 20, 14, silent=(4,), never=1, flapping=1)),
    ("360_30", _Story("Production web, Frankfurt", 5, 5)),
    ("AVP", _Story("Серверы клиентов", 0, 6, silent=(8,))),
    ("360_1", _Story("Single sites", 10, 0)),
)
_IP_LICENSES_FROM = 700  # the running number of the first address, beyond those of the servers
_IP_LICENSES = (
    # the type, the place of its first address, and: the server info, how many are paid for, how many are used
    (1, 0, _Story("cloudlinux-release-8 (4.18.0-553.16.1.lve.el8.x86_64)", 8, 6, silent=(9,))),
    (1002, 8, _Story("cloudlinux-release-9 (5.14.0-427.31.1.el9_4.x86_64)", 4, 3)),
    (16, 12, _Story("almalinux-release-9 (5.14.0-427.31.1.el9_4.x86_64)", 3, 3, silent=(40,))),
    (42, 3, _Story("cloudlinux-release-8 (4.18.0-553.16.1.lve.el8.x86_64)", 4, 3, never=1)),
    (5010, 15, _Story("cloudlinux-release-7 (3.10.0-962.3.2.lve1.5.88.el7.x86_64)", 1, 1)),
)
_ELS = (
    # the product, the note, the limit, how many servers
    ("CELS", "Shared hosting Köln", 10, 8),
    ("PHP_ELS", "", 0, 4),
    ("UELS18", "Databases", 3, 3),
    ("CELS_8", "Серверы клиентов", 5, 2),
    ("ELS CELS7+SLA", "New customer: onboarding", 5, 0),
)
AWP_WEBSITES = 12


def furnish(account: Account, random: Random, now: float) -> None:
    """Give `account` the keys and servers of the demonstration, as things stand at `now` (Unix seconds)."""
    for story in _KERNELCARE:
        kernelcare = account.add_kernelcare_key(
            limit=story.limit,
            note=story.note,
            enabled=story.enabled,
            created=now - random.randrange(500, 900) * DAY,
        )
        states = ["outofdate"] * story.outofdate + ["unsupported"] * story.unsupported
        states = ["uptodate"] * (story.servers - len(states)) + states
        for (created, checkins), state in zip(_agents(story, random, now), states, strict=True):
            kernelcare.add_server(created=created, last_checkin=checkins, patch_state=state)
    _double_registration(account, now)
    for code, story in _IMUNIFY:
        imunify = account.add_imunify_key(code=code, limit=story.limit, note=story.note)
        for created, checkins in _agents(story, random, now):
            imunify.add_server(created=created, last_checkin=checkins)
    account.add_monitoring_key("DemoMonitoringKey0001")


def license_addresses(account: Account, random: Random, now: float) -> None:
    """Give `account` the IP licences of the demonstration; some addresses hold two, some licences are unused."""
    for type_, first, story in _IP_LICENSES:
        start = _IP_LICENSES_FROM + first
        for place, (created, checkins) in enumerate(_agents(story, random, now)):
            account.add_ip_license(
                names.address(start + place), type_, created=created, last_checkin=checkins, server_info=story.note
            )
        for place in range(story.servers, story.limit):
            created = now - random.randrange(130 * DAY, 480 * DAY)
            account.add_ip_license(names.address(start + place), type_, registered=False, created=created)


def extend_support(account: Account) -> None:
    """Give `account` the ELS keys of the demonstration: roomy, unlimited, full, and without servers."""
    for code, note, limit, servers in _ELS:
        key = account.add_els_key(code=code, limit=limit, note=note)
        for _ in range(servers):
            key.add_server()


def group_servers(account: Account) -> None:
    """Give `account` the groups of the demonstration.

    One has servers of both products, one shares a server with it, one is empty.
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


def _agents(story: _Story, random: Random, now: float) -> list[tuple[float, SimulatedCheckIns]]:
    """When each server of a story was registered, and its check-ins."""
    agents = []
    for place in range(story.servers):
        created = now - random.randrange(130 * DAY, 480 * DAY)
        agent: SimulatedCheckIns = Steady(random.getrandbits(32), created)
        if place < len(story.silent):
            agent = Stopped(agent, now - story.silent[place] * DAY)
        elif place < len(story.silent) + story.never:
            created, agent = now - 5 * DAY, Never()
        elif place < len(story.silent) + story.never + story.flapping:
            agent = Cycling(agent, now - random.randrange(3 * DAY), up=2 * DAY, down=30 * HOUR)
        agents.append((created, agent))
    return agents


def _double_registration(account: Account, now: float) -> None:
    """A reinstalled server, registered twice under one address: the old id is silent and still counts."""
    databases = next(key for key in account.kernelcare_keys.values() if key.note == "Databases")
    first = next(iter(databases.servers.values()))
    first.checkins = Stopped(first.checkins, now - 12 * DAY)
    databases.add_server(ip=first.ip, hostname=first.hostname, created=now - 12 * DAY)
