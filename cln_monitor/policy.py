"""The table of problems, severities and thresholds that the plugins, the status page and the alerts share.

`TABLE` is rendered to ``docs/severities.md``. This module has no slow imports, as each plugin run loads it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import NamedTuple, TypeVar

S = TypeVar("S")


class Severity(IntEnum):
    """The severity of a fact. ``INFO`` is mentioned, and the state stays OK."""

    INFO = 0
    WARNING = 1
    CRITICAL = 2

    @property
    def word(self) -> str:
        """The name used on the status page, in alerts and in the documentation."""
        return self.name.lower()


DAY = 86400

FRESH, STALE, NEVER, UNKNOWN = CHECKINS = ("fresh", "stale", "never", "unknown")
"""The states of a server's last check-in: recent, too long ago, none ever, or unknown."""
MOST_AHEAD = 3600.0
"""Maximum seconds that a check-in may be ahead of CLN's clock, as a tolerance for differing clocks."""

LEAST_LIMIT = 2
"""Keys with a lower limit are expected to be full."""
NEARLY_FULL, FULL = 90, 100
"""Percentages of its limit at which a key counts as nearly full, and full."""
LONGEST_SILENCE = 30 * DAY
"""Seconds of silence after which a server counts as long silent, unless `stale_after` is longer."""
NEWLY_SILENT = 3 * DAY
"""Seconds beyond `stale_after` during which a server counts as newly silent."""
MANY, MANY_PERCENT, LEAST_OF_MANY = 25, 10, 5
"""Newly silent servers count as many: more than 25, or more than 10 percent and at least 5."""
MOST_SKEW = 300
"""Maximum seconds between the clocks of the exporter and CLN, which accepts a token for 30 minutes."""
NEVER_AFTER = DAY
"""Seconds after its registration at which a server that never checked in becomes a problem."""
AWP_FACTOR, AWP_MORE = 1.5, 10
"""Factor and number of entities by which billing must exceed the previous month to be mentioned."""
UNUSED_AFTER = 7 * DAY
"""Seconds after its creation at which an unused IP license is mentioned."""


class Row(NamedTuple):
    """A row of the table: a ``fact``, its ``severity`` or None, and ``since`` when it counts."""

    fact: str
    severity: Severity | None
    since: str = ""


