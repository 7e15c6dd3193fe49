"""The metrics of what AccelerateWP is billed for (API document, "AccelerateWP Billing Information")."""

from __future__ import annotations

from cln_monitor.durations import months_at
from cln_monitor.exporter.metrics.families import POLLED, Family, Series
from cln_monitor.probes import AwpMonth, AwpSettings, Observation

BILLABLE = Family(
    "cln_awp_billable",
    f"Billable entities of the current and the previous month (UTC), rows of /cl/awp by product and cdn_limit_type. "
    f"{POLLED}",
    ("account", "product", "cdn_limit", "period"),
)
FAMILIES = (BILLABLE,)
PER_SERVER = ()


def render(observation: Observation[AwpMonth], _: AwpSettings, series: Series) -> None:
    """Write the series of ``observation``."""
    current, previous = months_at(observation.observed_at)
    periods = {current: "current", previous: "previous"}
    for part in observation.parts:
        if period := periods.get(part.value.month):  # one that was kept may be of a month before
            for each in part.value.counts:
                series.add(BILLABLE, (observation.account, each.product, each.cdn_limit, period), each.billable)
