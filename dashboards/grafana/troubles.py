"""The table of current problems, from the rows of `cln_monitor.policy`."""

from __future__ import annotations

from dataclasses import dataclass

from grafana_foundation_sdk.builders import table

from cln_monitor import facts, policy
from cln_monitor.policy import Severity

from . import counts, patches
from . import queries as q
from .names import PROBES
from .panels import SEVERITIES
from .silence import CHECKING_IN, UNDATED
from .tables import Column, rows

LEVELS = {Severity.CRITICAL: "1", Severity.WARNING: "2", Severity.INFO: "3"}
"""The severities in the order of the table."""
_DETAILS = "/d/${__data.fields.board}?${__url_time_range}&${__all_variables}"
ALL = q.Scope((*q.WITH_KEYS, "ip_license"))
_EXPORTER, _KERNELCARE, _LICENSES = "cln-exporter", "cln-kernelcare", "cln-licenses"
_BOARDS = {"kernelcare": _KERNELCARE, "imunify": "cln-imunify", "els": _LICENSES, "ip_license": _LICENSES}
_INFOS = (facts.SERVERS_NOT_LISTED, facts.COUNT_UNREADABLE, facts.LIMIT_NOT_TOLD, facts.CHECKIN_NOT_TOLD)


@dataclass(frozen=True, slots=True)
class Trouble:
    """A problem: its row of the policy, an expression for the series with the problem, and the dashboard with details.

    The affected object is the value of ``label``, or ``place``.
    """

    row: policy.Row
    problem: str
    series: str
    board: str
    label: str = ""
    place: str = "$1"

    @property
    def severity(self) -> Severity:
        """The severity of the problem."""
        return self.row.severity or Severity.INFO

    @property
    def expression(self) -> str:
        """The series with the labels level, problem, place, and board."""
        found = self.series
        values = {"level": LEVELS[self.severity], "problem": self.problem, "board": self.board}
        for label, value in values.items():
            found = f'label_replace({found}, "{label}", "{value}", "", "")'
        return f'label_replace({found}, "place", "{self.place}", "{self.label}", "{"(.*)" if self.label else ""}")'


def _of_exporters() -> list[Trouble]:
    late = (
        f"time() - {q.once(q.PROBE, q.probe('last_run_timestamp_seconds'))}"
        f" > 2 * {q.once(q.PROBE, q.probe('interval_seconds'))} + 60"
    )
    refused = f'increase(cln_probe_failures_total{{{q.PROBES},reason="auth"}}[1h]) > 0'
    refused = f"({q.failing_probes()} > 0 and on ({q.PROBE}) {refused})"
    of_probe = "sum by (account, probe)"
    down = f"up{{{q.EXPORTER}}} == 0 and on (job, instance) last_over_time(cln_exporter_build_info{{{q.EXPORTER}}}[1d])"
    dropped = q.once(q.PROBE, q.probe("server_series_dropped"))

    def own(row: policy.Row, problem: str, series: str) -> Trouble:
        return Trouble(row, problem, f"count({series})", _EXPORTER, place="exporter")

    return [
        own(policy.EXPORTER_DOWN, "Exporter is down", down),
        Trouble(
            policy.AUTH_REFUSED,
            "CLN refuses the credentials",
            f"{of_probe} ({refused})",
            _EXPORTER,
            "probe",
        ),
        Trouble(
            policy.PROBE_FAILS,
            "Probe is failing",
            f"({of_probe} ({q.failing_probes()}) > 0 unless on (account, probe) {refused})",
            _EXPORTER,
            "probe",
        ),
        Trouble(policy.PROBE_FAILS, "Probe is late", f"count by (account, probe) ({late})", _EXPORTER, "probe"),
        own(
            policy.RELOAD_FAILED,
            "Configuration not loaded",
            f"cln_exporter_config_last_reload_successful{{{q.EXPORTER}}} == 0",
        ),
        own(
            policy.TLS_UNVERIFIED,
            "TLS verification is disabled",
            f"cln_exporter_tls_verification_disabled{{{q.EXPORTER}}} == 1",
        ),
        own(
            policy.STATE_NOT_WRITTEN,
            "State could not be written",
            f"increase(cln_exporter_state_write_failures_total{{{q.EXPORTER}}}[1h]) > 0",
        ),
        own(
            policy.CLOCK_SKEW,
            "CLN's clock differs",
            f"{q.once('api', f'abs(cln_api_clock_skew_seconds{{{q.EXPORTER}}})')} > {policy.MOST_SKEW}",
        ),
        Trouble(
            policy.SERIES_DROPPED,
            "Per-server series are dropped",
            f"{of_probe} ({dropped}) > 0",
            _EXPORTER,
            "probe",
        ),
    ]


def _of_cln() -> list[Trouble]:
    flags = f"{q.once('api, flag', f'1 - cln_status_ok{{{q.EXPORTER}}}')} > 0"

    def odd(row: policy.Row, problem: str, facts: list[str] | tuple[str, ...]) -> Trouble:
        return Trouble(row, problem, f"sum by (account, probe) ({q.odd(facts)})", _EXPORTER, "probe")

    warnings = q.facts_of(Severity.WARNING)
    return [
        Trouble(policy.FLAG_BAD, "CLN reports a problem of its own", flags, _EXPORTER, "flag"),
        odd(policy.PRODUCT_GONE, "No servers are listed anymore", q.facts_of(Severity.CRITICAL)),
        odd(policy.ANSWER_CHANGED, "Responses have unexpected data", warnings),
        odd(policy.LIMIT_UNKNOWN, "CLN returns incomplete data", _INFOS),
    ]


