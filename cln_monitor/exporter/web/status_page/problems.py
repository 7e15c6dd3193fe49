"""What is wrong now, in words, the worst first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import chain, groupby

from cln_monitor import policy
from cln_monitor.durations import format_age
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
    "licences": "the IP licences",
}


class ProblemLevel(IntEnum):
    """How bad it is: what is wrong comes before what only needs a look, and that before what is but worth a word."""

    WRONG = 0
    LOOK = 1
    NOTE = 2


_OF_POLICY = {
    policy.Severity.CRITICAL: ProblemLevel.WRONG,
    policy.Severity.WARNING: ProblemLevel.LOOK,
    policy.Severity.INFO: ProblemLevel.NOTE,
}
_SECTION_OF_FACT = {
    policy.FLAG_MISSING: "cln",
    policy.LIMIT_NOT_TOLD: "keys",
    policy.LIMIT_UNREADABLE: "keys",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something an operator would do something about. ``kind`` is the section of the page that shows more of it."""

    severity: ProblemLevel
    kind: str
    text: str


def problems(seen: Iterable[ProbeStatus], now: float) -> list[Problem]:
    """Return what is wrong at ``now`` with all that was ``seen``, the worst first."""
    found = list(chain.from_iterable(chain(_of_probe(each, now), _of_data(each, now)) for each in seen))
    order = list(_KINDS)
    return sorted(found, key=lambda problem: (problem.severity, order.index(problem.kind)))


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
    view, ages = seen.view, seen.ages
    never = "it was never read whole" if seen.has_data else "it was never read"
    last = never
    if view.last_success is not None and ages.last_success is not None:
        last = f"last read {format_age(ages.last_success)} ago, at {formatting.moment(view.last_success, now)}"
    if view.failure is not None:
        text = view.failure.text
        text = text if len(text) <= _LONGEST_ERROR else text[:_LONGEST_ERROR] + "…"
        kept = "what is known is shown" if seen.has_data else "there are no data to show"
        severity = ProblemLevel.LOOK if seen.has_data else ProblemLevel.WRONG
        yield Problem(severity, "probes", f"{seen.name} fails ({view.failure.reason}): {text}; {last}, {kept}")
        for gap in view.missing if len(view.missing) > 1 else ():
            yield Problem(severity, "probes", f"{seen.name} misses {formatting.short(str(gap), _LONGEST_ERROR)}")
    elif view.observation is not None and view.observation.lost:
        yield Problem(ProblemLevel.WRONG, "probes", f"{seen.name}: data grew too old and are no longer shown; {last}")
    elif ages.last_run is not None and ages.last_run > 2 * view.interval + formatting.MINUTE:
        late = format_age(ages.last_run - view.interval)
        yield Problem(ProblemLevel.LOOK, "probes", f"{seen.name} should have run {late} ago; {last}")


def _of_data(seen: ProbeStatus, now: float) -> Iterator[Problem]:
    observation = seen.view.observation
    if observation is None:
        return
    of_whom = (
        f" ({PRODUCT_NAMES.get(seen.view.probe, seen.view.probe)} of {seen.view.account})" if seen.view.account else ""
    )
    for severity, fact, text in phrases_of(observation.all_cautions):
        yield Problem(_OF_POLICY[severity], _SECTION_OF_FACT.get(fact, "check-ins"), f"{text}{of_whom}")
    if observation.probe == "status":
        for flag in (flag for part in observation.parts for flag in part.value if not flag.good):
            told = f"{flag.name} is {str(flag.value).lower()}"
            yield Problem(ProblemLevel.WRONG, "cln", f"CLN at {observation.api} says of itself: {told}")
    if observation.probe == "patch_status":
        yield from _of_patches(seen)
    for key in seen.digest.keys:
        yield from _of_key(key, observation.account)
    yield from _of_check_ins(seen, now)
    unused = sum(license_.unused for license_ in seen.digest.licenses)
    if unused:
        licences = f"{formatting.count(unused, 'IP licence')} of {observation.account}"
        text = f"{licences} {_is(unused)} paid for and used by nobody"
        yield Problem(ProblemLevel.LOOK, "licences", text)
    unknown = sum(license_.unknown for license_ in seen.digest.licenses)
    if unknown:
        licences = f"{formatting.count(unknown, 'IP licence')} of {observation.account}"
        yield Problem(ProblemLevel.NOTE, "licences", f"CLN does not tell whether {licences} {_is(unknown)} used")


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _has(count: int) -> str:
    return "has" if count == 1 else "have"


def _of_key(key: KeyUse, account: str) -> Iterator[Problem]:
    if key.is_nearly_full:
        name = f"{key.product} key {key.key}" + (f" (“{formatting.short(key.note)}”)" if key.note else "")
        text = f"{name} of {account} is {'full' if key.is_full else 'nearly full'}"
        severity = ProblemLevel.WRONG if key.is_full else ProblemLevel.LOOK
        yield Problem(
            severity, "keys", f"{text}: {formatting.number(key.used)} of {formatting.count(key.most, 'server')}"
        )


def _of_check_ins(seen: ProbeStatus, now: float) -> Iterator[Problem]:
    servers, account = f"{PRODUCTS.get(seen.view.probe)} server", seen.view.account
    stale, never = seen.stale(now), seen.never(now)
    if stale:
        oldest = min(check_ins.times[0] for check_ins in seen.digest.check_ins if check_ins.times)
        text = f"{formatting.count(stale, servers)} of {account} {_has(stale)} not checked in for over "
        text += f"{format_age(seen.stale_after)}, the longest for {format_age(now - oldest)}"
        text += f"; {formatting.number(never)} more never did" if never else ""
        yield Problem(ProblemLevel.LOOK, "check-ins", text)
    elif never:
        text = f"{formatting.count(never, servers)} of {account} {_has(never)} never checked in"
        yield Problem(ProblemLevel.LOOK, "check-ins", text)
    if undated := seen.undated:  # whether they are late nobody can tell
        text = f"{formatting.count(undated, servers)} of {account} {_has(undated)} not checked in yet"
        yield Problem(ProblemLevel.NOTE, "check-ins", text)


def _of_patches(seen: ProbeStatus) -> Iterator[Problem]:
    observation = seen.view.observation
    counts = patch_counts(observation) if observation is not None else {}
    bad = {state: count for state, count in counts.items() if count and state != UP_TO_DATE}
    if bad:
        told = formatting.listed(
            [f"{formatting.number(count)} {PATCH_WORDS.get(state, state)}" for state, count in bad.items()]
        )
        text = f"Kernels of {seen.view.account}: {told}, of {formatting.count(sum(counts.values()), 'server')}"
        yield Problem(ProblemLevel.WRONG if bad.get("outofdate") else ProblemLevel.LOOK, "kernels", text)
    elif observation is not None and not all(part.value.ok for part in observation.parts):
        names = [part.value.key or "the account" for part in observation.parts if not part.value.ok]
        text = f"CLN says that not all kernels of {formatting.listed(names[:3])} of {seen.view.account} are up to date"
        yield Problem(ProblemLevel.WRONG, "kernels", text)
