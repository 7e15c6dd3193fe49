"""Tests of the metrics of the probes themselves."""

from __future__ import annotations

import msgspec
import pytest

from cln_monitor.exporter.metrics.probe import render
from cln_monitor.probes import Caution, CheckinSettings, Failure, FirstPoll, Part, ProbeReport
from tests.helpers.clock import NOW

from .rendering import new_series, observed, texts_of, viewed

FAILURE = Failure("auth", "no")
LAST_SUCCESS_5 = 'cln_probe_last_success_timestamp_seconds{api="cln.example.net",account="acme",probe="kernelcare"} 5\n'


def text(report: ProbeReport, dropped: int = 0) -> str:
    """Return the series of a report."""
    series = new_series()
    render(report, CheckinSettings(), dropped, series)
    return b"".join(texts_of(series).values()).decode()


def test_before_the_first_run() -> None:
    """Before the first run there are only series of the configuration."""
    assert (
        text(viewed())
        == """\
cln_probe_interval_seconds{api="cln.example.net",account="acme",probe="kernelcare"} 900
cln_probe_server_series_dropped{api="cln.example.net",account="acme",probe="kernelcare"} 0
cln_probe_stale_after_seconds{api="cln.example.net",account="acme",probe="kernelcare"} 86400
"""
    )


@pytest.mark.parametrize("last_run", [None, NOW], ids=["no run before", "a run whose data have expired"])
def test_in_a_first_poll(last_run: float | None) -> None:
    """While the data of a first poll are shown, the probe has not succeeded, and cautions are not counted."""
    part = Part("k", NOW, None, NOW, (Caution("limit_unreadable", ("k",)),))
    observation = msgspec.structs.replace(observed({}), parts=(part,))
    lines = text(viewed(observation, last_run=last_run, last_success=last_run, first_poll=FirstPoll(3, 10)))
    assert [line.split("{")[0] + line[line.rindex(" ") :] for line in lines.splitlines()] == [
        "cln_probe_interval_seconds 900",
        "cln_probe_server_series_dropped 0",
        "cln_probe_stale_after_seconds 86400",
        "cln_probe_success 0",
        "cln_probe_first_poll_ratio 0.3",
        *(
            [
                "cln_probe_duration_seconds 0.25",
                f"cln_probe_last_run_timestamp_seconds {NOW:.0f}",
                f"cln_probe_last_success_timestamp_seconds {NOW:.0f}",
            ]
            if last_run
            else []
        ),
    ]


def test_after_a_success() -> None:
    """After a success there are all series."""
    assert (
        text(viewed(last_run=NOW, last_success=NOW + 0.25), 12)
        == """\
cln_probe_interval_seconds{api="cln.example.net",account="acme",probe="kernelcare"} 900
cln_probe_server_series_dropped{api="cln.example.net",account="acme",probe="kernelcare"} 12
cln_probe_stale_after_seconds{api="cln.example.net",account="acme",probe="kernelcare"} 86400
cln_probe_success{api="cln.example.net",account="acme",probe="kernelcare"} 1
cln_probe_duration_seconds{api="cln.example.net",account="acme",probe="kernelcare"} 0.25
cln_probe_last_run_timestamp_seconds{api="cln.example.net",account="acme",probe="kernelcare"} 1714490800
cln_probe_last_success_timestamp_seconds{api="cln.example.net",account="acme",probe="kernelcare"} 1714490800.25
"""
    )


def test_after_a_failure() -> None:
    """After a failure success is 0 and the time of the last success stays, or is absent if there was none."""
    never, before = (
        text(viewed(last_run=NOW, failure=FAILURE)),
        text(viewed(last_run=NOW, last_success=5.0, failure=FAILURE)),
    )
    assert 'cln_probe_success{api="cln.example.net",account="acme",probe="kernelcare"} 0\n' in never
    assert "last_success" not in never
    assert before == never + LAST_SUCCESS_5


def test_cautions() -> None:
    """Cautions are counted by fact over all parts and the list of parts."""
    observation = msgspec.structs.replace(
        observed({"a": None, "b": None}), cautions=Caution.for_names("field_missing", ["limit of 2 KernelCare keys"])
    )
    parts = tuple(
        msgspec.structs.replace(part, cautions=Caution.for_names("checkin_ahead", ["192.0.2.1", "192.0.2.2"]))
        for part in observation.parts
    )
    lines = text(viewed(msgspec.structs.replace(observation, parts=parts))).splitlines()
    assert [line.partition("fact=")[2] for line in lines if line.startswith("cln_probe_cautions")] == [
        '"checkin_ahead"} 4',
        '"field_missing"} 1',
    ]