def _of_keys() -> list[Trouble]:
    full = ALL.all(q.fullness, *q.WITH_KEYS)
    nearly = policy.NEARLY_FULL / policy.FULL

    def keys(row: policy.Row, problem: str, series: str) -> Trouble:
        return Trouble(row, problem, f"count by (account, family) ({series})", _LICENSES, "family")

    disabled = ALL.all(q.full_of_disabled, "kernelcare")
    return [
        keys(policy.KEY_FULL, "Keys are full", f"({full}) >= 1"),
        keys(policy.KEY_NEARLY_FULL, "Keys are nearly full", f"(({full}) >= {nearly}) < 1"),
        keys(policy.KEY_DISABLED, "Disabled keys are full or nearly full", f"{disabled} >= {nearly}"),
    ]


def _of_servers() -> list[Trouble]:
    def servers(row: policy.Row, problem: str, series: str, family: str) -> Trouble:
        return Trouble(row, problem, f"({series}) > 0", _BOARDS[family], place=family)

    kernelcare = "kernelcare"
    found = [
        servers(policy.SERVER_SUPERSEDED, "Superseded servers to remove", counts.superseded(ALL), kernelcare),
        servers(policy.KEY_DISABLED, "Silent on disabled keys", counts.of_disabled(ALL), kernelcare),
    ]
    for family in CHECKING_IN:
        never = policy.NEVER_CHECKED_IN_UNDATED if family in UNDATED else policy.NEVER_CHECKED_IN
        found += [
            servers(policy.MANY_SILENT, "Many servers stopped checking in", counts.many(ALL, family), family),
            servers(policy.SERVER_SILENT, "Servers are silent", counts.silent(ALL, family), family),
            servers(never, "Servers never checked in", counts.never(ALL, family), family),
            servers(policy.SERVER_GONE, "Gone servers to remove", counts.long_silent(ALL, family), family),
        ]
        if family != "ip_license":
            found.append(
                servers(policy.KEY_SILENT, "Keys without any check-in", counts.silent_keys(ALL, family), family)
            )
    return found


def _of_the_rest() -> list[Trouble]:
    kernels = {
        "outofdate": "Kernels are out of date",
        "unsupported": "Kernels are not supported",
        "inactive": "Servers are inactive",
    }
    now, before = (f"sum by (account, product) ({q.awp(period)})" for period in ("current", "previous"))
    unknown = f"sum by (account) ({q.ip_licenses('unknown')})"
    not_fixed = f"{patches.coverage('not_fixed', cve='')} > 0"
    unfixed = f"count by (account) ({not_fixed})"
    undecided = f"count by (account) ({patches.coverage('unknown', cve='')} > 0 unless on (account, cve) {not_fixed})"
    return [
        *(
            Trouble(
                policy.KERNELS[state],
                problem,
                f"({q.patch_states(state=state)}) > 0",
                _KERNELCARE,
                place="kernelcare",
            )
            for state, problem in kernels.items()
        ),
        Trouble(
            policy.KERNEL_OUT_OF_DATE,
            "Kernels are out of date, not counted",
            f"count by (account) ({q.uncounted_patch_states()})",
            _KERNELCARE,
            place="kernelcare",
        ),
        *(
            Trouble(row, problem, f"({series}) > 0", "cln-patches", place="eportal")
            for row, problem, series in (
                (policy.CVE_NOT_FIXED, "CVEs are not fixed by live patches", unfixed),
                (policy.CVE_UNKNOWN, "Fixes of CVEs are unknown", undecided),
                (policy.EPORTAL_OUTDATED, "Live patches are out of date", patches.states("outdated")),
                (policy.EPORTAL_SILENT, "Servers are silent", patches.states("silent")),
            )
        ),
        Trouble(
            policy.LICENSE_UNUSED,
            "IP licenses are unused",
            f"{q.unused_licenses()} > 0",
            _LICENSES,
            place="ip_license",
        ),
        Trouble(
            policy.LICENSE_UNKNOWN,
            "Use of IP licenses is unknown",
            f"{unknown} > 0",
            _LICENSES,
            place="ip_license",
        ),
        Trouble(
            policy.AWP_JUMPED,
            "AccelerateWP bill jumped",
            f"(({now}) - ({before}) >= {policy.AWP_MORE} and ({now}) > {policy.AWP_FACTOR} * ({before}))",
            _LICENSES,
            label="product",
        ),
    ]


TROUBLES = sorted(
    [*_of_exporters(), *_of_cln(), *_of_keys(), *_of_servers(), *_of_the_rest()],
    key=lambda trouble: (-trouble.severity, policy.TABLE.index(trouble.row)),
)
"""All problems, the most severe first, then in the order of the policy."""


def wrong_now(size: tuple[int, int]) -> table.Panel:
    """Return the table of current problems."""
    everything = "\nor ".join(
        f'label_replace({trouble.expression}, "order", "{place:02}", "", "")' for place, trouble in enumerate(TROUBLES)
    )
    return rows(
        "What is wrong now",
        "All problems in the data last polled by the exporter, the most severe first, with the severities of "
        "docs/severities.md: CLN's flags, probes, keys, check-ins, kernels, CVEs, licenses. Count is the number of "
        "flags, probes, keys, servers, CVEs, licenses, or exporters. Click a problem to open the dashboard with "
        "details.",
        [f"sum by (order, level, problem, place, account, board) ({everything})"],
        [
            Column("level", "Level", shown={LEVELS[severity]: look for severity, look in SEVERITIES.items()}, width=75),
            Column("problem", "Problem", link=_DETAILS),
            Column("place", "Where", shown=PROBES, width=95),
            Column("account", "Account", width=80),
            Column("Value", "Count", width=85, right=True),
            Column("board", "board", hidden=True),
        ],
        size=size,
        none="No problems",
        order="order",
    )
