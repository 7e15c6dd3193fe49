"""The generation of a fleet of any size from a seed."""

from collections.abc import Iterator, Sequence
from itertools import count, islice
from random import Random

from .model import (
    AWP_CDN,
    CLOUDLINUX_PRODUCTS,
    DAY,
    HOUR,
    Account,
    Cycling,
    Never,
    SimulatedCheckIns,
    Steady,
    Stopped,
    month_of,
    names,
)

SERVERS_PER_KEY = 100
_IMUNIFY_SHARE = 4
_IMUNIFY_CODES = ("360_30", "360_250", "360_UN", "AVP", "360_1")
_NOTES = ("shared hosting", "resellers", "cloud nodes", "databases", "mail", "customers", "")
_IP_LICENSES_SHARE = 10
_MOST_IP_LICENSES = 1000
_IP_LICENSES_FROM = 1_250_000  # number of the first address, beyond those of the largest fleet
_BUNDLES = ((1,), (1,), (1, 42), (1, 16, 49), (1002, 43), (1002,), (4,), (16,), (17,), (40,), (41,), (42,))
_ELS_FROM = 1_260_000  # beyond those of the IP licenses
_ELS_SHARE = 8
_ELS_SERVERS_PER_KEY = 10
_MOST_ELS_SERVERS = 1000
_CLOUDLINUX_FROM = 1_270_000  # beyond those of the ELS servers
_MOST_GROUPS = 10
_MOST_WEBSITES = 1000
_AWP_MONTHS = 3
_SERVER_INFOS = (
    "cloudlinux-release-7 (3.10.0-962.3.2.lve1.5.88.el7.x86_64)",
    "cloudlinux-release-8 (4.18.0-553.16.1.lve.el8.x86_64)",
    "cloudlinux-release-9 (5.14.0-427.31.1.el9_4.x86_64)",
)


