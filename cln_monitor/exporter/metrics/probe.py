"""The metrics of the probes themselves: when they last ran, whether that succeeded, and their configuration."""

from __future__ import annotations

from collections import Counter

from cln_monitor.exporter.metrics.families import Family, Series
from cln_monitor.probes import CheckinSettings, ProbeReport, ProbeSettings

_LABELS = ("api", "account", "probe")

SUCCESS = Family("cln_probe_success", "Whether the last run of the probe succeeded.", _LABELS)
DURATION = Family("cln_probe_duration_seconds", "Duration of the last run of the probe.", _LABELS)
INTERVAL = Family("cln_probe_interval_seconds", "Configured interval between runs of the probe.", _LABELS)
LAST_RUN = Family("cln_probe_last_run_timestamp_seconds", "Unix time of the last run of the probe.", _LABELS)
LAST_SUCCESS = Family(
    "cln_probe_last_success_timestamp_seconds",
    "Unix time of the last successful run of the probe, which is the time of the polled data.",
    _LABELS,
)
DROPPED = Family(
    "cln_probe_server_series_dropped",
    "Number of per-server series left out because they exceed max_server_series.",
    _LABELS,
)
STALE_AFTER = Family(
    "cln_probe_stale_after_seconds",
    "Age of the last check-in from which a server counts as stale, as configured by stale_after.",
    _LABELS,
)
CAUTIONS = Family(
    "cln_probe_cautions",
    "Number of keys, servers, fields or flags with unexpected data, by fact; absent if zero.",
    (*_LABELS, "fact"),
)
FIRST_POLL = Family(
    "cln_probe_first_poll_ratio",
    "Share of the first poll that is done, from 0 to 1, while its data are shown as they come; absent otherwise.",
    _LABELS,
)
FAMILIES = (SUCCESS, DURATION, INTERVAL, LAST_RUN, LAST_SUCCESS, STALE_AFTER, DROPPED, CAUTIONS, FIRST_POLL)


def render(report: ProbeReport, settings: ProbeSettings, dropped: int, series: Series) -> None:
    """Add the series of the probe of ``report``; ``dropped`` is the number of per-server series left out."""
    labels = (report.api, report.account, report.probe)
    series.add(INTERVAL, labels, report.interval)
    series.add(DROPPED, labels, dropped)
    if isinstance(settings, CheckinSettings):
        series.add(STALE_AFTER, labels, settings.stale_after)
    if report.first_poll:
        series.add(SUCCESS, labels, 0)
        series.add(FIRST_POLL, labels, report.first_poll.done / report.first_poll.total)
    elif report.last_run is not None:
        series.add(SUCCESS, labels, int(report.failure is None))
    if report.last_run is not None and report.duration is not None:
        series.add(DURATION, labels, report.duration)
        series.add(LAST_RUN, labels, report.last_run)
    cautions: Counter[str] = Counter()
    for caution in report.observation.all_cautions if report.observation and not report.first_poll else ():
        cautions[caution.fact] += caution.count
    for fact, count in sorted(cautions.items()):
        series.add(CAUTIONS, (*labels, fact), count)
    if report.last_success is not None:
        series.add(LAST_SUCCESS, labels, report.last_success)
