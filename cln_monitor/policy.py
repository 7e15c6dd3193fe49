"""What is a problem, how bad it is, and from when on: the one table of the plugins, the status page and the alerts.

`TABLE` is rendered to ``docs/severities.md``. Nothing is imported that a plugin would have to wait for.
"""

from __future__ import annotations

import socket
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple, TypeVar

S = TypeVar("S")


class Severity(IntEnum):
    """How bad a fact is. ``INFO`` is worth a word, and OK."""

    INFO = 0
    WARNING = 1
    CRITICAL = 2

    @property
    def word(self) -> str:
        """What it is called on the page, in the alerts and in the documentation."""
        return self.name.lower()


DAY = 86400

LEAST_LIMIT = 2
"""Keys with a lower limit may be full: that is what they were bought for."""
NEARLY_FULL, FULL = 90, 100
"""Percent of its limit from which on a key is nearly full, and full."""
LONGEST_SILENCE = 30 * DAY
"""Seconds of silence after which a server counts as gone, if `stale_after` is not longer."""
NEWLY_SILENT = 3 * DAY
"""Seconds beyond `stale_after` in which silence counts as new."""
MANY, MANY_PERCENT, LEAST_OF_MANY = 25, 10, 5
"""Newly silent servers are many when they are more than so many, or more than so many percent and at least so many."""
MOST_SKEW = 300
"""Seconds between the clocks of the exporter and CLN, which takes a token for half an hour by its own."""
NEVER_AFTER = DAY
"""Seconds after its registration from which on a server that never checked in is a problem."""
AWP_FACTOR, AWP_MORE = 1.5, 10
"""A month is billed for conspicuously more than the one before: by this factor, and so many entities."""
UNUSED_AFTER = 7 * DAY
"""Seconds after its creation from which on an IP license that no server uses is worth a word."""


class Row(NamedTuple):
    """A row of the table: a ``fact``, its ``severity``, None for none, and from when on it counts."""

    fact: str
    severity: Severity | None
    since: str = ""


KEY_FULL = Row("a key with a limit of 2 or more is full", Severity.WARNING, f"{FULL} %")
KEY_NEARLY_FULL = Row("a key with a limit of 2 or more is nearly full", Severity.WARNING, f"{NEARLY_FULL} %")
KEY_OF_ONE = Row("a key with a limit of 1 is full", None)
KEY_DISABLED = Row("anything about a disabled key", Severity.INFO)
FLAG_BAD = Row("a flag of CLN is in its bad state", Severity.WARNING, "10 minutes for alerts")
CLN_UNREADABLE = Row(
    "CLN cannot be read: the probe `status` fails; UNKNOWN in the plugins", Severity.WARNING, "3 runs for alerts"
)
EXPORTER_DOWN = Row("the exporter is down; UNKNOWN in plugins that read it", Severity.CRITICAL, "5 minutes for alerts")
SHARD_MISSING = Row("a shard of the exporter is missing", Severity.CRITICAL, "15 minutes for alerts")
RATE_LIMITED = Row("CLN limits the calls so often that a probe fails", Severity.WARNING, "3 runs for alerts")
CLOCK_SKEW = Row(
    f"the clocks here and at CLN differ by more than {MOST_SKEW // 60} minutes",
    Severity.WARNING,
    "10 minutes for alerts",
)
STATE_NOT_WRITTEN = Row("the exporter cannot save its state", Severity.WARNING, "5 minutes for alerts")
SERIES_DROPPED = Row("`max_server_series` leaves out per-server series", Severity.WARNING, "5 minutes for alerts")
TLS_UNVERIFIED = Row("the verification of CLN's TLS certificate is disabled", Severity.WARNING, "15 minutes for alerts")
AUTH_REFUSED = Row("CLN refuses the credentials of an account", Severity.CRITICAL, "3 runs for alerts")
RELOAD_FAILED = Row("a configuration could not be reloaded", Severity.WARNING, "5 minutes for alerts")
ANSWER_CHANGED = Row(
    "CLN no longer tells a limit, address or check-in of any row of a list, or a flag; or a limit cannot be read",
    Severity.WARNING,
    "10 minutes for alerts",
)
CHECKIN_AHEAD_OF_CLOCK = Row("a check-in is more than an hour ahead of CLN's clock", Severity.WARNING)
LIMIT_UNKNOWN = Row("CLN does not tell the limit of a key", Severity.INFO)
SERVERS_LOST = Row(
    "an account or product lost more than half of its servers, and at least 5, within an hour or a day",
    Severity.WARNING,
)
PRODUCT_GONE = Row("an account or product lost all of its servers, of 2 or more", Severity.CRITICAL)
PROBE_FAILS = Row("another probe fails, or is late", Severity.WARNING, "3 runs for alerts")
KERNEL_OUT_OF_DATE = Row("kernels are out of date", Severity.WARNING, "6 hours for alerts")
KERNEL_UNSUPPORTED = Row("kernels are unsupported", Severity.WARNING, "6 hours for alerts")
KERNEL_INACTIVE = Row("servers are inactive", Severity.WARNING, "6 hours for alerts")
SERVER_SILENT = Row("a server is silent", Severity.WARNING, "`stale_after`, up to 30 days")
MANY_LONG_SILENT = Row(
    "more than 25 servers of an account and product are silent for more than 3 days beyond `stale_after`: one alert "
    "in place of one for each",
    Severity.WARNING,
)
SERVER_GONE = Row(
    "a server is silent for longer: it is still billed, remove it", Severity.INFO, "30 days, or `stale_after` if longer"
)
SERVER_SUPERSEDED = Row("a silent server registered anew since: remove the old registration", Severity.INFO, "at once")
MANY_SILENT = Row(
    "many servers of an account and product fell silent, one for the account",
    Severity.CRITICAL,
    "more than 25, or more than 10 % and at least 5, last seen between `stale_after` and 3 days more ago",
)
KEY_SILENT = Row(
    "no server of a key with 2 or more checks in any more, one for the key",
    Severity.CRITICAL,
    "`stale_after`, up to 3 days more, of the newest check-in",
)
NEVER_CHECKED_IN = Row("a server has never checked in", Severity.WARNING, "24 hours after its registration")
NEVER_CHECKED_IN_UNDATED = Row(
    "a server has never checked in, and CLN does not tell when it was registered", Severity.INFO, "24 hours for alerts"
)
LICENSE_UNUSED = Row("no server uses an IP license", Severity.INFO, "7 days after its creation")
AWP_JUMPED = Row(
    "AccelerateWP bills more than the previous month",
    Severity.INFO,
    f"more than {AWP_FACTOR} times as much, and at least {AWP_MORE} more",
)
LICENSE_UNKNOWN = Row("CLN does not tell whether an IP license is used: its check-in is judged", Severity.INFO)

