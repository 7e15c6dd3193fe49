"""The metrics of the probes themselves: whether and when they last ran, and how old their data may get."""

from __future__ import annotations

from dataclasses import dataclass

from cln_monitor.exporter.families import Family, Series
from cln_monitor.probes import Run

_LABELS = ("api", "account", "probe")

SUCCESS = Family("cln_probe_success", "Whether the last run of the probe read all there is to read.", _LABELS)
DURATION = Family("cln_probe_duration_seconds", "How long the last run of the probe took.", _LABELS)
INTERVAL = Family("cln_probe_interval_seconds", "Time between two runs of the probe, as configured.", _LABELS)
LAST_RUN = Family("cln_probe_last_run_timestamp_seconds", "Unix time at which the probe last ran.", _LABELS)
LAST_SUCCESS = Family(
    "cln_probe_last_success_timestamp_seconds",
    "Unix time at which the probe last read all there is to read: the age of the polled data.",
    _LABELS,
)
DROPPED = Family(
    "cln_probe_server_series_dropped",
    "Series a server that were left out, as there are more of them than max_server_series allows.",
    _LABELS,
)
FAMILIES = (SUCCESS, DURATION, INTERVAL, LAST_RUN, LAST_SUCCESS, DROPPED)


@dataclass(frozen=True, slots=True)
class ProbeState:
    """How the runs of a probe stand. Times are Unix seconds; None before the first run or success."""

    api: str
    account: str
    probe: str
    interval: float
    last_run: Run[object] | None = None
    last_success: float | None = None


def render(state: ProbeState, dropped: int, series: Series) -> None:
    """Write the series of ``state``; ``dropped`` is the number of series a server that were left out."""
    labels = (state.api, state.account, state.probe)
    series.add(INTERVAL, labels, state.interval)
    series.add(DROPPED, labels, dropped)
    if state.last_run is not None:
        series.add(SUCCESS, labels, int(state.last_run.failure is None))
        series.add(DURATION, labels, state.last_run.duration)
        series.add(LAST_RUN, labels, state.last_run.started_at)
    if state.last_success is not None:
        series.add(LAST_SUCCESS, labels, state.last_success)
