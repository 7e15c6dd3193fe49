"""The dashboard CLN exporter: runs of probes, age of data, and API requests."""

from __future__ import annotations

from grafana_foundation_sdk.builders import stat, statetimeline, table, timeseries
from grafana_foundation_sdk.models import dashboard as model

from . import queries as q
from . import variables
from .panels import BAD, GOOD, NONE_IS_GOOD, POLLED, RATE_INTERVAL, WARN, Steps, lines, number, states
from .tables import Column, rows

PROBES = f'{q.PROBES},probe=~"$probe"'
REQUESTS = f"cln_api_requests_total{{{q.EXPORTER}}}"
REFUSED = f'cln_api_requests_total{{{q.EXPORTER},code!~"2.."}}'
BY_PROBE = "instance, account, probe"
SUCCESS = f"cln_probe_last_success_timestamp_seconds{{{PROBES}}}"
LATENESS: Steps = ((None, GOOD), (2, WARN))


def dashboard() -> model.Dashboard:
    """Return the dashboard."""
    return variables.dashboard(
        "cln-exporter",
        "The exporter itself: its probes, the age of its data, its requests to the CLN API.",
        [variables.of_label("probe", "Probe", f"cln_probe_interval_seconds{{{q.PROBES}}}")],
        [*_numbers(), _success(), _probes(), _ages(), _durations(), _requests(), _failures(), _calls()],
    )


def _numbers() -> list[stat.Panel]:
    return [
        number(
            "Exporters",
            "Exporters that Prometheus scraped successfully at the last scrape.",
            f"count(cln_exporter_build_info{{{q.EXPORTER}}})",
            ((None, BAD), (1, "text")),
            none="none",
            size=(4, 4),
        ),
        number(
            "Failing probes",
            "Probes whose last run failed; their previous data are shown until max_age.",
            f"sum({q.failing_probes(PROBES, BY_PROBE)})",
            NONE_IS_GOOD,
            size=(4, 4),
        ),
        number(
            "Oldest data, in intervals",
            "Age of the oldest complete data of a probe, in intervals of that probe; up to 1 is normal.",
            f"max((time() - {SUCCESS}) / cln_probe_interval_seconds{{{PROBES}}})",
            LATENESS,
            unit="none",
            decimals=1,
            size=(4, 4),
        ),
        number(
            "Configuration",
            "Whether the last attempt to load the configuration succeeded.",
            f"min(cln_exporter_config_last_reload_successful{{{q.EXPORTER}}})",
            shown={"1": ("loaded", GOOD), "0": ("invalid", WARN)},
            size=(4, 4),
        ),
        number(
            "Clock skew of CLN",
            "Difference between the clocks of CLN and the exporter, by the Date header of the last response: tokens "
            "are valid only for a short time.",
            f"max(abs(cln_api_clock_skew_seconds{{{q.EXPORTER}}}))",
            ((None, GOOD), (30, "yellow"), (300, WARN)),
            unit="s",
            size=(4, 4),
        ),
        number(
            "Series dropped",
            "Per-server series that are not exposed because they exceed max_server_series: "
            "cln_probe_server_series_dropped.",
            f"sum({q.once(BY_PROBE, f'cln_probe_server_series_dropped{{{PROBES}}}')})",
            ((None, GOOD), (1, WARN)),
            size=(4, 4),
        ),
    ]


def _success() -> statetimeline.Panel:
    return states(
        "Probes over time",
        "Whether the last run of each probe read all data; with several exporters, at all of them.",
        (f"min by (account, probe) (cln_probe_success{{{PROBES}}})", "{{account}} {{probe}}"),
        {"1": ("succeeds", GOOD), "0": ("fails", WARN)},
        size=(12, 10),
    )


