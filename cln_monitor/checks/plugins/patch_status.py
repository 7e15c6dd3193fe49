"""``check_cln_patch_status``: the patch status of kernels, with the options of the vendor's old plugin."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from cln_monitor import policy
from cln_monitor.checks.checkin_rules import NO_MATCH_STATE
from cln_monitor.checks.data.reader import read_report
from cln_monitor.checks.data.request import DataRequest, Report, with_fields
from cln_monitor.checks.options import COMMON, Option
from cln_monitor.checks.output import name_worst
from cln_monitor.checks.plugin_exit import CheckError, NoResponseError, PluginExit
from cln_monitor.checks.problems import CheckProblem, missing_of, origin_of, phrases_of, problems_of, values_of
from cln_monitor.checks.registry import Plugin
from cln_monitor.checks.result import CheckResult, Metric
from cln_monitor.checks.states import State
from cln_monitor.masking import masked, same_key

_STATES = {"o": "outofdate", "u": "unsupported", "i": "inactive"}
_WORDS = {"uptodate": "up to date", "outofdate": "out of date", "unsupported": "unsupported", "inactive": "inactive"}
_RESELLER = "(reseller)"
_NOT_FOUND = "servers not found"
_ARGV_WARNING = (
    "--api-token shows the token to all users in the process list: "
    "set registration_token_file in a configuration and use --config instead"
)


def letters(text: str) -> tuple[str, ...]:
    """Parse the letters of states, such as ``o,u,i``; an empty text selects no state."""
    found = [letter.strip() for letter in text.split(",") if letter.strip()]
    if unknown := [letter for letter in found if letter not in _STATES]:
        raise ValueError(f"invalid letter {unknown[0]!r}: use o (out of date), u (unsupported), or i (inactive)")
    return tuple(_STATES[letter] for letter in dict.fromkeys(found))


def check(options: argparse.Namespace, exit_: PluginExit, now: float) -> CheckResult:
    """Read the patch status of keys or of the account and evaluate it."""
    reseller = _wants_reseller(options)
    if options.register and options.exporter:
        raise CheckError("--register cannot be combined with --exporter: it sends a request to CLN")
    if options.key and reseller:
        raise CheckError("-k cannot be combined with --reseller, which includes the servers of all keys")
    for key in options.key:
        if masked(key) == key and not options.exporter:
            raise CheckError(f"{key} is a masked key, which only --exporter accepts: use the full key, or --exporter")
        exit_.hide(key, masked(key))
    if options.api_token is not None:
        exit_.hide(options.api_token)
    if options.register and not options.key:
        raise CheckError("--register requires a key: use it with -k KEY")
    request = DataRequest(
        "patch_status",
        account=not options.key,
        only_keys=tuple(options.key) or None,
        settings={"scopes": ["key" if options.key else "reseller"]},
        form=[("key", masked(key)) for key in options.key],
    )
    report = read_report(request, options, exit_)
    if not (options.key or reseller or options.exporter) and not _has_reseller(report):
        report = read_report(request._replace(settings={"scopes": ["key"]}), options, exit_)
    failed: list[str] = []
    if options.register and (unknown := _unknown_to_cln(report, lambda _: True)):
        keys = [key for key in options.key if any(same_key(key, name) for name in unknown)]
        failed = _register(keys, options, exit_)
        report = read_report(request, options, exit_)
    result = judge(report, options, now)
    lines = [*result.lines, _ARGV_WARNING] if options.api_token is not None else result.lines
    # A failed registration is UNKNOWN regardless of --no-match-state, which only applies to keys unknown to CLN.
    states = [*result.states, *([State.UNKNOWN] if failed else [])]
    return result._replace(text="; ".join([result.text, *failed]), lines=lines, states=states)


class _Selection(NamedTuple):
    """The selected patch states of a ``report``, with keys without servers, missing parts, hosts, and notes."""

    report: Report
    wanted: Callable[[str], bool]
    found: list[Mapping[str, Any]]
    unknown: list[str]
    problems: list[CheckProblem]
    hosts: list[Mapping[str, Any]]
    notes: list[str]


def _select(report: Report, options: argparse.Namespace) -> _Selection:
    """Return the patch states that ``options`` select: those of keys, or the account's by reseller access or keys."""
    by_reseller = not options.key and (_wants_reseller(options) or _has_reseller(report))
    if by_reseller and _has_reseller(report):  # the list of keys is not needed
        report = with_fields(report, missing=[gap for gap in report["missing"] if gap["name"]])

    def wanted(name: str) -> bool:
        if options.key:
            return any(same_key(key, name) for key in options.key)
        return (name == _RESELLER) is by_reseller

    found = list(values_of(report, wanted))
    off = [] if options.key else [patch for patch in values_of(report, lambda _: True) if patch.get("is_disabled")]
    if not (options.key or by_reseller):
        found = [patch for patch in found if patch not in off]
        found = list(policy.patch_states_of_account(found, lambda patch: patch.get("is_listed", True), _servers))
    unknown = _unknown_to_cln(report, wanted) if options.key else []
    requested = [_RESELLER] if _wants_reseller(options) else ()
    problems = problems_of(report, lambda name: wanted(name) and name not in unknown, options, requested=requested)
    # The response to reseller access has only counts; the responses for keys name hosts of the same account.
    named = [patch for patch in values_of(report, lambda _: True) if patch not in off] if by_reseller else found
    hosts = {(host["host"], host["ip"]): host for patch in named for host in patch["hosts"]}
    unpatched = sum(_servers(patch) - (patch["counts"] or {}).get("uptodate", 0) for patch in off)
    notes = [f"{unpatched} servers of disabled keys are not patched"] if unpatched else []
    return _Selection(report, wanted, found, unknown, problems, list(hosts.values()), notes)


