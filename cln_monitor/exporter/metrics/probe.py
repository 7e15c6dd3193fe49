"""The metrics of the probes themselves: whether and when they last ran, and how old their data may get."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from cln_monitor.exporter.metrics.families import Family, Series
from cln_monitor.probes import CheckinSettings, ProbeReport, ProbeSettings

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
STALE_AFTER = Family(
    "cln_probe_stale_after_seconds",
    "Age of a last check-in from which on the exporter counts a server as stale, stale_after as configured.",
    _LABELS,
)
CAUTIONS = Family(
    "cln_probe_cautions",
    "Keys, servers, fields or flags of which CLN tells something odd, by what that is; absent where nothing is.",
    (*_LABELS, "fact"),
)
FAMILIES = (SUCCESS, DURATION, INTERVAL, LAST_RUN, LAST_SUCCESS, STALE_AFTER, DROPPED, CAUTIONS)


def dropped_series(texts: Mapping[Family, bytes]) -> int:
    """Return how many per-server series are left out of the ``texts`` of a target, as its metric says."""
    return int(float(texts[DROPPED].rpartition(b" ")[2]))


def render(view: ProbeReport, settings: ProbeSettings, dropped: int, series: Series) -> None:
    """Write the series of how a probe stands; ``dropped`` is the number of series a server that were left out."""
    labels = (view.api, view.account, view.probe)
    series.add(INTERVAL, labels, view.interval)
    series.add(DROPPED, labels, dropped)
    if isinstance(settings, CheckinSettings):
        series.add(STALE_AFTER, labels, settings.stale_after)
    if view.last_run is not None and view.duration is not None:
        series.add(SUCCESS, labels, int(view.failure is None))
        series.add(DURATION, labels, view.duration)
        series.add(LAST_RUN, labels, view.last_run)
    cautions: Counter[str] = Counter()
    for caution in view.observation.all_cautions if view.observation is not None else ():
        cautions[caution.fact] += caution.count
    for fact, count in sorted(cautions.items()):
        series.add(CAUTIONS, (*labels, fact), count)
    if view.last_success is not None:
        series.add(LAST_SUCCESS, labels, view.last_success)
