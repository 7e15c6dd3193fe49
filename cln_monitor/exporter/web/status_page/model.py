"""The content of the status page, computed from observations, without markup; the time is an argument."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cln_monitor import policy
from cln_monitor.durations import format_age
from cln_monitor.exporter.own_problems import OwnProblem
from cln_monitor.policy import Severity
from cln_monitor.source_kinds import ACCOUNT, EPORTAL, SOURCE_KINDS, SourceKind

from . import formatting
from .charts import Chart, chart
from .eportal_tables import count_behind, eportal_servers, eportals
from .formatting import Truncated
from .patched_hosts import UP_TO_DATE
from .probe_grid import CloudRow, ProbeTable, cloud_rows, probe_tables
from .probe_status import PRODUCT_NAMES, PRODUCTS, ProbeStatus
from .problem import Problem, with_ids
from .problems import problems, shortened
from .tables import bills, groups, keys, licenses, patches, servers


@dataclass(frozen=True, slots=True)
class OverallStatus:
    """The status in one sentence. ``state`` is ``ok``, ``warning``, ``critical``, or ``waiting``."""

    state: str
    text: str


@dataclass(frozen=True, slots=True)
class StatTile:
    """A number at the top of the page, and the section with its details."""

    value: str
    label: str
    state: str
    link: str


@dataclass(frozen=True, slots=True)
class Overview:
    """The content of the page. ``servers_polled`` names what its data come from: CLN, ePortals, both, or nothing."""

    verdict: OverallStatus
    servers_polled: str
    moment: str
    iso: str
    problems: Sequence[Problem]
    figures: Sequence[StatTile]
    clouds: Sequence[CloudRow]
    tables: Sequence[ProbeTable]
    has_many_accounts: bool
    has_many_eportals: bool
    charts: Sequence[Chart]
    stale_after: str
    servers: Truncated
    keys: Truncated
    patches: Truncated
    eportals: Truncated
    eportal_servers: Truncated
    licenses: Truncated
    groups: Truncated
    bills: Truncated
    discovered: Sequence[str]


def overview(
    statuses: Sequence[ProbeStatus], now: float, unknown_account: str = "", own: Iterable[OwnProblem] = ()
) -> Overview:
    """Return the page for ``statuses`` at the Unix time ``now``.

    ``unknown_account`` is a requested account that is not configured; ``own`` are the problems of the exporter itself.
    """
    found = problems(statuses, now, own)
    whole = [status for status in statuses if status.first_poll is None]
    tables = probe_tables(statuses)
    columns = [column for table in tables for column in table.columns]
    ages = dict.fromkeys(format_age(status.stale_after) for status in whole if status.summary.check_ins)
    return Overview(
        verdict=_no_account(unknown_account) if unknown_account else _verdict(statuses, found, now),
        servers_polled=_servers_polled(statuses),
        moment=formatting.moment(now, now),
        iso=formatting.iso(now),
        problems=with_ids(shortened(found)),
        figures=list(_figures(whole, now)),
        clouds=cloud_rows(statuses),
        tables=tables,
        has_many_accounts=len(_names(statuses, ACCOUNT)) > 1,
        has_many_eportals=len(_names(statuses, EPORTAL)) > 1,
        charts=list(_charts(whole, now)),
        stale_after=" or ".join(ages),
        servers=servers(whole, now),
        keys=keys(statuses, now),
        patches=patches(whole),
        eportals=eportals(whole),
        eportal_servers=eportal_servers(whole, now),
        licenses=licenses(statuses),
        groups=groups(statuses),
        bills=bills(statuses),
        discovered=[name for name in (*PRODUCT_NAMES, *EPORTAL.probes) if name in columns],
    )


def _names(statuses: Sequence[ProbeStatus], kind: SourceKind) -> set[str]:
    """Return the names of the sources of ``kind`` that have probes."""
    return {status.view.account for status in statuses if status.view.account and status.view.probe in kind.probes}


def _servers_polled(statuses: Sequence[ProbeStatus]) -> str:
    """Return what the data of the page come from: ``CLN and the ePortal``."""
    kinds = [kind for kind in SOURCE_KINDS if any(status.view.probe in kind.probes for status in statuses)]
    return " and ".join(kind.servers_of(len(_names(statuses, kind))) for kind in kinds)


def _no_account(name: str) -> OverallStatus:
    nouns = " or ".join(kind.noun for kind in SOURCE_KINDS)
    return OverallStatus("waiting", f"No {nouns} “{formatting.isolated(formatting.short(name))}” in the configuration")


def _verdict(statuses: Sequence[ProbeStatus], found: Sequence[Problem], now: float) -> OverallStatus:
    critical = sum(problem.severity is Severity.CRITICAL for problem in found)
    warnings = sum(problem.severity is Severity.WARNING for problem in found)
    if critical or warnings:
        counts = [f"{formatting.number(critical)} critical"] if critical else []
        counts += [formatting.count(warnings, "warning")] if warnings else []
        return OverallStatus("critical" if critical else "warning", " and ".join(counts))
    if first_polls := [status for status in statuses if status.first_poll is not None]:
        return OverallStatus("waiting", _progress(first_polls))
    if not statuses:
        return OverallStatus("waiting", "No probe runs here, so nothing is monitored")
    waiting = sum(status.view.last_run is None for status in statuses)
    if waiting and waiting == len(statuses):
        return OverallStatus("waiting", "No data yet: the first polls are running")
    if waiting:
        return OverallStatus(
            "waiting", f"All is well so far; {formatting.count(waiting, 'probe has', 'probes have')} not run yet"
        )
    return OverallStatus("ok", f"All is well as of {formatting.moment(now, now)}")


def _progress(first_polls: Sequence[ProbeStatus]) -> str:
    """Return how far the first polls are: ``First poll in progress: kernelcare of acme (3 of 10 keys)``."""
    names = [
        f"{status.view.probe} of {formatting.short(status.view.account) or status.view.api} ({status.first_poll})"
        for status in first_polls
    ]
    return f"First poll in progress: {formatting.first(names)}"


def _figures(statuses: Sequence[ProbeStatus], now: float) -> Iterator[StatTile]:
    checking_in = [status for status in statuses if status.summary.check_ins]
    if checking_in:
        yield _servers(checking_in)
        silent = sum(status.silence(now).bad for status in checking_in)
        yield _figure(silent, "silent or never checked in", "silent" if silent else "check-ins")
        if unknown := sum(status.unknown for status in checking_in):
            yield _figure(unknown, "with unknown check-in", "check-ins")
    all_keys = [key for status in statuses for key in status.summary.keys]
    if all_keys:
        full = sum(key.severity is Severity.WARNING for key in all_keys)
        limited = sum(bool(key.most) for key in all_keys)
        yield _figure(full, f"of {formatting.count(limited, 'key')} with a limit full or nearly full", "keys")
    patched = [status.summary.patched.counts for status in statuses]
    if total := sum(sum(counts.values()) for counts in patched):
        bad = total - sum(counts.get(UP_TO_DATE, 0) for counts in patched)
        yield _figure(bad, f"of {formatting.count(total, 'kernel')} not up to date", "kernels")
    behind, of_eportals = count_behind(statuses)
    if of_eportals:
        label = f"of {formatting.count(of_eportals, 'server')} of ePortals behind the newest live patch"
        yield _figure(behind, label, "eportals", policy.EPORTAL_OUTDATED.severity)
    licensed = [license_ for status in statuses for license_ in status.summary.licenses]
    if licensed:
        unused = sum(license_.unused_long(now) for license_ in licensed)
        label = f"IP licenses unused for {format_age(policy.UNUSED_AFTER)} or longer"
        yield _figure(unused, label, "licenses", policy.LICENSE_UNUSED.severity)


def _servers(checking_in: Sequence[ProbeStatus]) -> StatTile:
    """Return the number of servers that should check in, including those of disabled keys, by product."""
    counts: Counter[str] = Counter()
    for status in checking_in:
        counts[PRODUCTS[status.view.probe]] += sum(check_ins.total for check_ins in status.summary.check_ins)
    counts = +counts or counts  # without products of which no server is registered
    total = counts.total()
    if len(counts) == 1:
        label = f"{next(iter(counts))} {'server' if total == 1 else 'servers'}"
    else:
        parts = ", ".join(f"{formatting.number(count)} {product}" for product, count in counts.items())
        label = f"registered servers: {parts}"
    return StatTile(formatting.number(total), label, "plain", "check-ins")


def _figure(bad: int, label: str, link: str, severity: Severity | None = Severity.WARNING) -> StatTile:
    return StatTile(formatting.number(bad), label, severity.word if bad and severity is not None else "ok", link)


def _charts(statuses: Sequence[ProbeStatus], now: float) -> Iterator[Chart]:
    for probe, product in PRODUCTS.items():
        of_probe = [status for status in statuses if status.view.probe == probe and status.summary.check_ins]
        if of_probe:
            check_ins = [check_ins for status in of_probe for check_ins in status.summary.check_ins]
            yield chart(probe, product, check_ins, now, max(status.stale_after for status in of_probe))
