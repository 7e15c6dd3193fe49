"""Probes that fail, are overdue, or whose data have expired: one row per cause, not per probe."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from cln_monitor.durations import format_age
from cln_monitor.policy import PROBE_FAILS, Severity, severity_of_failure
from cln_monitor.probes import Failure

from . import formatting
from .probe_status import ProbeStatus
from .problem import Details, Problem

_MAX_ERROR = 300
_MAX_LISTS = 3
_ALERTS = {"auth": "ClnAuthFailed", "rate_limited": "ClnRateLimited"}
_OF_AN_OUTAGE = frozenset({"unreachable", "timeout"})
"""Failure reasons that are the same problem as a failure of CLN's own status."""


def failures(statuses: Sequence[ProbeStatus], now: float) -> Iterator[Problem]:
    """Yield the problems of the probes themselves, one per account and reason."""
    failing = [status for status in statuses if status.view.failure is not None]
    outages = {status.view.api: [status] for status in failing if not status.view.account}
    others: list[ProbeStatus] = []
    for status in failing:
        if status.view.account:
            is_outage = status.view.api in outages and _failure(status).reason in _OF_AN_OUTAGE
            (outages[status.view.api] if is_outage else others).append(status)
    for api, group in outages.items():
        affected = _by_account(group[1:])
        also = f"; also failing: {affected}" if affected else ""
        problem = _failing(group, now, f"CLN at {api} cannot be read", also, "ClnDown")
        yield replace(problem, since=_last_read(group[:1], now))
    for group in _grouped(others, lambda status: _failure(status).reason):
        alert = _ALERTS.get(_failure(group[0]).reason, "ClnProbeFailing")
        yield _failing(group, now, f"{_by_account(group)} {_are(group)} failing", "", alert)
    yield from _old([status for status in statuses if status.view.failure is None], now)


def _old(statuses: Sequence[ProbeStatus], now: float) -> Iterator[Problem]:
    """Yield the problems of probes that did not fail: their data have expired, or they are overdue."""
    for group in _grouped(status for status in statuses if _has_expired(status)):
        text = f"The data of {_by_account(group)} have expired"
        yield Problem(_warning(), "probes", text, "ClnDataTooOld", _last_read(group, now))
    for group in _grouped(status for status in statuses if status.late is not None and not _has_expired(status)):
        due = format_age(max(status.late or 0.0 for status in group))
        text = f"{_by_account(group)} {_are(group)} overdue by {due}"
        yield Problem(_warning(), "probes", text, "ClnDataTooOld", _last_read(group, now))


def _has_expired(status: ProbeStatus) -> bool:
    return status.view.observation is not None and bool(status.view.observation.expired_parts)


def _grouped(
    statuses: Iterable[ProbeStatus], reason: Callable[[ProbeStatus], str] = lambda _: ""
) -> Iterable[list[ProbeStatus]]:
    """Return ``statuses`` by account and ``reason``."""
    groups: dict[tuple[str, str, str], list[ProbeStatus]] = {}
    for status in statuses:
        groups.setdefault((status.view.api, status.view.account, reason(status)), []).append(status)
    return groups.values()


def _warning() -> Severity:
    return PROBE_FAILS.severity or Severity.WARNING


def _are(group: Sequence[ProbeStatus]) -> str:
    return "is" if len(group) == 1 else "are"


def _by_account(group: Sequence[ProbeStatus]) -> str:
    """Return the probes of a ``group`` of one API by account; accounts with the same probes are merged."""
    probes: dict[str, list[str]] = {}
    for status in group:
        probes.setdefault(status.view.account, []).append(status.view.probe)
    accounts: dict[str, list[str]] = {}
    for account, account_probes in probes.items():
        accounts.setdefault(", ".join(account_probes), []).append(account)
    names = [
        f"{names_} of {formatting.first(found)}" if found[0] else f"{names_} at {group[0].view.api}"
        for names_, found in accounts.items()
    ]
    others = sum(len(found) for found in list(accounts.values())[_MAX_LISTS:])
    more = f" and probes of {formatting.count(others, 'more account', 'more accounts')}" if others else ""
    return f"{'; '.join(names[:_MAX_LISTS])}{more}"


def _failing(group: Sequence[ProbeStatus], now: float, lead: str, also: str, alert: str) -> Problem:
    failure = _failure(group[0])
    text = f"{lead} ({failure.reason}): {formatting.short(failure.text, _MAX_ERROR)}{also}; {_kept(group)}"
    lines = [_line(status, now) for status in group]
    if len(group) == 1 and len(group[0].view.missing) > 1:
        lines = [formatting.short(str(gap), _MAX_ERROR) for gap in group[0].view.missing]
    details = Details.from_items(lines, len(lines), "api/v1/observations") if len(lines) > 1 else None
    severity = max(severity_of_failure(_failure(status).reason) for status in group)
    return Problem(severity, "probes", text, alert, _last_read(group, now), details)


def _failure(status: ProbeStatus) -> Failure:
    return status.view.failure or Failure("", "")


def _kept(group: Sequence[ProbeStatus]) -> str:
    empty = [status for status in group if not status.has_data]
    if not empty:
        return "showing the last known data"
    if len(empty) == len(group):
        return "no data to show"
    return f"no data to show for {_by_account(empty)}"


def _line(status: ProbeStatus, now: float) -> str:
    """Return a failing probe as a line with its error."""
    text = formatting.short(_failure(status).text, _MAX_ERROR)
    return f"{_by_account([status])}: {text}; {_last_read([status], now)}"


def _last_read(group: Sequence[ProbeStatus], now: float) -> str:
    """Return when the probe of ``group`` with the oldest data last succeeded."""
    never = [status for status in group if status.ages.last_success is None or status.view.last_success is None]
    if never:
        return "never read completely" if any(status.has_data for status in never) else "never read"
    oldest = max(group, key=lambda status: status.ages.last_success or 0.0)
    moment = formatting.moment(oldest.view.last_success or 0.0, now)
    return f"last read {format_age(oldest.ages.last_success or 0.0)} ago, at {moment}"
