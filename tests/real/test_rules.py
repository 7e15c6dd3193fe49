"""The shipped Prometheus and Alertmanager files, as their own tools judge them, and what their tests leave out."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helpers import servers

FOLDER = Path(__file__).parents[2] / "dashboards" / "prometheus"
RUNBOOK = FOLDER.parents[1] / "docs" / "runbook.md"
TESTS = ("cln.rules.test.yml", "cln.rules.days.test.yml")
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((FOLDER / "cln.rules.yml").read_text())["groups"] for rule in group["rules"]
]
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}
GROUPS: list[dict[str, Any]] = [
    group for file in TESTS for group in yaml.safe_load((FOLDER / file).read_text())["tests"]
]
CASES: list[dict[str, Any]] = [case for group in GROUPS for case in group.get("alert_rule_test", [])]


def run(*command: str, folder: Path = FOLDER) -> tuple[int, str]:
    """Return the exit code and the output of one of the servers' tools."""
    done = subprocess.run(
        [servers.path(command[0]), *command[1:]],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout.decode()


@pytest.mark.needs_server("prometheus")
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("check", "config", "prometheus.yml"), id="scrape-configuration"),
        pytest.param(("check", "rules", "--lint-fatal", "cln.rules.yml"), id="rules"),
        *(pytest.param(("test", "rules", name), id=name) for name in TESTS),
    ],
)
def test_promtool_accepts_what_is_shipped(arguments: tuple[str, ...]) -> None:
    """What users copy works as it is, and each alert fires when it should and not before."""
    code, told = run("promtool", *arguments)
    assert code == 0, told


@pytest.mark.needs_server("prometheus")
def test_thresholds_are_in_one_place(tmp_path: Path) -> None:
    """Whoever changes one changes what its alert does: a little is enough for the tests of the rules to notice."""
    text = (FOLDER / "cln.rules.yml").read_text()
    changed = {
        "ClnServerStale": (
            "labels: {probe: kernelcare}, expr: 24 * 3600",
            "labels: {probe: kernelcare}, expr: 24 * 3601",
        ),
        "ClnManyServersStale": ("many_stale_servers, expr: 25", "many_stale_servers, expr: 26"),
        "ClnKeyAllServersStale": ("whole_key_servers, expr: 2", "whole_key_servers, expr: 13"),
        "ClnServersNeverCheckedIn": ("checked_in_seconds, expr: 24 * 3600", "checked_in_seconds, expr: 24 * 3596"),
        "ClnKeyNearlyFull": ("nearly_full_ratio, expr: 0.9", "nearly_full_ratio, expr: 0.89"),
        "ClnAuthFailed": ("probe_failed_runs, expr: 3", "probe_failed_runs, expr: 2"),
        "ClnDataTooOld": ("probe_late_intervals, expr: 4", "probe_late_intervals, expr: 3.9"),
        "ClnClockSkew": ("clock_skew_seconds, expr: 300", "clock_skew_seconds, expr: 299"),
    }
    for old, new in changed.values():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (tmp_path / "cln.rules.yml").write_text(text)
    tests = yaml.safe_load((FOLDER / TESTS[0]).read_text())
    tests["tests"] = [
        group
        for group in tests["tests"]
        if any(case["alertname"] in changed and case.get("exp_alerts") for case in group.get("alert_rule_test", []))
    ]
    (tmp_path / "test.yml").write_text(yaml.safe_dump(tests, allow_unicode=True))
    code, told = run("promtool", "test", "rules", "test.yml", folder=tmp_path)
    assert code == 1, told
    assert set(changed) <= set(re.findall(r"alertname: (\w+)", told))


@pytest.mark.needs_server("prometheus")
def test_the_queries_of_the_runbook_can_be_asked(tmp_path: Path) -> None:
    """Each line of its blocks of PromQL is a query of its own."""
    blocks = re.findall(r"^```promql\n(.+?)^```", RUNBOOK.read_text(), re.MULTILINE | re.DOTALL)
    queries = [line for block in blocks for line in block.splitlines()]
    assert len(queries) > 10
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries)]
    (tmp_path / "queries.yml").write_text(yaml.safe_dump({"groups": [{"name": "runbook", "rules": rules}]}))
    code, told = run("promtool", "check", "rules", "queries.yml", folder=tmp_path)
    assert code == 0, told


@pytest.mark.needs_server("alertmanager")
def test_amtool_accepts_the_example() -> None:
    """Also what no alert of ours goes through is spelled right."""
    code, told = run("amtool", "check-config", "alertmanager.yml")
    assert code == 0, told
    assert "5 inhibit rules" in told


@pytest.mark.needs_server("alertmanager")
@pytest.mark.parametrize("name", re.findall(r"Cln\w+", (FOLDER / "alertmanager.yml").read_text()))
def test_the_example_of_alertmanager_knows_the_alerts(name: str) -> None:
    """A name that is not there would inhibit nothing."""
    assert name in ALERTS


@pytest.mark.parametrize("name", ALERTS)
def test_each_alert_is_tested_for_firing_and_for_not_firing(name: str) -> None:
    """Both, and with the whole of its text: promtool compares annotations, so that none has a value missing."""
    cases = [case for case in CASES if case["alertname"] == name]
    fired = [alert for case in cases for alert in case.get("exp_alerts") or []]
    assert fired
    assert [case for case in cases if not case.get("exp_alerts")]
    for alert in fired:
        assert set(alert["exp_annotations"]) == {"summary", "description", "runbook_url"}
        for text in alert["exp_annotations"].values():
            assert not re.search(r"<no value>|<error|\{\{|%!|  |None", text), text


def test_no_test_is_about_an_alert_that_is_not_there() -> None:
    """A test that an unknown alert does not fire would always pass."""
    assert {case["alertname"] for case in CASES} == set(ALERTS)
    names = [re.findall(r"Cln\w+", str(group.get("promql_expr_test"))) for group in GROUPS]
    assert {name for found in names for name in found if name != "ClnKey"} <= set(ALERTS)