def judge(report: Report, options: argparse.Namespace, _: float) -> CheckResult:
    """Return the result for the patch states in ``report``, by the letters of ``-c`` and ``-w``."""
    report, wanted, found, unknown, problems, hosts, notes = _select(report, options)
    counts = {state: sum((patch["counts"] or {}).get(state, 0) for patch in found) for state in _WORDS}
    counted = [patch for patch in found if patch["counts"] is not None]
    total = sum(counts.values())
    judged = [_judge_counts(counts, total, hosts, State.CRITICAL, options.critical)]
    warning = tuple(state for state in options.warning if state not in options.critical)
    judged.append(_judge_counts(counts, total, hosts, State.WARNING, warning))
    shown = [problem for problem in judged if problem is not None]
    if any(not patch["ok"] and not _is_explained(patch) for patch in found):
        state = State.CRITICAL if options.critical else State.WARNING if options.warning else State.OK
        shown.append(CheckProblem(state, "CLN reports that not all servers are up to date, without counts"))
    answered = unknown + [patch["key"] for patch in found]
    strangers = [key for key in options.key if not any(same_key(key, name) for name in answered)]
    if options.key and (empty := unknown + [patch["key"] for patch in counted if not _servers(patch)]):
        shown.append(CheckProblem(options.no_match_state, f"no server found for {_name_keys(empty)}"))
    elif (
        not (options.key or problems or total)
        and len(counted) == len(found)
        and (found or not _wants_reseller(options))
    ):
        shown.append(CheckProblem(options.no_match_state, "no server found for this account"))
    if not problems and (strangers or (not answered and _wants_reseller(options))):
        shown.append(CheckProblem(State.UNKNOWN, f"the exporter has no data for {_name_keys(strangers)}"))
    is_whole = bool(answered) and len(counted) == len(found) and not strangers and not problems
    phrases = phrases_of([*shown, *problems])
    if not phrases:
        rest = [f"{counts[state]} {_WORDS[state]}" for state in _STATES.values() if counts[state]]
        good = f"{counts['uptodate']} of {total} servers up to date" if counted else "all servers up to date"
        phrases = [", ".join([good, *rest])]
    return CheckResult(
        text="; ".join([*phrases, *notes]),
        lines=[
            *origin_of(report, options, lambda name: wanted(name) and name not in unknown),
            *(f"{host['host']} ({host['ip']}) is {_worded(host['state'])}" for host in hosts),
        ],
        metrics=[Metric(state, count) for state, count in counts.items()] if is_whole else [],
        states=[problem.state for problem in (*shown, *problems)],
    )


