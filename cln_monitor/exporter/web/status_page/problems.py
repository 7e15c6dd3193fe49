"""The current problems, the most severe first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby

from cln_monitor import facts, policy
from cln_monitor.durations import format_age, months_at
from cln_monitor.exporter.licenses import License
from cln_monitor.exporter.own_problems import OwnProblem
from cln_monitor.policy import Severity
from cln_monitor.probes import AwpMonth, Observation, phrases_of, product_name
from cln_monitor.source_kinds import EPORTAL

from . import formatting
from .eportal_problems import eportal_problems
from .failures import failures
from .patched_hosts import UP_TO_DATE
from .probe_status import PRODUCT_NAMES, ProbeStatus
from .problem import Details, Problem, problem_of
from .server_pools import MOST_SERVERS
from .staleness_problems import check_in_problems
from .summary import KeyUse

_MAX_PER_KIND = 8
_MAX_LICENSES = 5  # listed per address
PATCH_STATES = {
    UP_TO_DATE: "up to date",
    "outofdate": "out of date",
    "unsupported": "unsupported",
    "inactive": "inactive",
}
"""The display names of the patch states of CLN."""

_KINDS = {
    "cln": "CLN’s own flags",
    "probes": "the probes",
    "check-ins": "the check-ins",
    "keys": "the keys",
    "kernels": "the kernels",
    "eportals": "the ePortals",
    "licenses": "the IP licenses",
    "awp": "AccelerateWP",
}
_SECTION_OF_FACT = {
    facts.FLAG_MISSING: "cln",
    facts.LIMIT_NOT_TOLD: "keys",
    facts.LIMIT_UNREADABLE: "keys",
    facts.NOT_AVAILABLE: "probes",
}
_ALERT_OF_FACT = {facts.SERVERS_GONE: "ClnServersDropped", facts.SERVERS_DROPPED: "ClnServersDropped"}
_OVERLOADED = frozenset({"rhn_overloaded", "rhn_queue_full"})
_KERNELS = {
    "outofdate": ("ClnServersOutOfDate", "{servers} of {account} {has} an unpatched kernel"),
    "unsupported": ("ClnServersUnsupported", "{servers} of {account} {has} a kernel that KernelCare does not support"),
    "inactive": ("ClnServersInactive", "KernelCare reports {servers} of {account} as inactive"),
}
"""The alert and the text for each patch state that is a problem."""


def problems(statuses: Sequence[ProbeStatus], now: float, own: Iterable[OwnProblem] = ()) -> list[Problem]:
    """Return the problems of ``statuses`` at ``now``, and the exporter's ``own`` ones, the most severe first."""
    of_exporter = (problem for row, text, alert, _ in own for problem in problem_of(row, "probes", text, alert))
    of_data = (problem for status in statuses for problem in _of_data(status, now))
    found = list(chain(failures(statuses, now), of_exporter, of_data))
    order = list(_KINDS)
    return sorted(found, key=lambda problem: (-problem.severity, order.index(problem.kind)))


def shortened(found: Iterable[Problem]) -> list[Problem]:
    """Return the first problems of each severity and kind, and how many more there are."""
    shown: list[Problem] = []
    for (severity, kind), of_kind in groupby(found, key=lambda problem: (problem.severity, problem.kind)):
        listed = list(of_kind)
        shown += listed[:_MAX_PER_KIND]
        more = len(listed) - _MAX_PER_KIND
        if more > 0:
            text = f"and {formatting.count(more, 'more problem', 'more problems')} of {_KINDS[kind]}"
            shown.append(Problem(severity, kind, text))
    return shown


def _of_data(status: ProbeStatus, now: float) -> Iterator[Problem]:
    observation = status.view.observation
    if observation is None or status.first_poll is not None:
        return
    is_eportal = status.view.probe in EPORTAL.probes
    product = EPORTAL.noun if is_eportal else PRODUCT_NAMES.get(status.view.probe, status.view.probe)
    of_whom = f" ({product} of {status.view.account})" if status.view.account else ""
    for severity, fact, text in phrases_of(observation.all_cautions, observation.probe):
        alert = _ALERT_OF_FACT.get(fact, "ClnAnswerOdd" if severity is not Severity.INFO else "")
        section = "eportals" if is_eportal else _SECTION_OF_FACT.get(fact, "check-ins")
        yield Problem(severity, section, f"{text}{of_whom}", alert)
    if observation.probe == "status":
        for flag in (flag for part in observation.parts for flag in part.value if not flag.good):
            alert = "ClnRegistrationOverloaded" if flag.name in _OVERLOADED else "ClnServiceBad"
            value = f"{formatting.short(flag.name)} is {str(flag.value).lower()}"
            yield from problem_of(policy.FLAG_BAD, "cln", f"CLN at {observation.api} reports: {value}", alert)
    if observation.probe == "patch_status":
        yield from _of_patches(status)
    if observation.probe == "awp":
        yield from _of_bills(observation)
    for key in sorted(status.summary.keys, key=lambda key: not key.is_full):
        yield from _of_key(key, observation.account)
    yield from check_in_problems(status, now)
    yield from eportal_problems(status, now)
    yield from _of_licenses(status, now)


