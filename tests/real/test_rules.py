"""The shipped Prometheus and Alertmanager files are valid for their own tools, and their tests are complete."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from cln_monitor.durations import parse_duration
from tests.helpers import promtool, servers
from tests.helpers.alert_rules import (
    FOLDER,
    RULES_FILE,
    TEST_FILES,
    alerts_of,
    load_rules,
    read_test_file,
)

RUNBOOK = FOLDER.parents[1] / "docs" / "runbook.md"
RULES = load_rules()
ALERTS = alerts_of(RULES)
DOCUMENTS = {name: read_test_file(name) for name in TEST_FILES}
GROUPS = [group for document in DOCUMENTS.values() for group in document["tests"]]
CASES: list[dict[str, Any]] = [case for group in GROUPS for case in group.get("alert_rule_test", [])]
ONE = {"labels": "{}", "value": 1}


def last_time(story: Mapping[str, Any]) -> str:
    """Return the latest time at which a test expects something, such as ``1h5m``."""
    cases = [*story.get("alert_rule_test", []), *story.get("promql_expr_test", [])]
    return str(max((case["eval_time"] for case in cases), key=parse_duration))


@pytest.mark.needs_server("prometheus")
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("check", "config", "prometheus.yml"), id="scrape-configuration"),
        pytest.param(("check", "rules", "--lint-fatal", "cln.rules.yml"), id="rules"),
    ],
)
def test_promtool_accepts_the_shipped_files(arguments: tuple[str, ...]) -> None:
    """promtool accepts the shipped files."""
    code, output = promtool.run(*arguments, directory=FOLDER)
    assert code == 0, output


@pytest.mark.needs_server("prometheus")
@pytest.mark.parametrize("name", TEST_FILES)
def test_the_tests_of_the_rules_pass(name: str, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """The shipped tests of the rules pass; with --long as they are, else each with the rules that it is about."""
    if pytestconfig.getoption("--long"):
        code, output = promtool.run("test", "rules", name, directory=FOLDER)
    else:
        document = DOCUMENTS[name]
        assert set(document) == {"rule_files", "evaluation_interval", "tests"}
        assert document["rule_files"] == [RULES_FILE.name]
        files = promtool.write_stories(tmp_path, document["tests"], RULES, document["evaluation_interval"])
        code, output = promtool.run("test", "rules", *files, directory=tmp_path)
    assert code == 0, output


@pytest.mark.needs_server("prometheus")
@pytest.mark.parametrize(("name", "interval"), [*zip(TEST_FILES, ("30m", "6h", "28h"), strict=True)])
def test_all_rules_can_be_evaluated_in_each_test(name: str, interval: str, tmp_path: Path) -> None:
    """No rule fails on the series of a test, even if the test is about other rules: evaluated a few times in each."""
    stories = [
        {"name": story["name"], "interval": story["interval"], "input_series": story["input_series"]}
        | {"promql_expr_test": [{"expr": "vector(1)", "eval_time": last_time(story), "exp_samples": [ONE]}]}
        for story in DOCUMENTS[name]["tests"]
    ]
    document = {"rule_files": [str(RULES_FILE)], "evaluation_interval": interval, "tests": stories}
    promtool.write(tmp_path / "all.test.yml", document)
    code, output = promtool.run("test", "rules", "all.test.yml", directory=tmp_path)
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
    """A small change of a threshold fails the tests of the alerts that use it."""
    old, new, alerts = CHANGES[threshold]
    mark = f"# threshold: {threshold}"

    def change(expression: str) -> str:
        lines = expression.splitlines()
        return "\n".join(line.replace(old, new, 1) if line.endswith(mark) else line for line in lines)

    rules = [rule | {"expr": change(rule["expr"])} for rule in RULES]
    assert [rule["expr"] for rule in rules] != ["\n".join(rule["expr"].splitlines()) for rule in RULES]
    document = DOCUMENTS[TEST_FILES[0]]
    stories = [
        {name: story[name] for name in ("name", "interval", "input_series")} | {"alert_rule_test": cases}
        for story in document["tests"]
        if (cases := [case for case in story.get("alert_rule_test", []) if case["alertname"] in alerts])
    ]
    files = promtool.write_stories(tmp_path, stories, rules, document["evaluation_interval"])
    code, output = promtool.run("test", "rules", *files, directory=tmp_path)
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
    code, output = promtool.run("check", "rules", "queries.yml", directory=tmp_path)
    assert code == 0, output


@pytest.mark.needs_server("alertmanager")
def test_amtool_accepts_the_example() -> None:
    """amtool accepts the example configuration."""
    done = subprocess.run(
        [servers.path("amtool"), "check-config", "alertmanager.yml"],
        cwd=FOLDER,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode()
    assert b"6 inhibit rules" in done.stdout


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