def _judge_counts(
    counts: dict[str, int], total: int, hosts: list[Mapping[str, Any]], state: State, bad: tuple[str, ...]
) -> CheckProblem | None:
    """Return a problem for the servers in one of the states ``bad``, with the host names that CLN returned."""
    counted = [name for name in bad if counts[name]]
    if not counted:
        return None
    first, *others = counted
    text = f"{counts[first]} of {total} servers {_WORDS[first]}"
    text += "".join(f", {counts[other]} {_WORDS[other]}" for other in others)
    names = [
        f"{host['host']} ({_worded(host['state'])})" if others else host["host"]
        for host in hosts
        if host["state"] in bad
    ]
    return CheckProblem(state, f"{text}: {name_worst(names)}" if names else text)


def _wants_reseller(options: argparse.Namespace) -> bool:
    return options.reseller or options.api_token is not None


def _has_reseller(report: Report) -> bool:
    return any(True for _ in values_of(report, _RESELLER.__eq__))


def _servers(patch: Mapping[str, Any]) -> int:
    return sum((patch["counts"] or {}).values())


def _is_explained(patch: Mapping[str, Any]) -> bool:
    return patch["counts"] is not None and any(patch["counts"][state] for state in _STATES.values())


def _worded(state: str) -> str:
    return _WORDS.get(state, state)


def _name_keys(keys: Sequence[str]) -> str:
    return "key " + name_worst([masked(key) for key in keys]) if keys else "this account"


def _unknown_to_cln(report: Report, wanted: Callable[[str], bool]) -> list[str]:
    """Return the names of the keys for which CLN finds no servers: unknown keys, and keys without servers."""
    return [gap["name"] for gap in missing_of(report, wanted) if _NOT_FOUND in gap["text"].lower()]


def _register(keys: list[str], options: argparse.Namespace, exit_: PluginExit) -> list[str]:
    """Register ``keys`` and return the errors of those that could not be registered."""
    from .monitoring_key import register  # noqa: PLC0415 # imports the client, which most checks do not need

    failed = []
    for key in keys:
        try:
            result = register(key, options, exit_)
        except (CheckError, NoResponseError) as error:
            failed.append(str(error))
        else:
            failed += [result.text] if result.states else []
    return failed


_COMMON = tuple(
    Option(("-l", "--login"), option.help, option.metavar) if option.name == "login" else option for option in COMMON
)

PLUGIN = Plugin(
    name="check_cln_patch_status",
    purpose="Check the patch status of the servers of a KernelCare key, a monitoring key, or the whole account.",
    options=(
        Option(
            ("-k", "--key"),
            "Check this KernelCare key or registered monitoring key; repeatable",
            "KEY",
            repeatable=True,
        ),
        Option(
            ("--reseller",),
            "Check all servers of the account through its reseller access (default without -k: all servers, with "
            "reseller access or key by key)",
        ),
        Option(
            ("--api-token",),
            "Use this registration token of the account; all users can see it in the process list, so prefer "
            "registration_token_file in a configuration",
            "TOKEN",
            default=None,
        ),
        Option(
            ("-c", "--critical"),
            "Return CRITICAL for these states, separated by commas: o (out of date), u (unsupported), i (inactive)",
            "LETTERS",
            default=(),
            read=letters,
            shown_default="none",
        ),
        Option(
            ("-w", "--warning"),
            "Return WARNING for these states, in the same letters; an empty text selects none",
            "LETTERS",
            default=tuple(policy.KERNELS),
            read=letters,
            shown_default="o,u,i",
        ),
        Option(("--register",), "Register the key first if CLN does not know it as a monitoring key"),
        NO_MATCH_STATE,
        *_COMMON,
    ),
    check=check,
)
