"""A fleet of any size from a seed."""

from random import Random

from .account import Account
from .checkins import DAY, HOUR, CheckIns, Cycling, Never, Steady, Stopped

SERVERS_A_KEY = 100
_IMUNIFY_SHARE = 4
_IMUNIFY_CODES = ("360_30", "360_250", "360_UN", "AVP", "360_1")
_NOTES = ("shared hosting", "resellers", "cloud nodes", "databases", "mail", "customers", "")


def populate(account: Account, servers: int, random: Random, now: float) -> None:
    """Give `account` that many KernelCare servers, 100 a key, and a quarter as many with Imunify."""
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


def _sizes(servers: int) -> list[int]:
    full, rest = divmod(servers, SERVERS_A_KEY)
    return [SERVERS_A_KEY] * full + [rest] * (rest > 0)


def _limit(turn: int, used: int, random: Random) -> int:
    """Of twenty keys two have no limit, one is full, and the others have room to grow."""
    match turn % 20:
        case 3 | 13:
            return 0
        case 6:
            return used
        case _:
            return used + used // random.randint(2, 9) + 1


def _checkins(created: float, random: Random, now: float) -> CheckIns:
    """Of a hundred servers 95 are steady, two stop for good, two go and come back, one was never heard."""
    lot = random.random()
    if lot < 0.01:
        return Never()
    agent = Steady(random.getrandbits(32), created)
    if lot < 0.03:
        return Stopped(agent, now + random.randrange(-50 * DAY, 50 * DAY))
    if lot < 0.05:
        up, down = random.randrange(2 * DAY, 9 * DAY), random.randrange(12 * HOUR, 4 * DAY)
        return Cycling(agent, now - random.randrange(9 * DAY), up, down)
    return agent


def _patch_state(random: Random) -> str:
    lot = random.random()
    if lot < 0.02:
        return "outofdate"
    return "unsupported" if lot < 0.03 else "uptodate"
