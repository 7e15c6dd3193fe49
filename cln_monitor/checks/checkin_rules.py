"""The evaluation of servers that check in: by the age of their last check-in, and by the usage of their keys."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from cln_monitor import facts
from cln_monitor.masking import masked, same_key

from .data.reader import read_report
from .data.request import DataRequest, Report
from .key_usage import LIMIT_OPTIONS, counted, disabled_notes, fullest_first, limit_metrics, limit_problems, name_of
from .options import COMMON, Option, ip_address, state
from .plugin_exit import PluginExit
from .problems import CheckProblem, oddities_of, origin_of, phrases_of, problems_of, values_of
from .result import CheckResult, Metric
from .server_age import lines_of, longest_silent, unknown_problems
from .staleness import ServerRow, judge_servers, superseded_rows
from .states import State
from .thresholds import age_range, pair

NO_MATCH_STATE = Option(
    ("--no-match-state",),
    "Return this state if nothing matches",
    "STATE",
    default=State.UNKNOWN,
    read=state,
    shown_default="unknown",
)
AGE_OPTIONS = (
    Option(
        ("-w", "--warning"),
        "Return WARNING if the age of a last check-in is outside this range, such as 1d or 12h",
        "RANGE",
        read=age_range,
        shown_default="stale_after of the configuration or exporter, with the states of docs/severities.md",
    ),
    Option(
        ("-c", "--critical"),
        "Return CRITICAL if the age of a last check-in is outside this range",
        "RANGE",
        read=age_range,
        shown_default="none",
    ),
)
IP_OPTION = Option(("--ip",), "Check only this IP address; repeatable", "IP", read=ip_address, repeatable=True)
SERVER_OPTIONS = (
    *AGE_OPTIONS,
    *LIMIT_OPTIONS,
    Option(("--key",), "Check only this license key, in full or masked; repeatable", "KEY", repeatable=True),
    IP_OPTION,
    Option(("--server-id",), "Check only the server with this ID; repeatable", "ID", repeatable=True),
    NO_MATCH_STATE,
    *COMMON,
)


def normalized_ip(ip: str) -> str:
    """Return an IP address from CLN in the notation of the options; text that is not an address is unchanged."""
    try:
        return ip_address(ip)
    except ValueError:
        return ip


def is_wanted_ip(ip: str, options: argparse.Namespace) -> bool:
    """Return whether ``--ip`` selects an address; without the option all addresses are selected."""
    return not options.ip or normalized_ip(ip) in options.ip


def with_host_name(address: str, host_name: str | None) -> str:
    """Return the name of the server at ``address``: the host name, if known, and the address."""
    return f"{host_name} {address}" if host_name else address


def unmatched(option: str, values: Sequence[str], known: Collection[str]) -> list[str]:
    """Return the ``values`` of an ``option`` that are not ``known``, with the option before each: ``--key K``."""
    return [f"{option} {value}" for value in values if value not in known]


def no_match(noun: str, unmatched_options: list[str], otherwise: str, state_: State) -> CheckProblem:
    """Return the problem that no object matches some options; without such options ``otherwise`` ends the sentence.

    ``noun`` is the kind of object, such as "ELS key", and ``state_`` the state of the problem.
    """
    where = f"of this account matches {', '.join(unmatched_options)}" if unmatched_options else otherwise
    return CheckProblem(state_, f"no {noun} {where}")


def make_check(probe: str, product: str) -> Callable[[argparse.Namespace, PluginExit, float], CheckResult]:
    """Return the check of the servers of ``probe``; ``product`` is the name of the product for people."""

    def check(options: argparse.Namespace, exit_: PluginExit, now: float) -> CheckResult:
        for key in options.key:
            exit_.hide(key, masked(key))
        only_keys = tuple(options.key) or None
        return judge(read_report(DataRequest(probe, only_keys=only_keys), options, exit_), product, options, now)

    return check


def judge(report: Report, product: str, options: argparse.Namespace, now: float) -> CheckResult:
    """Return the result for the servers and keys in ``report``."""
    limits = pair(options.limit_warning, options.limit_critical, (None, None))

    def wanted(name: str) -> bool:
        return not options.key or any(same_key(key, name) for key in options.key)

    keys = list(values_of(report, wanted))
    host_names = report.get("host_names", {})
    rows = [
        ServerRow(
            key["key"],
            with_host_name(row["ip"] or row["server_id"], host_names.get(row["server_id"])),
            row,
            row.get("created"),
            is_off(key, options),
        )
        for key in keys
        for row in key["servers"]
        if is_wanted_ip(row["ip"], options) and (not options.server_id or row["server_id"] in options.server_id)
    ]
    of_servers = bool(options.ip or options.server_id)  # checks of single servers do not alert on their shared key
    total = f"{len(rows)} {product} servers"
    judged = judge_servers(
        rows,
        options,
        now,
        stale_after=report["stale_after"],
        total=total,
        superseded=superseded_rows(values_of(report, lambda _: True), host_names, now, report["stale_after"]),
        names=None if of_servers else {key["key"]: name_of(key) for key in keys},
        is_account=not options.key,
    )
    uses = [] if of_servers else fullest_first(keys, {key["key"]: _used(key) for key in keys})
    active = [use for use in uses if options.key or not use.is_disabled]
    problems = problems_of(report, wanted, options)
    # A check of one key does not alert on servers that the account has lost.
    odd = oddities_of(report, wanted, but=(facts.SERVERS_DROPPED, facts.SERVERS_GONE) if options.key else ())
    found = judged.problems + limit_problems(active, limits)
    found += unknown_problems(judged.servers, total) if of_servers and rows else odd.problems
    without_match = [
        *unmatched("--key", [masked(key) for key in options.key], {masked(key["key"]) for key in keys}),
        *unmatched("--ip", options.ip, {normalized_ip(server.row["ip"]) for server in rows} if options.ip else ()),
        *unmatched("--server-id", options.server_id, {server.row["server_id"] for server in rows}),
    ]
    if not problems and (without_match or not rows):
        found.append(no_match(f"{product} server", without_match, "is registered", options.no_match_state))
    phrases = phrases_of([*found, *problems])
    if not phrases:
        phrases = [f"{counted(len(rows), f'{product} server')}{longest_silent(judged.servers)}"]
        phrases += [f"fullest key: {active[0]}"] if active else []
    notes = [*judged.notes, *disabled_notes(uses, active), *([] if of_servers else odd.notes)]
    metrics = [Metric("servers", len(rows)), *judged.metrics, *limit_metrics(active, limits)]
    if report["probe"] == "kernelcare":  # CLN does not report the registration date of Imunify servers
        metrics.append(Metric("superseded", judged.superseded))
    return CheckResult(
        text="; ".join([*phrases, *notes]),
        lines=[
            *origin_of(report, options, wanted),
            *odd.lines,
            *lines_of(judged.servers, options),
            *judged.lines,
            *(f"key {use}" for use in uses),
        ],
        metrics=[] if problems else metrics,  # totals of incomplete data would be wrong
        states=[problem.state for problem in (*found, *problems)],
    )


def is_off(key: Mapping[str, Any], options: argparse.Namespace) -> bool:
    """Return whether a key is disabled and not named by ``--key``, so that nothing about it is a problem."""
    return key.get("enabled") is False and not options.key


def _used(key: dict[str, Any]) -> int:
    # The list of Imunify keys has a number of its own; the larger one decides whether the next server can register.
    return max(len(key["servers"]), key.get("servers_reported") or 0)
