"""The evaluation of servers that check in: by the age of their last check-in, and by the usage of their keys."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from cln_monitor import facts
from cln_monitor.checkin_groups import UNKNOWN, Row, ServerGroups
from cln_monitor.masking import masked, same_key

from .data.reader import read_report
from .data.request import DataRequest, Report
from .key_usage import LIMIT_OPTIONS, counted, disabled_notes, fullest_first, limit_metrics, limit_problems
from .options import COMMON, Option, ip_address, state
from .plugin_exit import PluginExit
from .problems import CheckProblem, oddities_of, origin_of, phrases_of, problems_of, values_of
from .result import CheckResult, Metric
from .server_age import lines_of, longest_silent, unknown_notes, unknown_problems
from .staleness import group_rows, is_by_policy, judge_servers, superseded_rows, thresholds_of
from .states import State
from .thresholds import age_range, pair

SUMMARY = "summary"
"""The form of a report without single servers, and its field with the groups of servers."""

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
    return f"{host_name} {address}" if host_name and host_name != address else address


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
        request = DataRequest(probe, only_keys=tuple(options.key) or None, form=form_of(options, now))
        report = read_smallest(request, options, exit_)
        return judge_with_host_names(report, exit_, lambda report: judge(report, product, options, now))

    return check


def read_smallest(request: DataRequest, options: argparse.Namespace, exit_: PluginExit) -> Report:
    """Return the report in the form of ``request``, or whole if it has a summary by other thresholds."""
    report = read_report(request, options, exit_)
    return report if fits(report, options) else read_report(request._replace(form=()), options, exit_)


def judge_with_host_names(
    report: Report, exit_: PluginExit, judge_report: Callable[[Report], CheckResult]
) -> CheckResult:
    """Return the result of ``judge_report``. A report of CLN itself gets host names first, if it names servers."""
    result = judge_report(report)
    with_host_names = getattr(report, "with_host_names", None)
    if with_host_names is None or not result.names_servers:
        return result
    named = with_host_names()
    exit_.stage = "evaluating the result"
    return judge_report(named)


def filters_of(options: argparse.Namespace) -> Sequence[tuple[str, str]]:
    """Return the parameters that select servers of an exporter's report. Keys are masked, as URLs are logged."""
    return [
        *(("key", masked(key)) for key in options.key),
        *(("ip", ip) for ip in options.ip),
        *(("server_id", server_id) for server_id in options.server_id),
    ]


def form_of(options: argparse.Namespace, now: float) -> Sequence[tuple[str, str]]:
    """Return the parameters of the smallest form of the report from which an exporter's data can be judged.

    That is a summary, or with filters only the servers that they select.
    """
    filters = filters_of(options)
    limits = [("warning", options.warning), ("critical", options.critical)]
    if filters or not all(threshold is None or threshold.is_plain for _, threshold in limits):
        return filters
    ages = [(name, repr(threshold.range.end)) for name, threshold in limits if threshold is not None]
    return [("form", SUMMARY), ("at", repr(now)), *ages]


def fits(report: Report, options: argparse.Namespace) -> bool:
    """Return whether the servers in ``report`` are complete, or a summary by the thresholds of the options."""
    summary = report.get(SUMMARY)
    if summary is None:
        return True
    ends = [None if one is None else one.range.end for one in thresholds_of(options, report["stale_after"])]
    return [summary["warning"], summary["critical"]] == ends and summary["by_policy"] == is_by_policy(options)


class Selection(NamedTuple):
    """The keys to judge, with their servers, and the parts of the report that are ``wanted``.

    A key with ``is_untold`` is of a product whose check-ins CLN does not report. ``requested`` are the parts that
    options name. ``unmatched`` are the options without a match; ``noun`` and ``otherwise`` are for the sentence that
    nothing matches, as in :func:`no_match`. With ``needs_servers``, keys without a server are nothing. ``is_account``
    is whether the keys are all keys of the account.
    """

    keys: Sequence[Mapping[str, Any]]
    wanted: Callable[[str], bool]
    noun: str
    otherwise: str
    unmatched: Sequence[str] = ()
    requested: Collection[str] = ()
    needs_servers: bool = True
    is_account: bool = True


def judge(report: Report, product: str, options: argparse.Namespace, now: float) -> CheckResult:
    """Return the result for the servers and keys in ``report``, whose parts are keys, and which may be a summary."""

    def wanted(name: str) -> bool:
        return not options.key or any(same_key(key, name) for key in options.key)

    keys = list(values_of(report, wanted))
    selection = Selection(
        keys,
        wanted,
        f"{product} server",
        "is registered",
        unmatched("--key", [masked(key) for key in options.key], {masked(key["key"]) for key in keys}),
        is_account=not options.key,
    )
    return judge_keys(report, selection, product, options, now, stale_after=report["stale_after"])


