"""All series of one target, as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cln_monitor.exporter.families import Family, Series
from cln_monitor.probes import Observation, ProbeSettings

from . import probe
from .registry import RENDERERS


def render_target(
    state: probe.ProbeState, observation: Observation[Any] | None, settings: ProbeSettings, max_server_series: int
) -> Mapping[Family, bytes]:
    """Return the text of each family of a target; series a server are left out over ``max_server_series``."""
    series = Series()
    dropped = 0
    if observation is not None:
        renderer = RENDERERS[observation.probe]
        renderer.render(observation, settings, series)
        dropped = series.drop_over(max_server_series, renderer.per_server)
    probe.render(state, dropped, series)
    return series.texts()