KERNELS = {"outofdate": KERNEL_OUT_OF_DATE, "unsupported": KERNEL_UNSUPPORTED, "inactive": KERNEL_INACTIVE}
"""The rows of the patch states that are a problem."""


TABLE = (
    EXPORTER_DOWN,
    SHARD_MISSING,
    AUTH_REFUSED,
    CLN_UNREADABLE,
    FLAG_BAD,
    RATE_LIMITED,
    PROBE_FAILS,
    RELOAD_FAILED,
    CLOCK_SKEW,
    STATE_NOT_WRITTEN,
    SERIES_DROPPED,
    TLS_UNVERIFIED,
    ANSWER_CHANGED,
    PRODUCT_GONE,
    SERVERS_LOST,
    MANY_SILENT,
    KEY_SILENT,
    SERVER_SILENT,
    MANY_LONG_SILENT,
    NEVER_CHECKED_IN,
    NEVER_CHECKED_IN_UNDATED,
    CHECKIN_AHEAD_OF_CLOCK,
    SERVER_GONE,
    SERVER_SUPERSEDED,
    KEY_FULL,
    KEY_NEARLY_FULL,
    KEY_OF_ONE,
    KEY_DISABLED,
    LIMIT_UNKNOWN,
    KERNEL_OUT_OF_DATE,
    KERNEL_UNSUPPORTED,
    KERNEL_INACTIVE,
    LICENSE_UNUSED,
    LICENSE_UNKNOWN,
    AWP_JUMPED,
)
"""All rows, by what they are about: of two problems of a severity the earlier row is shown first."""


def severity_of_failure(reason: str) -> Severity:
    """Return how bad it is that a probe fails for ``reason``, one of ``cln.REASONS``."""
    row = AUTH_REFUSED if reason == "auth" else PROBE_FAILS
    return row.severity or Severity.WARNING


def key_fullness(used: int, limit: int) -> Row | None:
    """Return the row that a key with ``used`` of ``limit`` servers is in; None where it has room, or no limit."""
    if not limit or 100 * used < NEARLY_FULL * limit:
        return None
    if limit < LEAST_LIMIT:
        return KEY_OF_ONE if used >= limit else None
    return KEY_FULL if 100 * used >= FULL * limit else KEY_NEARLY_FULL


