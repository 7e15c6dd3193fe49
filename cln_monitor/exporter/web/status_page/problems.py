"""What is wrong now, in words, the worst first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, groupby

from cln_monitor import policy
from cln_monitor.durations import format_age
from cln_monitor.policy import Severity, severity_of_failure
from cln_monitor.probes import phrases_of

from . import formatting
from .probe_status import PRODUCT_NAMES, PRODUCTS, ProbeStatus, patch_counts
from .summary import KeyUse

_MOST_OF_A_KIND = 8
_LONGEST_ERROR = 300
UP_TO_DATE = "uptodate"
"""The good patch state."""
PATCH_WORDS = {
    UP_TO_DATE: "up to date",
    "outofdate": "out of date",
    "unsupported": "unsupported",
    "inactive": "inactive",
}
"""The patch states of CLN, in words."""

_KINDS = {
    "cln": "CLN’s own flags",
    "probes": "the probes",
    "keys": "the keys",
    "check-ins": "the check-ins",
    "kernels": "the kernels",
    "licenses": "the IP licenses",
}


_SECTION_OF_FACT = {
    policy.FLAG_MISSING: "cln",
    policy.LIMIT_NOT_TOLD: "keys",
    policy.LIMIT_UNREADABLE: "keys",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something an operator would do something about. ``kind`` is the section of the page that shows more of it."""

    severity: Severity
    kind: str
    text: str


def problems(seen: Iterable[ProbeStatus], now: float) -> list[Problem]:
    """Return what is wrong at ``now`` with all that was ``seen``, the worst first."""
    found = list(chain.from_iterable(chain(_of_probe(each, now), _of_data(each, now)) for each in seen))
    order = list(_KINDS)
    return sorted(found, key=lambda problem: (-problem.severity, order.index(problem.kind)))


def shortened(found: Iterable[Problem]) -> list[Problem]:
    """Return the first of each kind of what was ``found``, and how many more there are."""
    shown: list[Problem] = []
    for (severity, kind), of_kind in groupby(found, key=lambda problem: (problem.severity, problem.kind)):
        named = list(of_kind)
        shown += named[:_MOST_OF_A_KIND]
        left = len(named) - _MOST_OF_A_KIND
        if left > 0:
            shown.append(Problem(severity, kind, f"and {formatting.number(left)} more of {_KINDS[kind]}"))
    return shown


def _of_probe(seen: ProbeStatus, now: float) -> Iterator[Problem]:
    view, ages, late = seen.view, seen.ages, seen.late
    never = "it was never read whole" if seen.has_data else "it was never read"
    last = never
    if view.last_success is not None and ages.last_success is not None:
        last = f"last read {format_age(ages.last_success)} ago, at {formatting.moment(view.last_success, now)}"
    if view.failure is not None:
        text = view.failure.text
        text = text if len(text) <= _LONGEST_ERROR else text[:_LONGEST_ERROR] + "…"
        kept = "what is known is shown" if seen.has_data else "there are no data to show"
        severity = severity_of_failure(view.failure.reason)
        yield Problem(severity, "probes", f"{seen.name} fails ({view.failure.reason}): {text}; {last}, {kept}")
        for gap in view.missing if len(view.missing) > 1 else ():
            yield Problem(severity, "probes", f"{seen.name} misses {formatting.short(str(gap), _LONGEST_ERROR)}")
    elif view.observation is not None and view.observation.lost:
        yield Problem(Severity.WARNING, "probes", f"{seen.name}: data grew too old and are no longer shown; {last}")
    elif late is not None:
        yield Problem(Severity.WARNING, "probes", f"{seen.name} should have run {format_age(late)} ago; {last}")


def _of_data(seen: ProbeStatus, now: float) -> Iterator[Problem]:
    observation = seen.view.observation
    if observation is None:
        return
    of_whom = (
        f" ({PRODUCT_NAMES.get(seen.view.probe, seen.view.probe)} of {seen.view.account})" if seen.view.account else ""
    )
    for severity, fact, text in phrases_of(observation.all_cautions):
        yield Problem(severity, _SECTION_OF_FACT.get(fact, "check-ins"), f"{text}{of_whom}")
    if observation.probe == "status":
        for flag in (flag for part in observation.parts for flag in part.value if not flag.good):
            told = f"{flag.name} is {str(flag.value).lower()}"
            yield from problem_of(policy.FLAG_BAD, "cln", f"CLN at {observation.api} says of itself: {told}")
    if observation.probe == "patch_status":
        yield from _of_patches(seen)
    for key in seen.digest.keys:
        yield from _of_key(key, observation.account)
    yield from _of_check_ins(seen, now)
    if unused := sum(license_.unused_long(now) for license_ in seen.digest.licenses):
        licenses = f"{formatting.count(unused, 'IP license')} of {observation.account}"
        text = f"{licenses} unused for {format_age(policy.UNUSED_AFTER)} or longer"
        yield from problem_of(policy.LICENSE_UNUSED, "licenses", text)
    if unknown := sum(license_.unknown for license_ in seen.digest.licenses):
        licenses = f"{formatting.count(unknown, 'IP license')} of {observation.account}"
        text = f"CLN does not tell whether {licenses} {'is' if unknown == 1 else 'are'} used"
        yield from problem_of(policy.LICENSE_UNKNOWN, "licenses", text)


