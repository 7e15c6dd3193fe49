"""Observations made by hand, and the text that a metrics module makes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cln_monitor.exporter.families import Series
from cln_monitor.probes import Observation, Part, ProbeSettings
from tests.helpers.clock import NOW


def observed(
    parts: Mapping[str, Any], *, at: float = NOW, account: str = "acme", probe: str = "kernelcare"
) -> Observation[Any]:
    """Return an observation of ``parts``, all read ``at`` a time."""
    return Observation(
        probe=probe,
        account=account,
        api="cln.example.net",
        observed_at=at,
        parts=tuple(Part(name, at, value) for name, value in parts.items()),
    )


def text_of(
    render: Callable[[Observation[Any], Any, Series], None], observation: Observation[Any], settings: ProbeSettings
) -> str:
    """Return the series that ``render`` writes, family by family."""
    series = Series()
    render(observation, settings, series)
    return b"".join(series.texts().values()).decode()
