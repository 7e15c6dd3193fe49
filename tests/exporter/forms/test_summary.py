"""Summaries: what they contain, and how long one may be reused."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest

from cln_monitor.cln import KernelCareServer
from cln_monitor.exporter.forms import Limits
from cln_monitor.exporter.forms.summary import Summary, summarize
from cln_monitor.policy import LONGEST_SILENCE, NEVER_AFTER, NEWLY_SILENT
from cln_monitor.probes import KernelCareKeyServers, Observation, Part, ProbeReport
from tests.helpers.clock import NOW

DAY = 86400.0


def summary_of(*servers: KernelCareServer, limits: Limits = Limits(), at: float = NOW) -> Summary:  # noqa: B008 # immutable
    """Return the summary of a key with ``servers``."""
    value = KernelCareKeyServers("WsTs-8c7994d7", "web", enabled=True, limit=9, servers=list(servers))
    observation: Observation[Any] = Observation(
        "kernelcare", "acme", "cln.example.net", NOW, (Part("WsTs-8c7994d7", NOW, value),)
    )
    report = ProbeReport(
        probe="kernelcare",
        account="acme",
        api="cln.example.net",
        interval=900.0,
        max_age=3600.0,
        stale_after=DAY,
        last_run=NOW,
        duration=1.0,
        last_success=NOW,
        failure=None,
        parts_ok=1,
        parts_missing=0,
        missing=[],
        observation=observation,
        host_names={"a": "web1.example.net"},
    )
    return summarize(report, limits, at)


def server(name: str, age: float | None, created: float | None = None) -> KernelCareServer:
    """Return a server that checked in ``age`` seconds ago."""
    return KernelCareServer(name, "192.0.2.1", created, None if age is None else NOW - age)


def test_content() -> None:
    """A key has its counts and its oldest check-in in place of its servers; the worst servers have their names."""
    answer = msgspec.json.decode(summary_of(server("a", 2 * DAY), server("b", 60), server("c", None)).body.text)
    [part] = answer["observation"]["parts"]
    assert part["value"] == {
        "key": "WsTs-8c7994d7",
        "note": "web",
        "enabled": True,
        "limit": 9,
        "checkins": {"fresh": 1, "stale": 1, "never": 1, "unknown": 0},
        "oldest": NOW - 2 * DAY,
    }
    assert answer["host_names"] == {}
    summary = answer["summary"]
    assert (summary["at"], summary["by_policy"], summary["warning"], summary["critical"]) == (NOW, True, DAY, None)
    names = {
        group["checkin"]: [one["name"] for one in group["servers"]] for group in summary["groups"] if group["state"]
    }
    assert names == {"seen": ["web1.example.net 192.0.2.1"]}


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Limits(60.0, None), (60.0, None)),
        (Limits(None, 2 * DAY), (DAY, 2 * DAY)),
        (Limits(None, 60.0), (None, 60.0)),
        (Limits(60.0, 120.0), (60.0, 120.0)),
    ],
)
def test_thresholds(limits: Limits, expected: tuple[float | None, float | None]) -> None:
    """The default for WARNING is stale_after, unless CRITICAL comes earlier."""
    summary = msgspec.json.decode(summary_of(limits=limits).body.text)["summary"]
    assert (summary["warning"], summary["critical"]) == expected
    assert not summary["by_policy"]


@pytest.mark.parametrize(
    ("servers", "limits", "until"),
    [
        ([server("a", 60)], Limits(), DAY - 60),
        ([server("a", DAY + 0.5)], Limits(), 0.5),
        ([server("a", DAY + 1.5)], Limits(), NEWLY_SILENT - 1.5),
        ([server("a", DAY + NEWLY_SILENT + 5)], Limits(), LONGEST_SILENCE + 1 - (DAY + NEWLY_SILENT + 5)),
        ([server("a", LONGEST_SILENCE + 9)], Limits(), math.inf),
        ([server("a", None, NOW - 60)], Limits(), NEVER_AFTER + 1 - 60),
        ([server("a", None)], Limits(), math.inf),
        ([server("a", None, NOW - 60)], Limits(100.0, None), 41.0),
        ([server("a", 60)], Limits(None, 70.0), 11.0),
        ([server("a", 60), server("b", 2 * DAY)], Limits(100.0, None), 41.0),
    ],
)
def test_until_when_it_is_valid(servers: list[KernelCareServer], limits: Limits, until: float) -> None:
    """A summary is valid until the next server gets into another group."""
    found = summary_of(*servers, limits=limits)
    assert found.valid_until == pytest.approx(NOW + until, abs=0.01)
    assert found.valid_from < NOW < found.valid_until


def test_a_summary_at_the_moment_of_a_change() -> None:
    """A summary that is made when a server changes its group is valid for no other time."""
    found = summary_of(server("a", DAY))
    assert found.valid_until < found.valid_from
