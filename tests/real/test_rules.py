"""The shipped Prometheus and Alertmanager files are valid for their own tools, and their tests are complete."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helpers import servers
from tests.helpers.alert_rules import FOLDER, TEST_FILES, alerts_of, load_rules, load_test_groups

RUNBOOK = FOLDER.parents[1] / "docs" / "runbook.md"
ALERTS = alerts_of(load_rules())
GROUPS = load_test_groups()
CASES: list[dict[str, Any]] = [case for group in GROUPS for case in group.get("alert_rule_test", [])]


def run(*command: str, folder: Path = FOLDER) -> tuple[int, str]:
    """Return the exit code and the output of a tool of the servers."""
    done = subprocess.run(
        [servers.path(command[0]), *command[1:]],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=600,
        check=False,
    )
    return done.returncode, done.stdout.decode()


@pytest.mark.needs_server("prometheus")
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("check", "config", "prometheus.yml"), id="scrape-configuration"),
        pytest.param(("check", "rules", "--lint-fatal", "cln.rules.yml"), id="rules"),
        *(pytest.param(("test", "rules", name), id=name) for name in TEST_FILES),
    ],
)
def test_promtool_accepts_the_shipped_files(arguments: tuple[str, ...]) -> None:
    """promtool accepts the shipped files, and their tests pass."""
    code, output = run("promtool", *arguments)
    assert code == 0, output


CHANGES = {
    "newly_silent": ("3 * 86400", "3 * 86300", {"ClnServersLongStale"}),
    "gone": ("30 * 86400", "30 * 86403", {"ClnServersGone"}),
    "many": (" 25", " 26", {"ClnManyServersStale", "ClnServersLongStale"}),
    "many_percent": ("0.1 ", "0.11 ", {"ClnManyServersStale"}),
    "whole_key": (">= 2", ">= 3", {"ClnKeyAllServersStale"}),
    "never": ("> 86400", "> 86461", {"ClnServersNeverCheckedIn"}),
    "least_limit": (">= 2", ">= 3", {"ClnKeyFull"}),
    "nearly_full": ("0.9", "0.89", {"ClnKeyNearlyFull"}),
    "failed_runs": ("2.5", "1.5", {"ClnAuthFailed", "ClnProbeFailing"}),
    "late_runs": ("4 *", "3.9 *", {"ClnDataTooOld"}),
    "clock_skew": ("300", "299", {"ClnClockSkew"}),
    "dropped_least": ("- 5", "- 4", {"ClnServersDropped"}),
    "bill_jumped": ("1.5 *", "1.49 *", {"ClnAwpBillJumped"}),
}
"""By threshold: its value, a slightly different one, and the alerts that then behave differently."""


@pytest.mark.needs_server("prometheus")
@pytest.mark.parametrize("threshold", CHANGES)
def test_a_little_of_a_threshold_is_noticed(threshold: str, tmp_path: Path) -> None:
    """A small change of a threshold fails the tests of the rules."""
    old, new, alerts = CHANGES[threshold]
    lines = (FOLDER / "cln.rules.yml").read_text().splitlines()
    mark = f"# threshold: {threshold}"
    changed = [line.replace(old, new, 1) if line.endswith(mark) else line for line in lines]
    assert changed != lines
    (tmp_path / "cln.rules.yml").write_text("\n".join(changed))
    tests = yaml.safe_load((FOLDER / TEST_FILES[0]).read_text())
    tests["tests"] = [
        group
        for group in tests["tests"]
        if any(case["alertname"] in alerts for case in group.get("alert_rule_test", []))
    ]
    (tmp_path / "test.yml").write_text(yaml.safe_dump(tests, allow_unicode=True))
    code, output = run("promtool", "test", "rules", "test.yml", folder=tmp_path)
    assert code == 1, output
    assert alerts <= set(re.findall(r"alertname: (\w+)", output))


@pytest.mark.needs_server("prometheus")
def test_the_queries_of_the_runbook_can_be_asked(tmp_path: Path) -> None:
    """Each line of PromQL in the runbook is a valid query."""
    blocks = re.findall(r"^```promql\n(.+?)^```", RUNBOOK.read_text(), re.MULTILINE | re.DOTALL)
    queries = [line for block in blocks for line in block.splitlines()]
    assert len(queries) > 10
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries)]
    (tmp_path / "queries.yml").write_text(yaml.safe_dump({"groups": [{"name": "runbook", "rules": rules}]}))
    code, output = run("promtool", "check", "rules", "queries.yml", folder=tmp_path)
    assert code == 0, output


@pytest.mark.needs_server("alertmanager")
def test_amtool_accepts_the_example() -> None:
    """amtool accepts the example configuration."""
    code, output = run("amtool", "check-config", "alertmanager.yml")
    assert code == 0, output
    assert "6 inhibit rules" in output


@pytest.mark.needs_server("alertmanager")
@pytest.mark.parametrize("name", re.findall(r"Cln\w+", (FOLDER / "alertmanager.yml").read_text()))
def test_the_example_of_alertmanager_knows_the_alerts(name: str) -> None:
    """The example inhibits only alerts that exist."""
    assert name in ALERTS


@pytest.mark.parametrize("name", ALERTS)
def test_each_alert_is_tested_for_firing_and_for_not_firing(name: str) -> None:
    """Each alert has tests that it fires and does not fire."""
    cases = [case for case in CASES if case["alertname"] == name]
    fired = [alert for case in cases for alert in case.get("exp_alerts") or []]
    assert fired
    assert [case for case in cases if not case.get("exp_alerts")]
    for alert in fired:
        assert set(alert["exp_annotations"]) == {"summary", "description", "runbook_url"}
        for text in alert["exp_annotations"].values():
            # A note may hold anything, and one of them holds this.
            rendered = text.replace("{{ $labels.key }} {{ end }}", "").replace("{{ $labels.key }} {", "")
            assert not re.search(r"<no value>|<error|\{\{|%!|None", rendered), text


def test_no_test_is_about_an_alert_that_is_not_there() -> None:
    """Each tested alert exists; tests of unknown alerts would always pass."""
    assert {case["alertname"] for case in CASES} == set(ALERTS)
    names = [re.findall(r"Cln\w+", str(group.get("promql_expr_test"))) for group in GROUPS]
    assert {name for found in names for name in found if name != "ClnKey"} <= set(ALERTS)