def populate(account: Account, servers: int, random: Random, now: float) -> None:
    """Add KernelCare servers to `account`, 100 per key, and a quarter as many Imunify servers."""
    for turn, size in enumerate(_sizes(servers)):
        kernelcare = account.add_kernelcare_key(
            limit=_limit(turn, size, random),
            note=f"{_NOTES[turn % len(_NOTES)]} {turn + 1}".strip(),
            created=now - random.randrange(400 * DAY, 1200 * DAY),
        )
        for _ in range(size):
            created = now - random.randrange(60 * DAY, 400 * DAY)
            kernelcare.add_server(
                created=created,
                last_checkin=_checkins(created, random, now),
                patch_state=_patch_state(random),
            )
    for turn, size in enumerate(_sizes(servers // _IMUNIFY_SHARE)):
        imunify = account.add_imunify_key(
            code=_IMUNIFY_CODES[turn % len(_IMUNIFY_CODES)], limit=_limit(turn, size, random)
        )
        for _ in range(size):
            created = now - random.randrange(60 * DAY, 400 * DAY)
            imunify.add_server(created=created, last_checkin=_checkins(created, random, now))


def add_ip_licenses(account: Account, servers: int, random: Random, now: float) -> None:
    """Add IP licenses to `account`, a tenth as many as `servers` and at most 1000; one in ten is unused."""
    for ip, type_ in islice(_bundled(random), min(servers // _IP_LICENSES_SHARE, _MOST_IP_LICENSES)):
        created = now - random.randrange(60 * DAY, 400 * DAY)
        if random.random() < 0.1:
            account.add_ip_license(ip, type_, registered=False, created=created)
        else:
            checkins, server_info = _checkins(created, random, now), random.choice(_SERVER_INFOS)
            account.add_ip_license(ip, type_, created=created, last_checkin=checkins, server_info=server_info)


def add_els_keys(account: Account, servers: int, codes: Sequence[str], random: Random, now: float) -> None:
    """Add ELS servers of the products `codes` to `account`: an eighth of `servers`, at most 1000, with 10 per key.

    What CLN reports of their check-ins depends on its revision.
    """
    covered = min(servers // _ELS_SHARE, _MOST_ELS_SERVERS)
    for turn, size in enumerate(_sizes(covered, _ELS_SERVERS_PER_KEY)):
        code = codes[turn % len(codes)]
        key = account.add_els_key(code=code, limit=_limit(turn, size, random), note=_NOTES[turn % len(_NOTES)])
        for place in range(size):
            number = _ELS_FROM + turn * _ELS_SERVERS_PER_KEY + place
            created = now - random.randrange(60 * DAY, 400 * DAY)
            key.add_server(
                ip=names.address(number),
                hostname=names.hostname(number),
                created=created,
                last_checkin=_checkins(created, random, now),
            )


def add_cloudlinux_keys(account: Account, servers: int, random: Random) -> None:
    """Add CloudLinux OS servers to `account`, as many as have ELS, with 10 per key; CLN has no check-ins of them."""
    covered = min(servers // _ELS_SHARE, _MOST_ELS_SERVERS)
    for turn, size in enumerate(_sizes(covered, _ELS_SERVERS_PER_KEY)):
        product, note = CLOUDLINUX_PRODUCTS[turn % len(CLOUDLINUX_PRODUCTS)], _NOTES[turn % len(_NOTES)]
        key = account.add_cloudlinux_key(product_type=product, limit=_limit(turn, size, random), note=note)
        for place in range(size):
            number = _CLOUDLINUX_FROM + turn * _ELS_SERVERS_PER_KEY + place
            key.add_server(str(number), ip=names.address(number), hostname=names.hostname(number))


def add_groups(account: Account, random: Random) -> None:
    """Add groups to `account`: one for each of the first ten KernelCare keys, with Imunify servers too.

    One more group has a server of each, and one is empty. An account without servers has no groups.
    """
    kernelcare_keys, imunify_keys = list(account.kernelcare_keys.values()), list(account.imunify_keys.values())
    if not kernelcare_keys:
        return
    watched = account.add_group("watch list", "one server of each group")
    account.add_group("reserve")
    for turn, key in enumerate(kernelcare_keys[:_MOST_GROUPS]):
        group = account.add_group(f"group {turn + 1}", key.note)
        servers = list(key.servers.values())
        chosen = random.sample(servers, min(10, len(servers)))
        for server in chosen:
            group.add_server(server)
        watched.add_server(chosen[0])
        for imunify in imunify_keys[turn : turn + 1]:
            for protected in islice(imunify.servers.values(), 5):
                group.add_server(protected)


def add_awp_entities(account: Account, websites: int, random: Random, now: float) -> None:
    """Add up to 1000 websites billed for AccelerateWP in this month and the two months before.

    Two in five have the CDN too, one in five has no user name, and some are new in this month or the last one.
    """
    sites = []
    for number in range(1, min(websites, _MOST_WEBSITES) + 1):
        username = None if random.random() < 0.2 else f"user{number}"
        limit = random.choice(("50 GB", "100 GB", "1 TB")) if random.random() < 0.4 else None
        sites.append((f"shop{number}.example.com", username, limit, random.randrange(12)))
    for back in reversed(range(_AWP_MONTHS)):
        month = month_of(now, back)
        for domain, username, limit, age in sites:
            if age >= back:
                account.add_awp_entity(domain, username=username, month=month)
                if limit is not None:
                    account.add_awp_entity(domain, AWP_CDN, username=username, cdn_limit_type=limit, month=month)


def _bundled(random: Random) -> Iterator[tuple[str, int]]:
    """Yield pairs of an address and a type without end, one pair for each type of an address."""
    return ((names.address(number), type_) for number in count(_IP_LICENSES_FROM) for type_ in random.choice(_BUNDLES))


def _sizes(servers: int, per_key: int = SERVERS_PER_KEY) -> list[int]:
    full, rest = divmod(servers, per_key)
    return [per_key] * full + [rest] * (rest > 0)


def _limit(turn: int, used: int, random: Random) -> int:
    """Return the limit of a key: of twenty keys, two are unlimited, one is full, and the others are below the limit."""
    match turn % 20:
        case 3 | 13:
            return 0
        case 6:
            return used
        case _:
            return used + used // random.randint(2, 9) + 1


def _checkins(created: float, random: Random, now: float) -> SimulatedCheckIns:
    """Return the check-ins of a server: of 100 servers, 95 are steady, 2 stop, 2 flap, and 1 never checks in."""
    draw = random.random()
    if draw < 0.01:
        return Never()
    agent = Steady(random.getrandbits(32), created)
    if draw < 0.03:
        return Stopped(agent, now + random.randrange(-50 * DAY, 50 * DAY))
    if draw < 0.05:
        up, down = random.randrange(2 * DAY, 9 * DAY), random.randrange(12 * HOUR, 4 * DAY)
        return Cycling(agent, now - random.randrange(9 * DAY), up, down)
    return agent


def _patch_state(random: Random) -> str:
    draw = random.random()
    if draw < 0.02:
        return "outofdate"
    return "unsupported" if draw < 0.03 else "uptodate"
