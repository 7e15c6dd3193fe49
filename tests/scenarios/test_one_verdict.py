"""The status page and the plugins agree on fleets for each row of the policy, and just below its thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from cln_monitor.checks import checkin_rules
from cln_monitor.checks.plugins import awp, cloudlinux, cve, els, eportal, ip_licenses, patch_status, status
from cln_monitor.checks.result import CheckResult
from cln_monitor.checks.states import State
from cln_monitor.exporter.web.status_page.probe_status import ProbeStatus
from cln_monitor.exporter.web.status_page.problem import Problem
from cln_monitor.exporter.web.status_page.problems import problems
from cln_monitor.exporter.web.status_page.summary import summarize
from cln_monitor.policy import Severity
from cln_monitor.probes import EportalSettings, Observation, stale_after_of
from tests.checks.inside import options_of
from tests.exporter.metrics.rendering import viewed
from tests.helpers.clock import NOW

from .fleets import COVERAGES, FLEETS, Fleet, settings_of

STATES = {State.OK: Severity.INFO, State.WARNING: Severity.WARNING, State.CRITICAL: Severity.CRITICAL}


def on_page(fleet: Fleet) -> list[Problem]:
    """Return the severity of a fleet on the status page."""
    view = viewed(fleet.observation, last_run=NOW, last_success=NOW)
    return problems([ProbeStatus(view, settings_of(fleet), summarize(fleet.observation))], NOW)


def by_plugin(fleet: Fleet) -> tuple[Severity | None, str]:
    """Return the severity and the text of the plugin that reads an exporter."""
    report = viewed(fleet.observation, last_run=NOW, last_success=NOW)
    report = msgspec.structs.replace(report, stale_after=stale_after_of(settings_of(fleet)))
    result = _judged(fleet.observation.probe, msgspec.json.decode(msgspec.json.encode(report)))
    state, _ = result.evaluate()
    return (STATES[state] if state is not State.OK or _notes(result.text) else None), result.text


def _judged(probe: str, view: Any) -> CheckResult:
    if probe in {"kernelcare", "imunify"}:
        return checkin_rules.judge(view, probe, options_of(f"check_cln_{probe}"), NOW)
    modules: dict[str, Any] = {
        "awp": awp,
        "cloudlinux": cloudlinux,
        "els": els,
        "eportal": eportal,
        "ip_licenses": ip_licenses,
        "patch_status": patch_status,
        "status": status,
    }
    result: CheckResult = modules[probe].judge(view, options_of(f"check_cln_{probe}"), NOW)
    return result


def _notes(text: str) -> Sequence[str]:
    """Return the additional text of an OK line."""
    _, *others = text.split("; ")
    return [note for note in others if not note.startswith("fullest key: ")]


@pytest.mark.parametrize("fleet", FLEETS, ids=[fleet.name for fleet in FLEETS])
def test_the_page_and_the_plugin_agree(fleet: Fleet) -> None:
    """Page and plugin have the severity of the policy, and a note if it has one."""
    found = on_page(fleet)
    assert max((problem.severity for problem in found), default=None) == fleet.severity, found
    severity, text = by_plugin(fleet)
    assert severity == fleet.severity, text


@pytest.mark.parametrize(("observation", "state"), COVERAGES)
def test_the_page_and_the_plugin_agree_on_a_cve(observation: Observation[Any], state: State) -> None:
    """A CVE that is not fixed, or of which that is unknown, is a warning of the page and not OK for the plugin."""
    view = viewed(observation, last_run=NOW, last_success=NOW)
    found = problems([ProbeStatus(view, EportalSettings(), summarize(observation))], NOW)
    severities = [problem.severity for problem in found]
    assert severities == ([] if state is State.OK else [Severity.WARNING])
    report = msgspec.json.decode(msgspec.json.encode(view))
    assert cve.judge(report, options_of("check_cln_cve"), NOW).evaluate()[0] == state
