"""The page of severities matches the policy."""

from __future__ import annotations

import re

from cln_monitor import policy
from tests.helpers.alert_rules import load_rules, thresholds
from tools.alerts_page import ROWS as ALERTS
from tools.severities import PAGE, render

RULES = load_rules()
THRESHOLDS = {
    "newly_silent": policy.NEWLY_SILENT,
    "gone": policy.LONGEST_SILENCE,
    "many": policy.MANY,
    "many_percent": policy.MANY_PERCENT / 100,
    "many_least": policy.LEAST_OF_MANY - 1,  # more than 4 are at least 5
    "whole_key": policy.LEAST_LIMIT,
    "never": policy.NEVER_AFTER,
    "least_limit": policy.LEAST_LIMIT,
    "nearly_full": policy.NEARLY_FULL / 100,
    "unused": policy.UNUSED_AFTER,
    "clock_skew": policy.MOST_SKEW,
    "bill_jumped": policy.AWP_FACTOR,
    "bill_least": policy.AWP_MORE,
}


def test_the_page_is_that_of_the_policy() -> None:
    """docs/severities.md is up to date; python -m tools.severities updates it."""
    assert PAGE.read_text(encoding="utf-8") == render()


def test_each_row_is_in_the_table_once() -> None:
    """Every row of the policy is in the table once."""
    rows = [row for row in vars(policy).values() if isinstance(row, policy.Row)]
    assert sorted(row.fact for row in rows) == sorted(row.fact for row in policy.TABLE)


def test_alerts_have_the_severities_of_their_rows() -> None:
    """Alerts have the severities of their rows in the policy."""
    told = {rule["alert"]: rule["labels"]["severity"] for rule in RULES if rule.get("alert") in ALERTS}
    assert told == {alert: row.severity.word for alert, row in ALERTS.items() if row.severity is not None}


def test_alerts_wait_as_long_as_their_rows_say() -> None:
    """The `for` of an alert is that of its row in the policy."""
    units = {"minutes": "m", "hours": "h"}
    waits = {
        alert: f"{found[1]}{units[found[2]]}"
        for alert, row in ALERTS.items()
        if (found := re.match(r"(\d+) (minutes|hours) for alerts", row.since))
    }
    assert {rule["alert"]: rule["for"] for rule in RULES if rule.get("alert") in waits} == waits


def test_rules_have_the_thresholds_of_the_policy() -> None:
    """Each number marked as a threshold in the rules has the value of the policy."""
    found = thresholds()
    assert {name: found.get(name) for name in THRESHOLDS} == {name: {value} for name, value in THRESHOLDS.items()}