def judge_keys(
    report: Report,
    selection: Selection,
    product: str,
    options: argparse.Namespace,
    now: float,
    *,
    stale_after: float,
) -> CheckResult:
    """Return the result for the servers and keys of ``selection``, which is of ``report``."""
    limits = pair(options.limit_warning, options.limit_critical, (None, None))
    keys, wanted = selection.keys, selection.wanted
    of_servers = bool(options.ip or options.server_id)  # checks of single servers do not alert on their shared key
    servers = _selected(keys, options)
    groups = _groups(report, servers, options, now, stale_after=stale_after)
    count = groups.total
    total = f"{count} {product} servers"
    judged = judge_servers(
        groups,
        options,
        now,
        stale_after=stale_after,
        total=total,
        keys=None if of_servers else {key["key"]: key for key in keys},
        is_account=selection.is_account,
    )
    uses = [] if of_servers else fullest_first((key, _used(key)) for key in keys)
    active = [use for use in uses if options.key or not use.is_disabled]
    disabled = [use for use in uses if use.is_disabled and not options.key]
    problems = problems_of(report, wanted, options, requested=selection.requested)
    # A check of one key does not alert on servers that the account has lost.
    is_of_some = not selection.is_account
    odd = oddities_of(report, wanted, but=(facts.SERVERS_DROPPED, facts.SERVERS_GONE) if is_of_some else ())
    found = judged.problems + limit_problems(active, limits)
    found += unknown_problems(groups, now, total) if of_servers and count else odd.problems
    without_match = [
        *selection.unmatched,
        *unmatched("--ip", options.ip, {normalized_ip(row["ip"]) for _, row in servers} if options.ip else ()),
        *unmatched("--server-id", options.server_id, {row["server_id"] for _, row in servers}),
    ]
    is_empty = not count if selection.needs_servers or of_servers else not keys
    if not problems and (without_match or is_empty):
        found.append(no_match(selection.noun, without_match, selection.otherwise, options.no_match_state))
    phrases = phrases_of([*found, *problems])
    if not phrases:
        phrases = [f"{counted(count, f'{product} server')}{longest_silent(groups, now)}"]
        phrases += [f"fullest key: {active[0]}"] if active else []
    odd_notes = unknown_notes(groups, now, total) if of_servers else odd.notes
    notes = [*judged.notes, *disabled_notes(disabled), *odd_notes]
    metrics = [Metric("servers", count), *judged.metrics, *limit_metrics(active, limits)]
    if report["probe"] == "kernelcare":  # CLN does not report the registration date of Imunify servers
        metrics.append(Metric("superseded", groups.superseded))
    lines = lines_of(groups, now, options)
    return CheckResult(
        text="; ".join([*phrases, *notes]),
        lines=[
            *origin_of(report, options, wanted, offered=wanted),
            *odd.lines,
            *lines,
            *judged.lines,
            *(f"key {use}" for use in uses),
        ],
        metrics=[] if problems else metrics,  # totals of incomplete data would be wrong
        states=[problem.state for problem in (*found, *problems)],
        names_servers=bool(lines or judged.lines or judged.notes or (of_servers and odd_notes)),
    )


_Servers = Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]


def _selected(keys: Sequence[Mapping[str, Any]], options: argparse.Namespace) -> _Servers:
    """Return the servers that the options select, each with its key; a summary has none."""
    return [
        (key, row)
        for key in keys
        for row in key.get("servers", ())
        if is_wanted_ip(row["ip"], options) and (not options.server_id or row["server_id"] in options.server_id)
    ]


def _groups(
    report: Report,
    servers: _Servers,
    options: argparse.Namespace,
    now: float,
    *,
    stale_after: float,
) -> ServerGroups:
    """Return the selected ``servers`` by group, or the groups of a summary."""
    if SUMMARY in report:
        return ServerGroups.from_json(report[SUMMARY])
    host_names = report.get("host_names", {})
    rows = (
        Row(
            key["key"],
            row["server_id"],
            with_host_name(row["ip"] or row["server_id"], host_names.get(row["server_id"]) or row.get("hostname")),
            row.get("last_checkin", UNKNOWN),
            row.get("created"),
            is_off(key, options),
            bool(key.get("is_untold")),
        )
        for key, row in servers
    )
    # No other product reports when servers were registered.
    is_kernelcare = report["probe"] == "kernelcare"
    keys = list(values_of(report, lambda _: True)) if is_kernelcare else []
    superseded = superseded_rows(keys, host_names, now, stale_after)
    return group_rows(rows, options, now, stale_after, superseded)


def is_off(key: Mapping[str, Any], options: argparse.Namespace) -> bool:
    """Return whether a key is disabled and not named by ``--key``, so that nothing about it is a problem."""
    return key.get("enabled") is False and not options.key


def _used(key: Mapping[str, Any]) -> int:
    # The list of Imunify keys has a number of its own; the larger one decides whether the next server can register.
    listed = sum(key["checkins"].values()) if "checkins" in key else len(key["servers"])
    return max(listed, key.get("servers_reported") or 0)
