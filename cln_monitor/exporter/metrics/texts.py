"""All series of one target, as text."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from cln_monitor.exporter.metrics.families import Family, Series
from cln_monitor.probes import ProbeReport, ProbeSettings

from . import probe
from .registry import RENDERERS


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
    probe.render(view, settings, dropped, series)
    return series.texts()
