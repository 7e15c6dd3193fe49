"""All series of one target, as text."""

from __future__ import annotations

from collections.abc import Mapping

from cln_monitor.exporter.families import Family, Series
from cln_monitor.probes import ProbeSettings, View

from . import probe
from .registry import RENDERERS


def render_target(view: View, settings: ProbeSettings, max_server_series: int) -> Mapping[Family, bytes]:
    """Return the text of each family of a target; series a server are left out over ``max_server_series``."""
    series = Series()
    dropped = 0
    if view.observation is not None:
        renderer = RENDERERS[view.probe]
        renderer.render(view.observation, settings, series)
        dropped = series.drop_over(max_server_series, renderer.per_server)
    probe.render(view, dropped, series)
    return series.texts()