def _probes() -> table.Panel:
    def by_probe(metric: str) -> str:
        return q.once(BY_PROBE, f"cln_probe_{metric}{{{PROBES}}}")

    interval = by_probe("interval_seconds")
    return rows(
        "Probes now",
        "The last run of each probe, the age of its data, its interval, and the duration of its last run. The probe "
        "without an account is that of CLN's status.",
        [
            interval,
            f"{by_probe('success')} or {interval} * NaN",
            f"time() - {by_probe('last_success_timestamp_seconds')} or {interval} * NaN",
            f"{by_probe('duration_seconds')} or {interval} * NaN",
        ],
        [
            Column("probe", "Probe"),
            Column("account", "Account", width=90),
            Column("instance", "Exporter", width=140),
            Column("Value #B", "Last run", width=95, shown={"1": ("succeeded", GOOD), "0": ("failed", WARN)}),
            Column("Value #C", "Data age", unit="s", decimals=0, width=90, right=True),
            Column("Value #A", "Interval", unit="s", decimals=0, width=90, right=True),
            Column("Value #D", "Duration", unit="s", decimals=1, width=90, right=True),
        ],
        size=(12, 10),
        none="No probes",
        sort=[("Probe", False)],
    )


def _ages() -> timeseries.Panel:
    return lines(
        "Age of the data",
        f"Time since each probe last read all data; a sawtooth up to its interval is normal. {POLLED}",
        [(f"max by (account, probe) (time() - {SUCCESS})", "{{account}} {{probe}}")],
        size=(12, 9),
        unit="s",
        soft_max=60,
        steps=False,
    )


def _durations() -> timeseries.Panel:
    return lines(
        "Duration of the probes",
        "Duration of the last run of each probe; with several exporters, the longest.",
        [(f"max by (account, probe) (cln_probe_duration_seconds{{{PROBES}}})", "{{account}} {{probe}}")],
        size=(12, 9),
        unit="s",
        soft_max=0.1,
    )


def _requests() -> timeseries.Panel:
    return lines(
        "CLN API requests per hour",
        "Requests to CLN of all accounts, by HTTP status, or by the reason if there was no response: "
        "cln_api_requests_total.",
        [(f"3600 * sum by (code) (rate({REQUESTS}[$__rate_interval]))", "{{code}}")],
        size=(12, 8),
        interval=RATE_INTERVAL,
        stacked=True,
        colors={"200": GOOD},
    )


def _failures() -> timeseries.Panel:
    return lines(
        "Failed runs by reason",
        "Failed runs of probes by reason: cln_probe_failures_total. See the status page or the log of the exporter "
        "for the errors, and the runbook for what to do.",
        [(f"sum by (reason) (increase(cln_probe_failures_total{{{PROBES}}}[$__rate_interval]))", "{{reason}}")],
        size=(12, 8),
        stacked=True,
        as_bars=True,
        interval=RATE_INTERVAL,
        soft_max=4,
    )


def _calls() -> table.Panel:
    histogram = f"cln_api_request_duration_seconds_bucket{{{q.EXPORTER}}}"
    seconds = f"cln_api_request_duration_seconds_sum{{{q.EXPORTER}}}"
    calls = f"sum by (endpoint) (increase({REQUESTS}[$__range]))"
    return rows(
        "Requests by endpoint",
        "Requests to CLN of all accounts within the time range, how many had no successful HTTP status, and their "
        "duration including the body.",
        [
            calls,
            f"sum by (endpoint) (increase({REFUSED}[$__range])) or {calls} * 0",
            f"sum by (endpoint) (increase({seconds}[$__range])) / ({calls} > 0) or {calls} * NaN",
            f"histogram_quantile(0.95, sum by (endpoint, le) (rate({histogram}[$__range])))",
        ],
        [
            Column("endpoint", "Endpoint"),
            Column("Value #A", "Requests", decimals=0, width=140, right=True),
            Column("Value #B", "Failed", decimals=0, width=140, right=True, steps=((None, "text"), (0.5, WARN))),
            Column("Value #C", "Mean", unit="s", decimals=1, width=140, right=True),
            Column("Value #D", "95th percentile", unit="s", decimals=1, width=180, right=True),
        ],
        size=(24, 16),
        none="No requests in this time range",
        sort=[("Requests", True)],
    )
