"""All that the page shows, computed from what was seen: no markup, and no clock but the one that is handed in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cln_monitor import policy
from cln_monitor.durations import format_age
from cln_monitor.exporter.own_problems import OwnProblem
from cln_monitor.policy import Severity

from . import formatting
from .charts import Chart, chart
from .formatting import Truncated
from .patched_hosts import UP_TO_DATE
from .probe_grid import CloudRow, standing_of_accounts, standing_of_clouds
from .probe_status import PRODUCTS, ProbeStatus
from .problem import Problem, with_ids
from .problems import problems, shortened
from .tables import bills, groups, keys, licenses, patches, servers


@dataclass(frozen=True, slots=True)
class Verdict:
    """The page in a sentence. ``state``: ``ok``, ``warning``, ``critical`` or ``waiting``."""

    state: str
    text: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A number to see at a glance, and the section that has more of it."""

    value: str
    label: str
    state: str
    link: str


@dataclass(frozen=True, slots=True)
class Overview:
    """The whole page."""

    verdict: Verdict
    moment: str
    iso: str
    problems: Sequence[Problem]
    figures: Sequence[Figure]
    clouds: Sequence[CloudRow]
    columns: Sequence[str]
    accounts: Truncated
    has_many_accounts: bool
    charts: Sequence[Chart]
    stale_after: str
    servers: Truncated
    keys: Truncated
    patches: Truncated
    licenses: Truncated
    groups: Truncated
    bills: Truncated
    discovered: Sequence[str]


def overview(
    seen: Sequence[ProbeStatus], now: float, unknown_account: str = "", own: Iterable[OwnProblem] = ()
) -> Overview:
    """Return the page for what was ``seen``, as things stand at ``now``, or for an account that is not configured.

    ``own`` are the problems of the exporter itself.
    """
    found = problems(seen, now, own)
    of_accounts = [each for each in seen if each.view.account]
    columns = list(dict.fromkeys(each.view.probe for each in of_accounts))
    ages = dict.fromkeys(format_age(each.stale_after) for each in seen if each.digest.check_ins)
    return Overview(
        verdict=_no_account(unknown_account) if unknown_account else _verdict(seen, found, now),
        moment=formatting.moment(now, now),
        iso=formatting.iso(now),
        problems=with_ids(shortened(found)),
        figures=list(_figures(seen, now)),
        clouds=standing_of_clouds(seen),
        columns=columns,
        accounts=standing_of_accounts(of_accounts, columns),
        has_many_accounts=len({each.view.account for each in of_accounts}) > 1,
        charts=list(_charts(seen, now)),
        stale_after=" or ".join(ages),
        servers=servers(seen, now),
        keys=keys(seen, now),
        patches=patches(seen),
        licenses=licenses(seen),
        groups=groups(seen),
        bills=bills(seen),
        discovered=[name for name in (*PRODUCTS, "els") if name in columns],
    )


def _no_account(name: str) -> Verdict:
    return Verdict("waiting", f"No account “{formatting.isolated(formatting.short(name))}” in the configuration")


def _verdict(seen: Sequence[ProbeStatus], found: Sequence[Problem], now: float) -> Verdict:
    critical = sum(problem.severity is Severity.CRITICAL for problem in found)
    warnings = sum(problem.severity is Severity.WARNING for problem in found)
    if critical or warnings:
        counts = [f"{formatting.number(critical)} critical"] if critical else []
        counts += [formatting.count(warnings, "warning")] if warnings else []
        return Verdict("critical" if critical else "warning", " and ".join(counts))
    waiting = sum(each.view.last_run is None for each in seen)
    if waiting and waiting == len(seen):
        return Verdict("waiting", "No data yet: the first polls are running")
    if waiting:
        return Verdict(
            "waiting", f"All is well so far; {formatting.count(waiting, 'probe has', 'probes have')} not run yet"
        )
    return Verdict("ok", f"All is well as of {formatting.moment(now, now)}")


def _figures(seen: Sequence[ProbeStatus], now: float) -> Iterator[Figure]:
    checking_in = [each for each in seen if each.digest.check_ins]
    if checking_in:
        yield _servers(checking_in)
        silent = sum(each.silence(now).bad for each in checking_in)
        yield _figure(silent, "silent or never checked in", "silent" if silent else "check-ins")
        if unknown := sum(each.unknown for each in checking_in):
            yield _figure(unknown, "with an unknown check-in", "check-ins")
    all_keys = [key for each in seen for key in each.digest.keys]
    if all_keys:
        full = sum(key.severity is Severity.WARNING for key in all_keys)
        limited = sum(bool(key.most) for key in all_keys)
        yield _figure(full, f"of {formatting.count(limited, 'key')} with a limit full or nearly full", "keys")
    patched = [each.digest.patched.counts for each in seen]
    if total := sum(sum(counts.values()) for counts in patched):
        bad = total - sum(counts.get(UP_TO_DATE, 0) for counts in patched)
        yield _figure(bad, f"of {formatting.count(total, 'kernel')} not up to date", "kernels")
    licensed = [license_ for each in seen for license_ in each.digest.licenses]
    if licensed:
        unused = sum(license_.unused_long(now) for license_ in licensed)
        label = f"IP licenses unused for {format_age(policy.UNUSED_AFTER)} or longer"
        yield _figure(unused, label, "licenses", policy.LICENSE_UNUSED.severity)


def _servers(checking_in: Sequence[ProbeStatus]) -> Figure:
    """Return how many servers are registered to check in, be it with a key that is disabled, and of which products."""
    counts: Counter[str] = Counter()
    for each in checking_in:
        counts[PRODUCTS[each.view.probe]] += sum(check_ins.total for check_ins in each.digest.check_ins)
    total = counts.total()
    if len(counts) == 1:
        label = f"{next(iter(counts))} {'server' if total == 1 else 'servers'}"
    else:
        parts = ", ".join(f"{formatting.number(count)} {product}" for product, count in counts.items())
        label = f"registered servers: {parts}"
    return Figure(formatting.number(total), label, "plain", "check-ins")


def _figure(bad: int, label: str, link: str, severity: Severity | None = Severity.WARNING) -> Figure:
    return Figure(formatting.number(bad), label, severity.word if bad and severity is not None else "ok", link)


def _charts(seen: Sequence[ProbeStatus], now: float) -> Iterator[Chart]:
    for probe, product in PRODUCTS.items():
        of_probe = [each for each in seen if each.view.probe == probe and each.digest.check_ins]
        if of_probe:
            check_ins = [check_ins for each in of_probe for check_ins in each.digest.check_ins]
            yield chart(probe, product, check_ins, now, max(each.stale_after for each in of_probe))