KEY_FULL = Row("a key with a limit of 2 or more is full", Severity.WARNING, f"{FULL}%")
KEY_NEARLY_FULL = Row("a key with a limit of 2 or more is nearly full", Severity.WARNING, f"{NEARLY_FULL}%")
KEY_OF_ONE = Row("a key with a limit of 1 is full", None)
KEY_DISABLED = Row("anything about a disabled key", Severity.INFO)
FLAG_BAD = Row("a flag of CLN is in its bad state", Severity.WARNING, "10 minutes for alerts")
CLN_UNREADABLE = Row(
    "CLN cannot be read: the probe `status` fails; UNKNOWN in the plugins", Severity.WARNING, "3 runs for alerts"
)
EXPORTER_DOWN = Row("the exporter is down; UNKNOWN in its other plugins", Severity.CRITICAL, "5 minutes for alerts")
SHARD_MISSING = Row("a shard of the exporter is missing", Severity.CRITICAL, "15 minutes for alerts")
RATE_LIMITED = Row("a probe fails because CLN rate-limits its requests", Severity.WARNING, "3 runs for alerts")
CLOCK_SKEW = Row(
    f"the clocks of the exporter and CLN differ by more than {MOST_SKEW // 60} minutes",
    Severity.WARNING,
    "10 minutes for alerts",
)
STATE_NOT_WRITTEN = Row("the exporter cannot save its state", Severity.WARNING, "5 minutes for alerts")
SERIES_DROPPED = Row("per-server series exceed `max_server_series`", Severity.WARNING, "5 minutes for alerts")
TLS_UNVERIFIED = Row("TLS certificate verification of CLN is disabled", Severity.WARNING, "15 minutes for alerts")
AUTH_REFUSED = Row("CLN refuses the credentials of an account", Severity.CRITICAL, "3 runs for alerts")
RELOAD_FAILED = Row("the configuration could not be reloaded", Severity.WARNING, "5 minutes for alerts")
ANSWER_CHANGED = Row(
    "CLN no longer reports a limit, address or check-in in any row of a list, or a flag; or a limit cannot be read",
    Severity.WARNING,
    "10 minutes for alerts",
)
CHECKIN_AHEAD_OF_CLOCK = Row("a check-in is more than an hour ahead of CLN's clock", Severity.WARNING)
LIMIT_UNKNOWN = Row("CLN does not report the limit of a key", Severity.INFO)
CHECKINS_NOT_TOLD = Row("CLN has never reported the check-ins of an ELS product", Severity.INFO)
SERVERS_LOST = Row(
    "an account, product or ePortal lost more than half of its servers, and at least 5, within an hour or a day",
    Severity.WARNING,
)
PRODUCT_GONE = Row("an account, product or ePortal lost all of its 2 or more servers", Severity.CRITICAL)
PROBE_FAILS = Row("any other probe fails or is late", Severity.WARNING, "3 runs for alerts")
KERNEL_OUT_OF_DATE = Row("kernels are out of date", Severity.WARNING, "6 hours for alerts")
KERNEL_UNSUPPORTED = Row("kernels are unsupported", Severity.WARNING, "6 hours for alerts")
KERNEL_INACTIVE = Row("servers are inactive", Severity.WARNING, "6 hours for alerts")
SERVER_SILENT = Row("a server is silent", Severity.WARNING, "`stale_after`, up to 30 days")
MANY_LONG_SILENT = Row(
    "more than 25 servers of an account and product are silent for more than 3 days beyond `stale_after`: one alert "
    "instead of one per server",
    Severity.WARNING,
)
SERVER_GONE = Row(
    "a server is silent for longer: it is still billed, remove it", Severity.INFO, "30 days, or `stale_after` if longer"
)
SERVER_SUPERSEDED = Row("a silent server has registered again: remove the old registration", Severity.INFO, "at once")
MANY_SILENT = Row(
    "many servers of an account and product became silent; one problem per account and product",
    Severity.CRITICAL,
    "more than 25, or more than 10% and at least 5; last check-in `stale_after` to `stale_after` + 3 days ago",
)
KEY_SILENT = Row(
    "no server of a key with 2 or more servers checks in anymore; one problem per key",
    Severity.CRITICAL,
    "newest check-in `stale_after` to `stale_after` + 3 days ago",
)
NEVER_CHECKED_IN = Row("a server has never checked in", Severity.WARNING, "24 hours after its registration")
NEVER_CHECKED_IN_UNDATED = Row(
    "a server has never checked in, and CLN reports no registration date", Severity.INFO, "24 hours for alerts"
)
LICENSE_UNUSED = Row("no server uses an IP license", Severity.INFO, "7 days after its creation")
AWP_JUMPED = Row(
    "AccelerateWP bills more than the previous month",
    Severity.INFO,
    f"more than {AWP_FACTOR} times as much, and at least {AWP_MORE} more",
)
LICENSE_UNKNOWN = Row("CLN does not report whether an IP license is used: its check-in decides", Severity.INFO)

CVE_NOT_FIXED = Row(
    "a CVE of `patches.cves` is not in the loaded live patch of a server", Severity.WARNING, "24 hours for alerts"
)
CVE_UNKNOWN = Row(
    "it is unknown of a server whether a CVE of `patches.cves` is in its loaded live patch, and known of none that it "
    "is not",
    Severity.WARNING,
    "24 hours for alerts",
)
EPORTAL_OUTDATED = Row(
    "a server of an ePortal does not have the newest live patch of its feed", Severity.WARNING, "24 hours for alerts"
)
EPORTAL_SILENT = Row("a server of an ePortal is silent", Severity.WARNING, "`stale_after`")

