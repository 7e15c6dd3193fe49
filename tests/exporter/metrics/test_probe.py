"""The text of the metrics of a probe itself."""

from __future__ import annotations

import msgspec

from cln_monitor.exporter.families import Series
from cln_monitor.exporter.metrics.probe import ProbeState, render
from cln_monitor.probes import Failure, Missing, Run
from tests.helpers.clock import NOW

from .rendering import observed

GOOD = Run(observed({}), NOW, 0.25)
FAILED = msgspec.structs.replace(
    GOOD, observation=msgspec.structs.replace(GOOD.observation, missing=(Missing("", Failure("auth", "no")),))
)


def text(state: ProbeState, dropped: int = 0) -> str:
    """Return the series of a state."""
    series = Series()
    render(state, dropped, series)
    return b"".join(series.texts().values()).decode()


def test_before_the_first_run() -> None:
    """What is configured is there; whether it works is not known."""
    assert (
        text(ProbeState("cln.example.net", "acme", "kernelcare", 900.0))
        == """\
cln_probe_interval_seconds{api="cln.example.net",account="acme",probe="kernelcare"} 900
cln_probe_server_series_dropped{api="cln.example.net",account="acme",probe="kernelcare"} 0
"""
    )


def test_after_a_success() -> None:
    """All of it."""
    assert (
        text(ProbeState("cln.example.net", "acme", "kernelcare", 900.0, GOOD, NOW + 0.25), 12)
        == """\
cln_probe_interval_seconds{api="cln.example.net",account="acme",probe="kernelcare"} 900
cln_probe_server_series_dropped{api="cln.example.net",account="acme",probe="kernelcare"} 12
cln_probe_success{api="cln.example.net",account="acme",probe="kernelcare"} 1
cln_probe_duration_seconds{api="cln.example.net",account="acme",probe="kernelcare"} 0.25
cln_probe_last_run_timestamp_seconds{api="cln.example.net",account="acme",probe="kernelcare"} 1714490800
cln_probe_last_success_timestamp_seconds{api="cln.example.net",account="acme",probe="kernelcare"} 1714490800.25
"""
    )


def test_after_a_failure() -> None:
    """Success is 0, and the time of the last success stays; it is absent when there never was one."""
    assert 'cln_probe_success{api="h",account="",probe="status"} 0\n' in text(ProbeState("h", "", "status", 60, FAILED))
    assert "last_success" not in text(ProbeState("h", "", "status", 60, FAILED))
    assert 'last_success_timestamp_seconds{api="h",account="",probe="status"} 5\n' in text(
        ProbeState("h", "", "status", 60, FAILED, 5.0)
    )
