"""How servers that check in are judged: by the age of their last check-in, and by how full their keys are."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from cln_monitor import policy
from cln_monitor.durations import format_age
from cln_monitor.masking import masked, same_key

from .data.reader import read_view
from .data.request import DataRequest, View
from .key_usage import LIMIT_DEFAULTS, LIMIT_OPTIONS, fullest_first, limit_figures, limit_problems
from .options import COMMON, Option, ip_address, state
from .output import name_worst
from .plugin_exit import PluginExit
from .problems import CheckProblem, oddities_of, origin_of, phrases_of, problems_of, values_of
from .result import CheckResult, Metric
from .states import State, rank
from .thresholds import Threshold, of_age, pair

NO_MATCH_STATE = Option(
    ("--no-match-state",),
    "the state where there is nothing to look at",
    "STATE",
    default=State.UNKNOWN,
    read=state,
    shown_default="unknown",
)
AGE_OPTIONS = (
    Option(
        ("-w", "--warning"),
        "WARNING for a last check-in whose age is out of this range, such as 1d or 12h",
        "RANGE",
        read=of_age,
        shown_default="1d",
    ),
    Option(
        ("-c", "--critical"),
        "CRITICAL for a last check-in whose age is out of this range",
        "RANGE",
        read=of_age,
        shown_default="3d",
    ),
)
IP_OPTION = Option(("--ip",), "look at this address alone; can be given again", "IP", read=ip_address, repeatable=True)
SERVER_OPTIONS = (
    *AGE_OPTIONS,
    *LIMIT_OPTIONS,
    Option(("--key",), "look at this licence key alone, in full or masked; can be given again", "KEY", repeatable=True),
    IP_OPTION,
    Option(("--server-id",), "look at this server alone; can be given again", "ID", repeatable=True),
    NO_MATCH_STATE,
    *COMMON,
)


SEEN, NEVER, UNKNOWN = "seen", "never", "unknown"
"""What is known of a last check-in: when it was, that there was none, or nothing."""


class ServerAge(NamedTuple):
    """A server as it is judged. ``age``: seconds since its last check-in, or since it was registered if it never did.

    ``checkin`` is what is known of that check-in. ``age`` is None where it is unknown, and for a server that never
    checked in and was registered nobody knows when.
    """

    name: str
    age: int | None
    checkin: str
    state: State

    def __str__(self) -> str:
        """Return it as a line names it: ``192.0.2.1 (4d)``."""
        if self.checkin == SEEN:
            return f"{self.name} ({format_age(self.age or 0)})"
        since = "" if self.age is None else f", registered {format_age(self.age)} ago"
        return f"{self.name} ({self.checkin}{since})"

    @property
    def in_phrase(self) -> str:
        """Its name behind words that say what is known of its check-in."""
        if self.checkin == SEEN:
            return str(self)
        return self.name if self.age is None else f"{self.name} (registered {format_age(self.age)} ago)"


Thresholds = tuple[Threshold | None, Threshold | None]
"""Those for WARNING and CRITICAL."""


def age_server(
    name: str, row: Mapping[str, Any], created: float | None, now: float, thresholds: Thresholds
) -> ServerAge:
    """Return a server with its age and state; times are Unix seconds.

    A ``row`` without ``last_checkin`` is of a server whose check-in is unknown; where it is null it never did.
    """
    warning, critical = thresholds
    if "last_checkin" not in row:
        return ServerAge(name, None, UNKNOWN, State.WARNING)
    seen = row["last_checkin"] if row["last_checkin"] is not None else created
    checkin = NEVER if row["last_checkin"] is None else SEEN
    if seen is None:  # whether it is late nobody can tell
        return ServerAge(name, None, checkin, State.OK)
    age = max(0, int(now - seen))  # clocks differ: a check-in a moment ahead of ours is a check-in now
    if critical is not None and critical.is_bad(age):
        return ServerAge(name, age, checkin, State.CRITICAL)
    return ServerAge(name, age, checkin, State.WARNING if warning is not None and warning.is_bad(age) else State.OK)


def stale_problems(servers: list[ServerAge], total: str, thresholds: Thresholds) -> list[CheckProblem]:
    """Return a phrase for each way in which servers are CRITICAL or WARNING, the oldest of them first."""
    problems = []
    for state_, threshold in ((State.CRITICAL, thresholds[1]), (State.WARNING, thresholds[0])):
        for checkin in (SEEN, NEVER):
            bad = [server for server in servers if (server.state, server.checkin) == (state_, checkin)]
            if bad and threshold is not None:
                named = name_worst([server.in_phrase for server in bad])
                problems.append(
                    CheckProblem(state_, f"{len(bad)} of {total} {_what_is_wrong(checkin, threshold)}: {named}")
                )
    return problems


def undated_notes(servers: list[ServerAge], total: str) -> list[str]:
    """Return what to say of servers that never checked in and were registered nobody knows when: they may be new."""
    undated = [server.name for server in servers if server.checkin == NEVER and server.age is None]
    return [f"{len(undated)} of {total} never checked in: {name_worst(undated)}"] if undated else []


def unknown_problems(servers: list[ServerAge], total: str) -> list[CheckProblem]:
    """Return a phrase for the servers whose check-in is unknown, where there are any."""
    unknown = [server.name for server in servers if server.checkin == UNKNOWN]
    text = f"{len(unknown)} of {total} with an unknown last check-in: {name_worst(unknown)}"
    return [CheckProblem(State.WARNING, text)] if unknown else []


def _what_is_wrong(checkin: str, threshold: Threshold) -> str:
    if checkin == NEVER:
        return f"never checked in, registered {threshold.words} ago"
    if threshold.is_plain:
        return f"not checked in for {threshold.words}"
    return f"with a last check-in of an age {threshold.words}"


def spelled(ip: str) -> str:
    """Return an address of CLN in the spelling of the options; what is no address stays as it is."""
    try:
        return ip_address(ip)
    except ValueError:
        return ip


def is_wanted_ip(ip: str, options: argparse.Namespace) -> bool:
    """Tell whether ``--ip`` asks for an address, as all are where it is not given."""
    return not options.ip or spelled(ip) in options.ip


def unmatched(option: str, given: Sequence[str], seen: Collection[str]) -> list[str]:
    """Return, as they were given, the values of an ``option`` that are not among what was ``seen``."""
    return [f"{option} {value}" for value in given if value not in seen]


def no_match(what: str, gone: list[str], otherwise: str, state_: State) -> CheckProblem:
    """Return the problem, of ``state_``, that there is no ``what``: for what is ``gone``, or else ``otherwise``."""
    where = f"of this account matches {', '.join(gone)}" if gone else otherwise
    return CheckProblem(state_, f"no {what} {where}")


def oldest_first(servers: list[ServerAge]) -> list[ServerAge]:
    """Return ``servers`` by their age; those that never checked in at an unknown time are the oldest."""
    return sorted(servers, key=lambda server: float("inf") if server.age is None else server.age, reverse=True)


def age_figures(servers: list[ServerAge], thresholds: Thresholds) -> list[Metric]:
    """Return the figures of ages: how many servers are stale, never checked in or are unknown, and the oldest check-in.

    Each is in one count alone.
    """
    seen = [server for server in servers if server.checkin == SEEN]
    ages = [server.age for server in seen if server.age is not None]
    figures = [
        Metric("stale", sum(server.state is not State.OK for server in seen)),
        Metric("never_checked_in", sum(server.checkin == NEVER for server in servers)),
        Metric("unknown_checkin", sum(server.checkin == UNKNOWN for server in servers)),
    ]
    if ages:
        figures.append(Metric("oldest_checkin", max(ages), "s", *thresholds))
    return figures


def make_check(probe: str, product: str) -> Callable[[argparse.Namespace, PluginExit, float], CheckResult]:
    """Return the check of the servers that ``probe`` sees; ``product`` is what people call what they run."""

    def check(options: argparse.Namespace, leave: PluginExit, now: float) -> CheckResult:
        for key in options.key:
            leave.hide(key, masked(key))
        only_keys = tuple(options.key) or None
        return judge(read_view(DataRequest(probe, only_keys=only_keys), options, leave), product, options, now)

    return check


def judge(view: View, product: str, options: argparse.Namespace, now: float) -> CheckResult:
    """Return the verdict on the servers and keys in ``view``."""
    ages = pair(options.warning, options.critical, (of_age("1d"), of_age("3d")))
    limits = pair(options.limit_warning, options.limit_critical, LIMIT_DEFAULTS)

    def wanted(name: str) -> bool:
        return not options.key or any(same_key(key, name) for key in options.key)

    keys = list(values_of(view, wanted))
    rows = [
        row
        for key in keys
        for row in key["servers"]
        if is_wanted_ip(row["ip"], options) and (not options.server_id or row["server_id"] in options.server_id)
    ]
    servers = oldest_first(
        [age_server(row["ip"] or row["server_id"], row, row.get("created"), now, ages) for row in rows]
    )
    of_servers = bool(options.ip or options.server_id)  # whose checks are not to alarm of a key that all of them share
    uses = [] if of_servers else fullest_first(keys, {key["key"]: _used(key) for key in keys})
    problems = problems_of(view, wanted, options)
    # A check of one key is not to alarm of what the account has lost.
    odd = oddities_of(view, wanted, but=(policy.SERVERS_DROPPED, policy.SERVERS_GONE) if options.key else ())
    total = f"{len(servers)} {product} servers"
    found = stale_problems(servers, total, ages) + limit_problems(uses, limits)
    found += unknown_problems(servers, total) if of_servers and servers else odd.problems
    gone = [
        *unmatched("--key", [masked(key) for key in options.key], {masked(key["key"]) for key in keys}),
        *unmatched("--ip", options.ip, {spelled(row["ip"]) for row in rows} if options.ip else ()),
        *unmatched("--server-id", options.server_id, {row["server_id"] for row in rows}),
    ]
    if not problems and (gone or not servers):
        found.append(no_match(f"{product} server", gone, "is registered", options.no_match_state))
    phrases = phrases_of([*found, *problems])
    if not phrases:
        phrases = [f"{total}{longest_silent(servers)}"]
        phrases += [f"the fullest key is {uses[0]}"] if uses else []
    figures = [Metric("servers", len(servers)), *age_figures(servers, ages), *limit_figures(uses, limits)]
    return CheckResult(
        text="; ".join([*phrases, *undated_notes(servers, total), *([] if of_servers else odd.notes)]),
        lines=[
            *origin_of(view, options, wanted),
            *odd.lines,
            *lines_of(servers, options),
            *(f"key {use}" for use in uses),
        ],
        figures=[] if problems else figures,  # totals of what is not all there would be a lie
        states=[problem.state for problem in (*found, *problems)],
    )


def _used(key: dict[str, Any]) -> int:
    # The list of Imunify keys tells the number in use itself; the larger one is what the next server runs into.
    return max(len(key["servers"]), key.get("servers_reported") or 0)


def longest_silent(servers: list[ServerAge]) -> str:
    """Return which of ``servers``, the oldest first, has been silent longest, and how many have not checked in yet."""
    longest = next((f", the longest silent is {server}" for server in servers if server.checkin == SEEN), "")
    new = sum(server.checkin == NEVER and server.age is not None for server in servers)
    return longest + (f", {new} not checked in yet" if new else "")


def lines_of(servers: list[ServerAge], options: argparse.Namespace) -> list[str]:
    """Return a line for each of ``servers`` that is not OK, or for all at ``-v``: the worst first, then the oldest."""
    shown = [server for server in servers if options.verbose or server.state is not State.OK]
    shown.sort(key=lambda server: rank(server.state), reverse=True)
    return [f"{server.state.name}: {server}" for server in shown]
