"""Which module writes the metrics of which probe, and all series of one target; a new probe is a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from cln_monitor.exporter.metrics.families import Family, Series
from cln_monitor.probes import Observation, ProbeReport, ProbeSettings

from . import awp, els, groups, imunify, ip_licenses, kernelcare, patch_status, probe, status


@dataclass(frozen=True, slots=True)
class Renderer:
    """How to write a probe's observations: its families, those of them with per-server series, and the writer.

    ``render_report`` writes what takes more of the report than the observation.
    """

    families: tuple[Family, ...]
    per_server: tuple[Family, ...]
    render: Callable[[Observation[Any], Any, Series], None]
    render_report: Callable[[ProbeReport, Any, Series], None] | None = None


RENDERERS: dict[str, Renderer] = {
    "status": Renderer(status.FAMILIES, status.PER_SERVER, status.render),
    "kernelcare": Renderer(kernelcare.FAMILIES, kernelcare.PER_SERVER, kernelcare.render, kernelcare.render_superseded),
    "imunify": Renderer(imunify.FAMILIES, imunify.PER_SERVER, imunify.render),
    "patch_status": Renderer(patch_status.FAMILIES, patch_status.PER_SERVER, patch_status.render),
    "ip_licenses": Renderer(ip_licenses.FAMILIES, ip_licenses.PER_SERVER, ip_licenses.render),
    "els": Renderer(els.FAMILIES, els.PER_SERVER, els.render),
    "groups": Renderer(groups.FAMILIES, groups.PER_SERVER, groups.render),
    "awp": Renderer(awp.FAMILIES, awp.PER_SERVER, awp.render),
}

ALL_FAMILIES: tuple[Family, ...] = (
    *(family for renderer in RENDERERS.values() for family in renderer.families),
    *probe.FAMILIES,
)
"""All families of polled data, in the order in which they are exposed."""


def render_target(view: ProbeReport, settings: ProbeSettings, max_server_series: int) -> Mapping[Family, bytes]:
    """Return the text of each family of a target; over ``max_server_series`` it has no series a server at all."""
    series = Series()
    dropped = 0
    if view.observation is not None:
        renderer = RENDERERS[view.probe]
        renderer.render(view.observation, settings, series)
        dropped = series.drop_over(max_server_series, renderer.per_server)
        if dropped and "server_series" in settings.__struct_fields__:
            series = Series()  # as if they were switched off, for what is shown in their place
            renderer.render(view.observation, replace(settings, server_series=False), series)
        if renderer.render_report is not None:
            renderer.render_report(view, settings, series)
    probe.render(view, settings, dropped, series)
    return series.texts()
