"""How servers that check in are judged: by the age of their last check-in, and by how full their keys are."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from cln_monitor import facts
from cln_monitor.masking import masked, same_key

from .data.reader import read_view
from .data.request import DataRequest, View
from .key_usage import LIMIT_OPTIONS, disabled_notes, fullest_first, limit_figures, limit_problems, name_of
from .options import COMMON, Option, ip_address, state
from .plugin_exit import PluginExit
from .problems import CheckProblem, oddities_of, origin_of, phrases_of, problems_of, values_of
from .result import CheckResult, Metric
from .server_age import lines_of, longest_silent, unknown_problems
from .staleness import ServerRow, judge_servers, superseded_rows
from .states import State
from .thresholds import of_age, pair

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
        shown_default="stale_after of the configuration or exporter, graded as docs/severities.md says",
    ),
    Option(
        ("-c", "--critical"),
        "CRITICAL for a last check-in whose age is out of this range",
        "RANGE",
        read=of_age,
        shown_default="none",
    ),
)
IP_OPTION = Option(("--ip",), "look at this address alone; can be given again", "IP", read=ip_address, repeatable=True)
SERVER_OPTIONS = (
    *AGE_OPTIONS,
    *LIMIT_OPTIONS,
    Option(("--key",), "look at this license key alone, in full or masked; can be given again", "KEY", repeatable=True),
    IP_OPTION,
    Option(("--server-id",), "look at this server alone; can be given again", "ID", repeatable=True),
    NO_MATCH_STATE,
    *COMMON,
)


def spelled(ip: str) -> str:
    """Return an address of CLN in the spelling of the options; what is no address stays as it is."""
    try:
        return ip_address(ip)
    except ValueError:
        return ip


def is_wanted_ip(ip: str, options: argparse.Namespace) -> bool:
    """Tell whether ``--ip`` asks for an address, as all are where it is not given."""
    return not options.ip or spelled(ip) in options.ip


def named(address: str, host_name: str | None) -> str:
    """Return what people call the server at ``address``: its host name as well, where that is known."""
    return f"{host_name} {address}" if host_name else address


def unmatched(option: str, given: Sequence[str], seen: Collection[str]) -> list[str]:
    """Return, as they were given, the values of an ``option`` that are not among what was ``seen``."""
    return [f"{option} {value}" for value in given if value not in seen]


def no_match(what: str, gone: list[str], otherwise: str, state_: State) -> CheckProblem:
    """Return the problem, of ``state_``, that there is no ``what``: for what is ``gone``, or else ``otherwise``."""
    where = f"of this account matches {', '.join(gone)}" if gone else otherwise
    return CheckProblem(state_, f"no {what} {where}")


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
    limits = pair(options.limit_warning, options.limit_critical, (None, None))

    def wanted(name: str) -> bool:
        return not options.key or any(same_key(key, name) for key in options.key)

    keys = list(values_of(view, wanted))
    host_names = view.get("host_names", {})
    rows = [
        ServerRow(
            key["key"],
            named(row["ip"] or row["server_id"], host_names.get(row["server_id"])),
            row,
            row.get("created"),
            is_off(key, options),
        )
        for key in keys
        for row in key["servers"]
        if is_wanted_ip(row["ip"], options) and (not options.server_id or row["server_id"] in options.server_id)
    ]
    of_servers = bool(options.ip or options.server_id)  # whose checks are not to alarm of a key that all of them share
    total = f"{len(rows)} {product} servers"
    judged = judge_servers(
        rows,
        options,
        now,
        stale_after=view["stale_after"],
        total=total,
        superseded=superseded_rows(values_of(view, lambda _: True), host_names, now, view["stale_after"]),
        names=None if of_servers else {key["key"]: name_of(key) for key in keys},
        is_account=not options.key,
    )
    uses = [] if of_servers else fullest_first(keys, {key["key"]: _used(key) for key in keys})
    active = [use for use in uses if options.key or not use.is_disabled]
    problems = problems_of(view, wanted, options)
    # A check of one key is not to alarm of what the account has lost.
    odd = oddities_of(view, wanted, but=(facts.SERVERS_DROPPED, facts.SERVERS_GONE) if options.key else ())
    found = judged.problems + limit_problems(active, limits)
    found += unknown_problems(judged.servers, total) if of_servers and rows else odd.problems
    gone = [
        *unmatched("--key", [masked(key) for key in options.key], {masked(key["key"]) for key in keys}),
        *unmatched("--ip", options.ip, {spelled(each.row["ip"]) for each in rows} if options.ip else ()),
        *unmatched("--server-id", options.server_id, {each.row["server_id"] for each in rows}),
    ]
    if not problems and (gone or not rows):
        found.append(no_match(f"{product} server", gone, "is registered", options.no_match_state))
    phrases = phrases_of([*found, *problems])
    if not phrases:
        phrases = [f"{total}{longest_silent(judged.servers)}"]
        phrases += [f"the fullest key is {active[0]}"] if active else []
    notes = [*judged.notes, *disabled_notes(uses, active), *([] if of_servers else odd.notes)]
    figures = [Metric("servers", len(rows)), *judged.figures, *limit_figures(active, limits)]
    if view["probe"] == "kernelcare":  # Imunify does not tell when a server was registered
        figures.append(Metric("superseded", judged.superseded))
    return CheckResult(
        text="; ".join([*phrases, *notes]),
        lines=[
            *origin_of(view, options, wanted),
            *odd.lines,
            *lines_of(judged.servers, options),
            *judged.lines,
            *(f"key {use}" for use in uses),
        ],
        figures=[] if problems else figures,  # totals of what is not all there would be a lie
        states=[problem.state for problem in (*found, *problems)],
    )


def is_off(key: Mapping[str, Any], options: argparse.Namespace) -> bool:
    """Tell whether a key is disabled, so that nothing about it is a problem, and was not asked for by ``--key``."""
    return key.get("enabled") is False and not options.key


def _used(key: dict[str, Any]) -> int:
    # The list of Imunify keys tells the number in use itself; the larger one is what the next server runs into.
    return max(len(key["servers"]), key.get("servers_reported") or 0)