class Silence(NamedTuple):
    """Servers by their last check-ins: ``seen`` ever had one, ``fresh`` a young one; the others are silent.

    Of the silent ones ``gone`` are so for long, ``newly`` since a short while; ``is_whole``: it is worth one critical
    problem, as a whole key has gone silent.
    """

    seen: int
    fresh: int
    newly: int
    gone: int
    is_whole: bool

    @property
    def silent(self) -> int:
        """How many are silent, but not gone."""
        return self.seen - self.fresh - self.gone


def gone_after(stale_after: float) -> float:
    """Return the age in seconds of a last check-in beyond which a server counts as gone."""
    return max(LONGEST_SILENCE, stale_after)


def silence_of(times: Sequence[float], now: float, stale_after: float) -> Silence:
    """Return how the servers of a key stand at ``now`` that checked in last at ``times``, Unix times in order."""
    silent = bisect_left(times, now - stale_after)
    newly = silent - bisect_left(times, now - stale_after - NEWLY_SILENT)
    is_whole = len(times) >= LEAST_LIMIT and silent == len(times) and newly > 0
    return Silence(len(times), len(times) - silent, newly, bisect_left(times, now - gone_after(stale_after)), is_whole)


def are_many(newly: int, total: int) -> bool:
    """Tell whether ``newly`` silent ones of ``total`` servers of an account and product are one critical problem."""
    return newly > MANY or (newly >= LEAST_OF_MANY and 100 * newly > MANY_PERCENT * total)


class Registration(NamedTuple):
    """A server: its address, the Unix times of its last check-in and registration, and the ``key`` it is on.

    ``last_checkin`` is None where it is unknown; ``host`` is the host name, empty where that is unknown.
    """

    ip: str
    last_checkin: float | None
    created: float | None
    key: str = ""
    host: str = ""


def shared_addresses(servers: Iterable[Registration]) -> list[list[Registration]]:
    """Return the ``servers`` of an account and product whose address has several registrations, by address.

    What is no address of a machine, such as ``0.0.0.0`` or a text, is shared by none.
    """
    by_address: dict[bytes, list[Registration]] = {}
    for server in servers:
        if address := _address_of(server.ip):
            by_address.setdefault(address, []).append(server)
    return [registrations for registrations in by_address.values() if len(registrations) > 1]


def _address_of(ip: str) -> bytes:
    """Return an address however it is spelled; nothing for what is none, or is that of any machine."""
    try:
        address = socket.inet_pton(socket.AF_INET6 if ":" in ip else socket.AF_INET, ip)
    except (OSError, ValueError):
        return b""
    is_of_any = not any(address[:-1]) and address[-1] <= 1 if len(address) > 4 else address[0] in {0, 127}
    return b"" if is_of_any else address


def superseded(shared: Iterable[Sequence[Registration]], now: float, stale_after: float) -> list[Registration]:
    """Return those of ``shared`` addresses that are silent and have registered anew since.

    That is so where the address has a single registration that may be alive, one that is fresh and was made after
    their last check-in, and host names agree as far as they are known. An address with several is shared by servers,
    as by NAT.
    """
    found = []
    for registrations in shared:
        alive = [each for each in registrations if each.last_checkin is None or now - each.last_checkin <= stale_after]
        if len(alive) == 1 and alive[0].last_checkin is not None and (created := alive[0].created) is not None:
            found += [
                each
                for each in registrations
                if each is not alive[0]
                and each.last_checkin is not None
                and each.last_checkin < created
                and (each.host == alive[0].host or not (each.host and alive[0].host))
            ]
    return found


def has_jumped(billable: int, before: int) -> bool:
    """Tell whether ``billable`` entities of a product are conspicuously more than those of the month before."""
    return billable > AWP_FACTOR * before and billable >= before + AWP_MORE


def is_unused_long(created: float | None, now: float) -> bool:
    """Tell whether a license that no server uses is worth a word; one of which no creation is told is."""
    return created is None or now - created >= UNUSED_AFTER


def patch_states_of_account(
    states: Sequence[S], is_listed: Callable[[S], bool], servers: Callable[[S], int]
) -> Sequence[S]:
    """Return which of the patch ``states`` of keys add up to those of the account: those of the keys that it lists.

    A monitoring key stands for all servers, so it is not added; of monitoring keys alone the largest one counts.
    """
    listed = [state for state in states if is_listed(state)]
    return listed or sorted(states, key=servers)[-1:]
