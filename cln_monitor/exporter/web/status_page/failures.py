"""Probes that fail, are overdue or have lost their data: a row for each cause, not for each probe."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from cln_monitor.durations import format_age
from cln_monitor.policy import PROBE_FAILS, Severity, severity_of_failure
from cln_monitor.probes import Failure

from . import formatting
from .probe_status import ProbeStatus
from .problem import Details, Problem

_LONGEST_ERROR = 300
_MOST_LISTS = 3
_ALERTS = {"auth": "ClnAuthFailed", "rate_limited": "ClnRateLimited"}
_OF_AN_OUTAGE = frozenset({"unreachable", "timeout"})
"""Reasons of failures that are the same problem as that CLN's own status cannot be read."""


def failures(statuses: Sequence[ProbeStatus], now: float) -> Iterator[Problem]:
    """Yield what is wrong with the probes themselves: a row by account and reason."""
    outages = {each.view.api: [each] for each in statuses if each.view.failure is not None and not each.view.account}
    failing = [each for each in statuses if each.view.failure is not None and each.view.account]
    alone: list[ProbeStatus] = []
    for each in failing:
        is_of_outage = each.view.api in outages and _failure(each).reason in _OF_AN_OUTAGE
        (outages[each.view.api] if is_of_outage else alone).append(each)
    for api, group in outages.items():
        others = _by_account(group[1:])
        also = f"; also failing: {others}" if others else ""
        problem = _failing(group, now, f"CLN at {api} cannot be read", also, "ClnDown")
        yield replace(problem, since=_last_read(group[:1], now))
    for group in _grouped(alone, lambda each: _failure(each).reason):
        alert = _ALERTS.get(_failure(group[0]).reason, "ClnProbeFailing")
        yield _failing(group, now, f"{_by_account(group)} {_are(group)} failing", "", alert)
    yield from _old([each for each in statuses if each.view.failure is None], now)


def _old(statuses: Sequence[ProbeStatus], now: float) -> Iterator[Problem]:
    """Yield what is wrong with probes that did not fail: their data expired, or they do not run."""
    for group in _grouped(each for each in statuses if _has_expired(each)):
        text = f"The data of {_by_account(group)} expired and {_are(group)} no longer shown"
        yield Problem(_warning(), "probes", text, "ClnDataTooOld", _last_read(group, now))
    for group in _grouped(each for each in statuses if each.late is not None and not _has_expired(each)):
        due = format_age(max(each.late or 0.0 for each in group))
        text = f"{_by_account(group)} {_are(group)} overdue by {due}"
        yield Problem(_warning(), "probes", text, "ClnDataTooOld", _last_read(group, now))


def _has_expired(status: ProbeStatus) -> bool:
    return status.view.observation is not None and bool(status.view.observation.expired_parts)


def _grouped(
    statuses: Iterable[ProbeStatus], reason: Callable[[ProbeStatus], str] = lambda _: ""
) -> Iterable[list[ProbeStatus]]:
    """Return ``statuses`` by account and ``reason``."""
    groups: dict[tuple[str, str, str], list[ProbeStatus]] = {}
    for each in statuses:
        groups.setdefault((each.view.api, each.view.account, reason(each)), []).append(each)
    return groups.values()


def _warning() -> Severity:
    return PROBE_FAILS.severity or Severity.WARNING


def _are(group: Sequence[ProbeStatus]) -> str:
    return "is" if len(group) == 1 else "are"


def _by_account(group: Sequence[ProbeStatus]) -> str:
    """Return the probes of a ``group`` of one API with their accounts; accounts with the same probes are together."""
    probes: dict[str, list[str]] = {}
    for each in group:
        probes.setdefault(each.view.account, []).append(each.view.probe)
    accounts: dict[str, list[str]] = {}
    for account, of_account in probes.items():
        accounts.setdefault(", ".join(of_account), []).append(account)
    names = [
        f"{of_each} of {formatting.first(found)}" if found[0] else f"{of_each} at {group[0].view.api}"
        for of_each, found in accounts.items()
    ]
    others = sum(len(found) for found in list(accounts.values())[_MOST_LISTS:])
    more = f" and probes of {formatting.count(others, 'more account', 'more accounts')}" if others else ""
    return f"{'; '.join(names[:_MOST_LISTS])}{more}"


def _failing(group: Sequence[ProbeStatus], now: float, lead: str, also: str, alert: str) -> Problem:
    failure = _failure(group[0])
    text = f"{lead} ({failure.reason}): {formatting.short(failure.text, _LONGEST_ERROR)}{also}; {_kept(group)}"
    lines = [_line(each, now) for each in group]
    if len(group) == 1 and len(group[0].view.missing) > 1:
        lines = [formatting.short(str(gap), _LONGEST_ERROR) for gap in group[0].view.missing]
    details = Details.of(lines, len(lines), "api/v1/observations") if len(lines) > 1 else None
    severity = max(severity_of_failure(_failure(each).reason) for each in group)
    return Problem(severity, "probes", text, alert, _last_read(group, now), details)


def _failure(status: ProbeStatus) -> Failure:
    return status.view.failure or Failure("", "")


def _kept(group: Sequence[ProbeStatus]) -> str:
    empty = [each for each in group if not each.has_data]
    if not empty:
        return "the last known data is shown"
    if len(empty) == len(group):
        return "there is no data to show"
    return f"there is no data to show for {_by_account(empty)}"


def _line(status: ProbeStatus, now: float) -> str:
    """Return what is wrong with a probe that fails, in its own words."""
    text = formatting.short(_failure(status).text, _LONGEST_ERROR)
    return f"{_by_account([status])}: {text}; {_last_read([status], now)}"


def _last_read(group: Sequence[ProbeStatus], now: float) -> str:
    """Return when the probe of a ``group`` was last read that was not for longest."""
    never = [each for each in group if each.ages.last_success is None or each.view.last_success is None]
    if never:
        return "never read completely" if any(each.has_data for each in never) else "never read"
    oldest = max(group, key=lambda each: each.ages.last_success or 0.0)
    moment = formatting.moment(oldest.view.last_success or 0.0, now)
    return f"last read {format_age(oldest.ages.last_success or 0.0)} ago, at {moment}"
