"""What is wrong now, as one table over all that the exporter knows."""

from __future__ import annotations

from dataclasses import dataclass

from grafana_foundation_sdk.builders import table

from cln_monitor import policy
from cln_monitor.policy import Severity

from . import queries as q
from .panels import BAD, NOTICE, WARN
from .tables import Column, rows

_LEVELS = {"1": ("critical", BAD), "2": ("warning", WARN), "3": ("info", NOTICE)}
_CRITICAL, _WARNING, _INFO = _LEVELS
_OF_SEVERITY = {Severity.CRITICAL: _CRITICAL, Severity.WARNING: _WARNING, Severity.INFO: _INFO}
_DETAILS = "/d/${__data.fields.board}?${__url_time_range}&${__all_variables}"


@dataclass(frozen=True, slots=True)
class Trouble:
    """A problem, the expression whose series have it, and the dashboard that says more.

    What is in trouble stands in ``label`` of the series, or is ``place``; ``$1`` in ``board`` stands for it.
    """

    row: policy.Row
    problem: str
    series: str
    board: str
    label: str = ""
    place: str = "$1"

    @property
    def level(self) -> str:
        """How bad it is, as the table sorts it."""
        return _OF_SEVERITY[self.row.severity or Severity.INFO]

    @property
    def expression(self) -> str:
        """The series with their labels level, problem, place and board."""
        found = f'label_replace({self.series}, "level", "{self.level}", "", "")'
        found = f'label_replace({found}, "problem", "{self.problem}", "", "")'
        match = "(.*)" if self.label else ""
        found = f'label_replace({found}, "place", "{self.place}", "{self.label}", "{match}")'
        return f'label_replace({found}, "board", "{self.board}", "{self.label}", "{match}")'


_LATE = (
    f"time() - {q.once(q.PROBE, q.probe('last_run_timestamp_seconds'))}"
    f" > 3 * {q.once(q.PROBE, q.probe('interval_seconds'))}"
)
_USAGE = q.family_fullness()
_EXPORTER, _KERNELCARE, _LICENCES = "cln-exporter", "cln-kernelcare", "cln-licences"

TROUBLES = (
    Trouble(
        policy.FLAG_BAD, "CLN says it is not well", f"{q.once('api, flag', '1 - cln_status_ok')} > 0", _EXPORTER, "flag"
    ),
    Trouble(policy.PROBE_FAILS, "Probe fails", f"{q.failing_probes()} > 0", _EXPORTER, "probe"),
    Trouble(
        policy.PROBE_FAILS, "Probe is late by two intervals", f"count by (account, probe) ({_LATE})", _EXPORTER, "probe"
    ),
    Trouble(
        policy.RELOAD_FAILED,
        "Configuration not loaded",
        "count(cln_exporter_config_last_reload_successful == 0)",
        _EXPORTER,
        place="exporter",
    ),
    Trouble(policy.KEY_FULL, "Keys are full", f"count by (account, family) ({_USAGE} >= 1)", _LICENCES, "family"),
    Trouble(
        policy.KEY_NEARLY_FULL,
        "Keys are nearly full",
        f"count by (account, family) (({_USAGE} >= {q.NEARLY_FULL}) < 1)",
        _LICENCES,
        "family",
    ),
    Trouble(
        policy.SERVER_SILENT,
        "Servers are stale",
        f"sum by (account, family) ({q.checkins('stale')}) > 0",
        "cln-$1",
        "family",
    ),
    Trouble(
        policy.NEVER_CHECKED_IN,
        "Servers never checked in",
        f"sum by (account, family) ({q.checkins('never')}) > 0",
        "cln-$1",
        "family",
    ),
    Trouble(
        policy.PRODUCT_GONE,
        "CLN lists none any more",
        f"sum by (account, probe) ({q.odd(['critical'])})",
        _EXPORTER,
        "probe",
    ),
    Trouble(
        policy.ANSWER_CHANGED,
        "CLN's answers are odd",
        f"sum by (account, probe) ({q.odd(['warning'])})",
        _EXPORTER,
        "probe",
    ),
    Trouble(
        policy.KERNEL_OUT_OF_DATE,
        "Kernels are out of date",
        f"({q.patch_states(state='outofdate')}) > 0",
        _KERNELCARE,
        place="kernelcare",
    ),
    Trouble(
        policy.KERNEL_UNSUPPORTED,
        "Kernels are not supported",
        f"({q.patch_states(state='unsupported')}) > 0",
        _KERNELCARE,
        place="kernelcare",
    ),
    Trouble(
        policy.KERNEL_INACTIVE,
        "Servers are inactive",
        f"({q.patch_states(state='inactive')}) > 0",
        _KERNELCARE,
        place="kernelcare",
    ),
    Trouble(
        policy.LICENSE_UNUSED,
        "Licenses are paid for and unused",
        f"sum by (account) ({q.ip_licenses('false')}) > 0",
        _LICENCES,
        place="ip_license",
    ),
)


def wrong_now(size: tuple[int, int]) -> table.Panel:
    """Return the table of all that is in trouble."""
    everything = "\nor ".join(trouble.expression for trouble in TROUBLES)
    return rows(
        "What is wrong now",
        "All that is not as it should be in what the exporter last polled, the worst first: CLN's flags, probes, full "
        "keys, check-ins, patches, licenses. A problem leads to the dashboard that says more.",
        [f"sum by (level, problem, place, account, board) ({everything})"],
        [
            Column("level", "Level", shown=_LEVELS, width=90),
            Column("problem", "Problem", link=_DETAILS),
            Column("place", "Where", shown=q.FAMILIES, width=130),
            Column("account", "Account", width=110),
            Column("Value", "How many", width=95, right=True),
            Column("board", "board", hidden=True),
        ],
        size=size,
        none="Nothing is wrong",
        sort=[("Level", False)],
    )
