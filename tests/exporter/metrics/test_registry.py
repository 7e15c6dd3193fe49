"""Which module writes the metrics of which probe."""

from __future__ import annotations

from cln_monitor.exporter.metrics import ALL_FAMILIES, RENDERERS
from cln_monitor.exporter.metrics.probe import FAMILIES as OF_PROBES
from cln_monitor.probes import PROBES, CheckinSettings


def test_each_probe_has_a_renderer() -> None:
    """And no renderer is without a probe."""
    assert set(RENDERERS) == set(PROBES)


def test_all_families_are_exposed() -> None:
    """Those of each probe and those of the probes themselves, each once: what is not listed is not shown."""
    listed = [family for renderer in RENDERERS.values() for family in renderer.families] + list(OF_PROBES)
    assert sorted(family.name for family in ALL_FAMILIES) == sorted(family.name for family in listed)
    assert len(set(ALL_FAMILIES)) == len(ALL_FAMILIES)


def test_families_with_a_series_a_server_can_be_dropped() -> None:
    """They are families of their probe, and a probe whose servers check in has some."""
    for name, renderer in RENDERERS.items():
        assert set(renderer.per_server) <= set(renderer.families)
        assert renderer.per_server or not issubclass(PROBES[name].settings, CheckinSettings)
        assert {family for family in renderer.families if {"server_id", "host"} & set(family.labels)} <= set(
            renderer.per_server
        )