KERNELS = {"outofdate": KERNEL_OUT_OF_DATE, "unsupported": KERNEL_UNSUPPORTED, "inactive": KERNEL_INACTIVE}
"""The rows of the patch states that are problems."""


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
    CHECKINS_NOT_TOLD,
    KERNEL_OUT_OF_DATE,
    KERNEL_UNSUPPORTED,
    KERNEL_INACTIVE,
    CVE_NOT_FIXED,
    CVE_UNKNOWN,
    EPORTAL_OUTDATED,
    EPORTAL_SILENT,
    LICENSE_UNUSED,
    LICENSE_UNKNOWN,
    AWP_JUMPED,
)
"""All rows, by subject: of two problems with the same severity, the one of the earlier row is shown first."""


def severity_of_failure(reason: str) -> Severity:
    """Return the severity of a failed probe with ``reason``, one of ``cln.REASONS``."""
    row = AUTH_REFUSED if reason == "auth" else PROBE_FAILS
    return row.severity or Severity.WARNING


def key_fullness(used: int, limit: int) -> Row | None:
    """Return the row of a key with ``used`` of ``limit`` servers; None if it has room or no limit."""
    if not limit or 100 * used < NEARLY_FULL * limit:
        return None
    if limit < LEAST_LIMIT:
        return KEY_OF_ONE if used >= limit else None
    return KEY_FULL if 100 * used >= FULL * limit else KEY_NEARLY_FULL


class Silence(NamedTuple):
    """Numbers of servers by last check-in: ``checked_in`` ever had one, ``fresh`` a recent one; the rest are silent.

    Of the silent servers, ``long_silent`` are so for long and ``newly`` for a short time. ``is_whole``: the whole key
    became silent, which is one critical problem.
    """

    checked_in: int
    fresh: int
    newly: int
    long_silent: int
    is_whole: bool

    @property
    def silent(self) -> int:
        """The number of servers that are silent, but not long silent."""
        return self.checked_in - self.fresh - self.long_silent


def gone_after(stale_after: float) -> float:
    """Return the age in seconds of a last check-in beyond which a server counts as long silent."""
    return max(LONGEST_SILENCE, stale_after)


def silence_of(times: Sequence[float], now: float, stale_after: float) -> Silence:
    """Return the silence at ``now`` of the servers of a key with last check-ins at ``times``, sorted Unix times."""
    silent = bisect_left(times, now - stale_after)
    newly = silent - bisect_left(times, now - stale_after - NEWLY_SILENT)
    is_whole = bool(times) and fell_silent(len(times), times[-1], now, stale_after)
    return Silence(len(times), len(times) - silent, newly, bisect_left(times, now - gone_after(stale_after)), is_whole)


def fell_silent(checked_in: int, newest: float, now: float, stale_after: float) -> bool:
    """Return whether a key became silent as a whole: ``checked_in`` servers ever did, the last at ``newest``."""
    silent_before = now - stale_after
    return checked_in >= LEAST_LIMIT and silent_before - NEWLY_SILENT <= newest < silent_before


def are_many(newly: int, total: int) -> bool:
    """Return whether ``newly`` silent of ``total`` servers of an account and product are one critical problem."""
    return newly > MANY or (newly >= LEAST_OF_MANY and 100 * newly > MANY_PERCENT * total)


def has_jumped(billable: int, before: int) -> bool:
    """Return whether ``billable`` entities of a product are many more than ``before``, those of the previous month."""
    return billable > AWP_FACTOR * before and billable >= before + AWP_MORE


def is_unused_long(created: float | None, now: float) -> bool:
    """Return whether an unused license is mentioned; one without a creation date always is."""
    return created is None or now - created >= UNUSED_AFTER


def patch_states_of_account(
    states: Sequence[S], is_listed: Callable[[S], bool], servers: Callable[[S], int]
) -> Sequence[S]:
    """Return the patch ``states`` that add up to the state of the account: those of the keys that it lists.

    A monitoring key covers all servers, so it is not added; if there are only monitoring keys, the largest one counts.
    """
    listed = [state for state in states if is_listed(state)]
    return listed or sorted(states, key=servers)[-1:]
