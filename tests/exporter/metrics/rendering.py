"""Helpers that create observations and render them by a module of metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import UNSET

from cln_monitor.exporter.metrics import render_target
from cln_monitor.exporter.metrics.families import Family, Series
from cln_monitor.probes import Ages, Failure, FirstPoll, Observation, Part, ProbeReport, ProbeSettings
from tests.helpers.clock import NOW


def observed(
    parts: Mapping[str, Any], *, at: float = NOW, account: str = "acme", probe: str = "kernelcare"
) -> Observation[Any]:
    """Return an observation of ``parts``, all read at ``at`` (Unix seconds)."""
    return Observation(
        probe=probe,
        account=account,
        api="cln.example.net",
        observed_at=at,
        parts=tuple(Part(name, at, value, at) for name, value in parts.items()),
    )


def viewed(
    observation: Observation[Any] | None = None,
    *,
    probe: str = "kernelcare",
    account: str = "acme",
    last_run: float | None = None,
    last_success: float | None = None,
    failure: Failure | None = None,
    now: float = NOW,
    first_poll: FirstPoll | None = None,
) -> ProbeReport:
    """Return the report at ``now`` on a probe with an interval of 15 minutes and a max_age of an hour."""
    return ProbeReport(
        probe=probe if observation is None else observation.probe,
        account=account if observation is None else observation.account,
        api="cln.example.net",
        interval=900.0,
        max_age=3600.0,
        last_run=last_run,
        duration=None if last_run is None else 0.25,
        last_success=last_success,
        failure=failure,
        parts_ok=0 if observation is None else len(observation.parts),
        parts_missing=0 if observation is None else len(observation.parts_missing),
        missing=[] if observation is None else observation.gaps,
        observation=observation,
        first_poll=first_poll or UNSET,
        ages=Ages(
            last_run=None if last_run is None else now - last_run,
            last_success=None if last_success is None else now - last_success,
        ),
    )


def text_of(
    render: Callable[[Observation[Any], Any, Series], None], observation: Observation[Any], settings: ProbeSettings
) -> str:
    """Return the series that ``render`` adds, family by family."""
    series = new_series()
    render(observation, settings, series)
    return b"".join(texts_of(series).values()).decode()


def as_text(_: Family, __: int, text: bytes) -> bytes:
    """Return the ``text`` of a block, for series of which the text is held."""
    return text


def new_series() -> Series:
    """Return an empty Series that holds its text."""
    return Series(as_text)


def texts_of(series: Series) -> Mapping[Family, bytes]:
    """Return the text of each family in ``series``."""
    return {family: b"".join(blocks) for family, blocks in series.blocks().items()}


def rendered(report: ProbeReport, settings: ProbeSettings, max_server_series: int = 10**6) -> Mapping[Family, bytes]:
    """Return the text of each family of a target."""
    texts = render_target(report, settings, max_server_series, as_text).texts
    return {family: b"".join(blocks) for family, blocks in texts.items()}