def _of_key(key: KeyUse, account: str) -> Iterator[Problem]:
    if key.severity is not None:
        name = f"{'Disabled ' if key.is_disabled else ''}{formatting.short(key.product)} key {key.name} of {account}"
        fullness, alert = ("full", "ClnKeyFull") if key.is_full else ("nearly full", "ClnKeyNearlyFull")
        use = f"{formatting.number(key.used)}/{formatting.number(key.most)}"
        yield Problem(key.severity, "keys", f"{name} is {fullness} ({use})", alert)


def _of_bills(observation: Observation[AwpMonth]) -> Iterator[Problem]:
    bills: dict[str, Counter[str]] = {}
    for part in observation.parts:
        bill = bills.setdefault(part.value.month, Counter())
        for counted in part.value.counts:
            bill[counted.product] += counted.billable
    current, previous = (bills.get(month, Counter()) for month in months_at(observation.observed_at))
    for product, count in sorted(current.items()):
        before = previous.get(product)
        if before is not None and policy.has_jumped(count, before):
            text = f"{product_name('awp', product)} of {observation.account} rose from {formatting.number(before)} "
            text += f"last month to {formatting.number(count)} billable"
            yield from problem_of(policy.AWP_JUMPED, "awp", text, "ClnAwpBillJumped")


def _of_licenses(status: ProbeStatus, now: float) -> Iterator[Problem]:
    summary, account = status.summary, status.view.account
    if unused := sum(license_.unused_long(now) for license_ in summary.licenses):
        unused_long = [license_ for license_ in summary.unused if policy.is_unused_long(license_.created, now)]
        licenses = formatting.count(unused, "IP license")
        text = f"{licenses} of {account} unused for {format_age(policy.UNUSED_AFTER)} or longer"
        details = _addresses(unused_long, unused, status.json_path, with_dates=True)
        yield from problem_of(policy.LICENSE_UNUSED, "licenses", text, "ClnIpLicensesUnused", details=details)
    if unknown := sum(license_.unknown for license_ in summary.licenses):
        licenses = f"{formatting.count(unknown, 'IP license')} of {account}"
        text = f"CLN does not report whether {licenses} {'is' if unknown == 1 else 'are'} used"
        details = _addresses(summary.undecided, unknown, status.json_path, with_dates=False)
        yield from problem_of(policy.LICENSE_UNKNOWN, "licenses", text, details=details)


def _addresses(licenses: Sequence[License], total: int, link: str, *, with_dates: bool) -> Details | None:
    """Return the details of ``total`` licenses, of which ``licenses`` are known, grouped by address."""
    by_ip: dict[str, list[License]] = {}
    for license_ in licenses:
        by_ip.setdefault(license_.ip, []).append(license_)
    first = list(by_ip.items())[:MOST_SERVERS]
    items = [
        f"{formatting.short(ip) or 'no address'}: {_licenses(of_address, with_dates=with_dates)}"
        for ip, of_address in first
    ]
    return Details(items, total - sum(len(of_address) for _, of_address in first), link) if items else None


def _licenses(licenses: Sequence[License], *, with_dates: bool) -> str:
    """Return the types of ``licenses`` with their creation dates; a common date is given once."""
    dates = [
        f"since {formatting.iso(license_.created)[:10]}" if with_dates and license_.created else ""
        for license_ in licenses
    ]
    is_one_date = len(set(dates)) == 1
    names = [
        formatting.short(license_.license) + (f" {date}" if date and not is_one_date else "")
        for license_, date in zip(licenses, dates, strict=True)
    ]
    types = formatting.first(list(dict.fromkeys(names)), _MAX_LICENSES)
    return f"{types}, {dates[0]}" if is_one_date and dates[0] else types


def _of_patches(status: ProbeStatus) -> Iterator[Problem]:
    observation, account, patched = status.view.observation, status.view.account, status.summary.patched
    bad = {state: count for state, count in patched.counts.items() if count and state != UP_TO_DATE}
    for state, count in bad.items():
        row = policy.KERNELS.get(state, policy.KERNEL_OUT_OF_DATE)
        alert, template = _KERNELS.get(state, ("", "KernelCare reports the state {state} for {servers} of {account}"))
        text = template.format(
            servers=formatting.count(count, "server"),
            account=account,
            has="has" if count == 1 else "have",
            state=formatting.short(state),
        )
        names = [_host(host.host, host.ip) for host in patched.hosts.get(state, ())]
        details = Details.from_items(names, count, status.json_path)
        yield from problem_of(row, "kernels", text, alert, details=details)
    active = [part.value for part in observation.parts if not part.value.is_disabled] if observation else []
    if not bad and not all(state.ok for state in active):
        names = [f"key {state.key}" if state.key else "any key" for state in active if not state.ok]
        text = f"CLN reports that not all kernels of {formatting.first(names)} of {account} are up to date"
        yield from problem_of(policy.KERNEL_OUT_OF_DATE, "kernels", text, "ClnPatchStatusBad")
    yield from _of_disabled(patched.off, account)


def _of_disabled(off: int, account: str) -> Iterator[Problem]:
    if off:
        text = (
            f"{formatting.count(off, 'server')} of disabled keys of {account} {'is' if off == 1 else 'are'} not patched"
        )
        yield from problem_of(policy.KEY_DISABLED, "kernels", text)


def _host(host: str, ip: str) -> str:
    if host and ip and host != ip:
        return f"{formatting.short(host)} ({formatting.short(ip)})"
    return formatting.short(host or ip) or "no name"
