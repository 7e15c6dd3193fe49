"""The metrics of what AccelerateWP is billed for (API document, "AccelerateWP Billing Information")."""

from __future__ import annotations

from cln_monitor.exporter.metrics.families import POLLED, Family, Series
from cln_monitor.probes import AwpMonth, AwpSettings, Observation

BILLABLE = Family(
    "cln_awp_billable",
    f"Billable entities of the current month (UTC), rows of /cl/awp by product and cdn_limit_type. {POLLED}",
    ("account", "product", "cdn_limit"),
)
FAMILIES = (BILLABLE,)
PER_SERVER = ()


def render(observation: Observation[AwpMonth], _: AwpSettings, series: Series) -> None:
    """Write the series of ``observation``."""
    for part in observation.parts:
        for each in part.value.counts:
            series.add(BILLABLE, (observation.account, each.product, each.cdn_limit), each.billable)
