"""The text of the metrics of AccelerateWP."""

from __future__ import annotations

from cln_monitor.exporter.metrics.awp import render
from cln_monitor.probes.awp import AwpCount, AwpMonth, AwpSettings

from .rendering import observed, text_of


def test_what_is_billed() -> None:
    """By product and limit; the month is no label, as the series is to go on when it turns."""
    month = AwpMonth("2026-11", [AwpCount("AWP_CDN", "50 GB", 3), AwpCount("AWP_PREMIUM", "", 0)])
    assert (
        text_of(render, observed({"2026-11": month}), AwpSettings())
        == """\
cln_awp_billable{account="acme",product="AWP_CDN",cdn_limit="50 GB"} 3
cln_awp_billable{account="acme",product="AWP_PREMIUM",cdn_limit=""} 0
"""
    )
