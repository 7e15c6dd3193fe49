"""``check_cln_patch_status``: are the kernels patched? It takes what the vendor's old plugin took."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from cln_monitor import policy
from cln_monitor.checks.checkin_rules import NO_MATCH_STATE
from cln_monitor.checks.data.reader import read_view
from cln_monitor.checks.data.request import DataRequest, View
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
_ARGV_SHOWS = (
    "--api-token shows the token to all users of this machine; "
    "better set registration_token_file in a configuration, and give --config"
)


def letters(text: str) -> tuple[str, ...]:
    """Read ``o,u,i``: the states that letters stand for; the empty text is none of them."""
    found = [letter.strip() for letter in text.split(",") if letter.strip()]
    if unknown := [letter for letter in found if letter not in _STATES]:
        raise ValueError(f"{unknown[0]!r} is none of o (out of date), u (unsupported) and i (inactive)")
    return tuple(_STATES[letter] for letter in dict.fromkeys(found))


def check(options: argparse.Namespace, leave: PluginExit, now: float) -> CheckResult:
    """Read the patch status of keys, or of the account, and judge it."""
    reseller = _wants_reseller(options)
    if options.register and options.exporter:
        raise CheckError("--register asks CLN itself, so it does not go with --exporter")
    if options.key and reseller:
        raise CheckError("give either -k KEY or --reseller: the servers of a key are counted in both")
    for key in options.key:
        if masked(key) == key and not options.exporter:
            raise CheckError(f"CLN knows {key} by its full key alone; give that, or --exporter, which knows its mask")
        leave.hide(key, masked(key))
    if options.api_token is not None:
        leave.hide(options.api_token)
    if options.register and not options.key:
        raise CheckError("--register is for a key: give it with -k KEY, or leave it out")
    need = DataRequest(
        "patch_status",
        account=not options.key,
        only_keys=tuple(options.key) or None,
        settings={"scopes": ["key" if options.key else "reseller"]},
    )
    view = read_view(need, options, leave)
    if not (options.key or reseller or options.exporter) and not _has_reseller(view):
        view = read_view(need._replace(settings={"scopes": ["key"]}), options, leave)
    failed: list[str] = []
    if options.register and (unknown := _unknown_to_cln(view, lambda _: True)):
        keys = [key for key in options.key if any(same_key(key, name) for name in unknown)]
        failed = _register(keys, options, leave)
        view = read_view(need, options, leave)
    verdict = judge(view, options, now)
    lines = [*verdict.lines, _ARGV_SHOWS] if options.api_token is not None else verdict.lines
    # That a key could not be registered is told whatever --no-match-state makes of a key that CLN does not know.
    states = [*verdict.states, *([State.UNKNOWN] if failed else [])]
    return verdict._replace(text="; ".join([verdict.text, *failed]), lines=lines, states=states)


class _Selection(NamedTuple):
    """The states of a ``view`` to judge, the keys without servers, what could not be read, hosts and notes."""

    view: View
    wanted: Callable[[str], bool]
    found: list[Mapping[str, Any]]
    unknown: list[str]
    problems: list[CheckProblem]
    hosts: list[Mapping[str, Any]]
    notes: list[str]


def _select(view: View, options: argparse.Namespace) -> _Selection:
    """Return what ``options`` ask for: keys by name, or the account, by whichever way works unless one is given."""
    by_reseller = not options.key and (_wants_reseller(options) or _has_reseller(view))
    if by_reseller and _has_reseller(view):  # which needs no list of keys
        view = {**view, "missing": [gap for gap in view["missing"] if gap["name"]]}

    def wanted(name: str) -> bool:
        if options.key:
            return any(same_key(key, name) for key in options.key)
        return (name == _RESELLER) is by_reseller

    found = list(values_of(view, wanted))
    off = [] if options.key else [each for each in values_of(view, lambda _: True) if each.get("is_disabled")]
    if not (options.key or by_reseller):
        found = [each for each in found if each not in off]
        found = list(policy.patch_states_of_account(found, lambda each: each.get("is_listed", True), _servers))
    unknown = _unknown_to_cln(view, wanted) if options.key else []
    requested = [_RESELLER] if _wants_reseller(options) else ()
    problems = problems_of(view, lambda name: wanted(name) and name not in unknown, options, requested=requested)
    # Reseller access tells counts alone; the answers about keys name hosts of the same account.
    named = [each for each in values_of(view, lambda _: True) if each not in off] if by_reseller else found
    hosts = {(host["host"], host["ip"]): host for each in named for host in each["hosts"]}
    unpatched = sum(_servers(each) - (each["counts"] or {}).get("uptodate", 0) for each in off)
    notes = [f"{unpatched} servers of disabled keys are not patched"] if unpatched else []
    return _Selection(view, wanted, found, unknown, problems, list(hosts.values()), notes)


def judge(view: View, options: argparse.Namespace, _: float) -> CheckResult:
    """Return the verdict on the states in ``view``, by the letters of ``-c`` and ``-w``."""
    view, wanted, found, unknown, problems, hosts, notes = _select(view, options)
    counts = {state: sum((each["counts"] or {}).get(state, 0) for each in found) for state in _WORDS}
    counted = [each for each in found if each["counts"] is not None]
    total = sum(counts.values())
    judged = [_judge_counts(counts, total, hosts, State.CRITICAL, options.critical)]
    warning = tuple(state for state in options.warning if state not in options.critical)
    judged.append(_judge_counts(counts, total, hosts, State.WARNING, warning))
    shown = [problem for problem in judged if problem is not None]
    if any(not each["ok"] and not _is_explained(each) for each in found):
        state = State.CRITICAL if options.critical else State.WARNING if options.warning else State.OK
        shown.append(CheckProblem(state, "CLN says that not all servers are up to date, without telling how many"))
    seen = unknown + [each["key"] for each in found]
    strangers = [key for key in options.key if not any(same_key(key, name) for name in seen)]
    if options.key and (empty := unknown + [each["key"] for each in counted if not _servers(each)]):
        shown.append(CheckProblem(options.no_match_state, f"CLN knows no server of {_what(empty)}"))
    elif (
        not (options.key or problems or total)
        and len(counted) == len(found)
        and (found or not _wants_reseller(options))
    ):
        shown.append(CheckProblem(options.no_match_state, "CLN knows no server of this account"))
    if not problems and (strangers or (not seen and _wants_reseller(options))):
        shown.append(CheckProblem(State.UNKNOWN, f"the exporter knows nothing of {_what(strangers)}"))
    is_whole = bool(seen) and len(counted) == len(found) and not strangers and not problems
    phrases = phrases_of([*shown, *problems])
    if not phrases:
        rest = [f"{counts[state]} {_WORDS[state]}" for state in _STATES.values() if counts[state]]
        good = f"{counts['uptodate']} of {total} servers up to date" if counted else "all servers up to date"
        phrases = [", ".join([good, *rest])]
    return CheckResult(
        text="; ".join([*phrases, *notes]),
        lines=[
            *origin_of(view, options, lambda name: wanted(name) and name not in unknown),
            *(f"{host['host']} ({host['ip']}) is {_worded(host['state'])}" for host in hosts),
        ],
        figures=[Metric(state, count) for state, count in counts.items()] if is_whole else [],
        states=[problem.state for problem in (*shown, *problems)],
    )


def _judge_counts(
    counts: dict[str, int], total: int, hosts: list[Mapping[str, Any]], state: State, bad: tuple[str, ...]
) -> CheckProblem | None:
    """Return a phrase for the servers whose state is one of ``bad``, the hosts that CLN names among it."""
    counted = [each for each in bad if counts[each]]
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


def _has_reseller(view: View) -> bool:
    return any(True for _ in values_of(view, _RESELLER.__eq__))


def _servers(each: Mapping[str, Any]) -> int:
    return sum((each["counts"] or {}).values())


def _is_explained(each: Mapping[str, Any]) -> bool:
    return each["counts"] is not None and any(each["counts"][state] for state in _STATES.values())


def _worded(state: str) -> str:
    return _WORDS.get(state, state)


def _what(keys: Sequence[str]) -> str:
    return "key " + name_worst([masked(key) for key in keys]) if keys else "this account"


def _unknown_to_cln(view: View, wanted: Callable[[str], bool]) -> list[str]:
    """Return the names of the keys of which CLN says that it finds no servers: unknown ones, and empty ones."""
    return [each["name"] for each in missing_of(view, wanted) if _NOT_FOUND in each["text"].lower()]


def _register(keys: list[str], options: argparse.Namespace, leave: PluginExit) -> list[str]:
    """Register ``keys``; return why that failed, which leaves them as unknown as they were and the others known."""
    from .monitoring_key import register  # noqa: PLC0415 # it calls CLN, for which most checks have no use

    failed = []
    for key in keys:
        try:
            verdict = register(key, options, leave)
        except (CheckError, NoResponseError) as error:
            failed.append(str(error))
        else:
            failed += [verdict.text] if verdict.states else []
    return failed


_COMMON = tuple(
    Option(("-l", "--login"), option.help, option.metavar) if option.name == "login" else option for option in COMMON
)

PROGRAM = Plugin(
    name="check_cln_patch_status",
    purpose="Checks whether the kernels of servers are patched: those of a KernelCare key or monitoring key, or all.",
    options=(
        Option(
            ("-k", "--key"), "a KernelCare key or registered monitoring key; can be given again", "KEY", repeatable=True
        ),
        Option(
            ("--reseller",),
            "check all servers of the account by its reseller access; without it and -k they are checked by whichever "
            "way works",
        ),
        Option(
            ("--api-token",),
            "the static registration token of the account; argv shows it to all users of this machine, so better set "
            "registration_token_file in a configuration",
            "TOKEN",
            default=None,
        ),
        Option(
            ("-c", "--critical"),
            "what is CRITICAL: o out of date, u unsupported, i inactive, with commas; empty for none",
            "LETTERS",
            default=(),
            read=letters,
            shown_default="none",
        ),
        Option(
            ("-w", "--warning"),
            "what is WARNING, in the same letters",
            "LETTERS",
            default=tuple(policy.KERNELS),
            read=letters,
            shown_default="o,u,i",
        ),
        Option(("--register",), "register the key first when CLN does not know it as a monitoring key"),
        NO_MATCH_STATE,
        *_COMMON,
    ),
    check=check,
)