def problem_of(row: policy.Row, kind: str, text: str) -> Iterator[Problem]:
    """Yield the problem that a ``row`` of the policy is, if it is one."""
    if row.severity is not None:
        yield Problem(row.severity, kind, text)


def _has(count: int) -> str:
    return "has" if count == 1 else "have"


def _of_key(key: KeyUse, account: str) -> Iterator[Problem]:
    if key.severity is not None:
        name = f"{'Disabled ' if key.enabled is False else ''}{key.product} key {key.name} of {account}"
        fullness = "full" if key.is_full else "nearly full"
        use = f"{formatting.number(key.used)}/{formatting.number(key.most)}"
        yield Problem(key.severity, "keys", f"{name} is {fullness} ({use})")


def _of_check_ins(seen: ProbeStatus, now: float) -> Iterator[Problem]:
    product, account = f"{PRODUCTS.get(seen.view.probe)} server", seen.view.account
    found = seen.silence(now)
    total = formatting.count(found.number, product)
    for name, stands in found.whole_keys:
        text = f"No server of key {name} of {account} checks in any more: {formatting.number(stands.seen)} servers"
        yield from problem_of(policy.KEY_SILENT, "check-ins", text)
    if policy.are_many(found.newly, found.number):
        recent = format_age(seen.stale_after + policy.NEWLY_SILENT)
        text = f"{formatting.number(found.newly)} of {total} of {account} fell silent in the last {recent}"
        yield from problem_of(policy.MANY_SILENT, "check-ins", text)
    if found.silent:
        text = f"{formatting.count(found.silent, product)} of {account} {_has(found.silent)} not checked in for over "
        yield from problem_of(policy.SERVER_SILENT, "check-ins", f"{text}{format_age(seen.stale_after)}")
    if found.never:
        text = f"{formatting.count(found.never, product)} of {account} {_has(found.never)} never checked in"
        yield from problem_of(policy.NEVER_CHECKED_IN, "check-ins", text)
    if undated := found.undated:  # whether they are late nobody can tell
        text = f"{formatting.count(undated, product)} of {account} {_has(undated)} not checked in yet"
        yield from problem_of(policy.NEVER_CHECKED_IN_UNDATED, "check-ins", text)
    if found.gone:
        text = f"{formatting.count(found.gone, product)} of {account} silent for over "
        text += f"{format_age(policy.gone_after(seen.stale_after))} and still billed"
        yield from problem_of(policy.SERVER_GONE, "check-ins", text)
    if found.superseded:
        text = f"{formatting.count(found.superseded, product)} of {account} superseded by a newer registration"
        yield from problem_of(policy.SERVER_SUPERSEDED, "check-ins", text)
    if found.disabled:
        text = f"{formatting.count(found.disabled, product)} of {account} silent on disabled keys"
        yield from problem_of(policy.KEY_DISABLED, "check-ins", text)


def _of_patches(seen: ProbeStatus) -> Iterator[Problem]:
    observation = seen.view.observation
    counts = patch_counts(observation) if observation is not None else {}
    bad = {state: count for state, count in counts.items() if count and state != UP_TO_DATE}
    if bad:
        told = formatting.listed(
            [f"{formatting.number(count)} {PATCH_WORDS.get(state, state)}" for state, count in bad.items()]
        )
        text = f"Kernels of {seen.view.account}: {told}, of {formatting.count(sum(counts.values()), 'server')}"
        severities = [(policy.KERNELS.get(state) or policy.KERNEL_OUT_OF_DATE).severity for state in bad]
        yield Problem(max(filter(None, severities), default=Severity.INFO), "kernels", text)
    elif observation is not None and not all(part.value.ok for part in observation.parts):
        names = [part.value.key or "the account" for part in observation.parts if not part.value.ok]
        text = f"CLN says that not all kernels of {formatting.listed(names[:3])} of {seen.view.account} are up to date"
        yield from problem_of(policy.KERNEL_OUT_OF_DATE, "kernels", text)
