"""The metrics of AccelerateWP billing (API document, "AccelerateWP Billing Information")."""

from __future__ import annotations

from cln_monitor.durations import months_at
from cln_monitor.exporter.metrics.families import POLLED, Family, Series
from cln_monitor.probes import AwpMonth, AwpSettings, Observation

BILLABLE = Family(
    "cln_awp_billable",
    "Number of billable entities in the current and the previous month (UTC), from /cl/awp by product and "
    f"cdn_limit_type. {POLLED}",
    ("account", "product", "cdn_limit", "period"),
)
FAMILIES = (BILLABLE,)
PER_SERVER = ()


def render(observation: Observation[AwpMonth], _: AwpSettings, series: Series) -> None:
    """Add the series of ``observation`` to ``series``."""
    current, previous = months_at(observation.observed_at)
    periods = {current: "current", previous: "previous"}
    for part in observation.parts:
        if period := periods.get(part.value.month):  # parts kept from an earlier run may cover an older month
            for count in part.value.counts:
                series.add(BILLABLE, (observation.account, count.product, count.cdn_limit, period), count.billable)
