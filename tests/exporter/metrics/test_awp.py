"""Tests of the metrics of AccelerateWP."""

from __future__ import annotations

from cln_monitor.durations import months_at
from cln_monitor.exporter.metrics.awp import render
from cln_monitor.probes.awp import AwpCount, AwpMonth, AwpSettings
from tests.helpers.clock import NOW

from .rendering import observed, text_of


def test_billable_entities() -> None:
    """Billable entities are by product and limit, for the current and the previous month only."""
    current, previous = months_at(NOW)
    months = {
        current: AwpMonth(current, [AwpCount("AWP_CDN", "50 GB", 3), AwpCount("AWP_PREMIUM", "", 0)]),
        previous: AwpMonth(previous, [AwpCount("AWP_PREMIUM", "", 2)]),
        "2001-01": AwpMonth("2001-01", [AwpCount("AWP_PREMIUM", "", 7)]),
    }
    assert (
        text_of(render, observed(months), AwpSettings())
        == """\
cln_awp_billable{account="acme",product="AWP_CDN",cdn_limit="50 GB",period="current"} 3
cln_awp_billable{account="acme",product="AWP_PREMIUM",cdn_limit="",period="current"} 0
cln_awp_billable{account="acme",product="AWP_PREMIUM",cdn_limit="",period="previous"} 2
"""
    )
