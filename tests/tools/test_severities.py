"""The page of the severities is that of the policy."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from cln_monitor import policy
from tools.severities import PAGE, render

_RULES = Path(__file__).parents[2] / "dashboards" / "prometheus" / "cln.rules.yml"
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load(_RULES.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]
]
ALERTS = {
    "ClnAuthFailed": policy.AUTH_REFUSED,
    "ClnProbeFailing": policy.PROBE_FAILS,
    "ClnDataTooOld": policy.PROBE_FAILS,
    "ClnRateLimited": policy.PROBE_FAILS,
    "ClnConfigReloadFailed": policy.RELOAD_FAILED,
    "ClnServiceBad": policy.FLAG_BAD,
    "ClnRegistrationOverloaded": policy.FLAG_BAD,
    "ClnAnswerOdd": policy.ANSWER_CHANGED,
    "ClnServerStale": policy.SERVER_SILENT,
    "ClnKeyServersStale": policy.SERVER_SILENT,
    "ClnKeyAllServersStale": policy.KEY_SILENT,
    "ClnManyServersStale": policy.MANY_SILENT,
    "ClnServersNeverCheckedIn": policy.NEVER_CHECKED_IN,
    "ClnKeyFull": policy.KEY_FULL,
    "ClnKeyNearlyFull": policy.KEY_NEARLY_FULL,
    "ClnServersOutOfDate": policy.KERNEL_OUT_OF_DATE,
    "ClnServersUnsupported": policy.KERNEL_UNSUPPORTED,
    "ClnServersInactive": policy.KERNEL_INACTIVE,
    "ClnIpLicensesUnused": policy.LICENSE_UNUSED,
}
THRESHOLDS = {
    "cln:threshold:key_nearly_full_ratio": policy.NEARLY_FULL / 100,
    "cln:threshold:key_least_limit": policy.LEAST_LIMIT,
    "cln:threshold:many_stale_servers": policy.MANY,
    "cln:threshold:many_stale_ratio": policy.MANY_PERCENT / 100,
    "cln:threshold:many_stale_least": policy.LEAST_OF_MANY,
    "cln:threshold:whole_key_servers": policy.LEAST_LIMIT,
    "cln:threshold:never_checked_in_seconds": policy.NEVER_AFTER,
}


def test_the_page_is_that_of_the_policy() -> None:
    """``python -m tools.severities`` writes it."""
    assert PAGE.read_text(encoding="utf-8") == render()


def test_each_row_is_in_the_table_once() -> None:
    """A row that is left out would have a verdict that is documented nowhere."""
    rows = [row for row in vars(policy).values() if isinstance(row, policy.Row)]
    assert sorted(row.fact for row in rows) == sorted(row.fact for row in policy.TABLE)


def test_alerts_have_the_severities_of_their_rows() -> None:
    """What pages at night is as bad as the page and the plugins say."""
    told = {rule["alert"]: rule["labels"]["severity"] for rule in RULES if rule.get("alert") in ALERTS}
    assert told == {alert: row.severity.word for alert, row in ALERTS.items() if row.severity is not None}


def test_alerts_wait_as_long_as_their_rows_say() -> None:
    """ "6 hours for alerts" is their ``for``."""
    units = {"minutes": "m", "hours": "h"}
    waits = {
        alert: f"{found[1]}{units[found[2]]}"
        for alert, row in ALERTS.items()
        if (found := re.match(r"(\d+) (minutes|hours) for alerts", row.since))
    }
    assert {rule["alert"]: rule["for"] for rule in RULES if rule.get("alert") in waits} == waits


def test_rules_have_the_thresholds_of_the_policy() -> None:
    """Each is a rule with a number."""
    told = {rule["record"]: rule["expr"] for rule in RULES if rule.get("record") in THRESHOLDS}
    numbers = {name: _product(str(expression)) for name, expression in told.items()}
    assert numbers == THRESHOLDS


def _product(expression: str) -> float:
    product = 1.0
    for factor in expression.split("*"):
        product *= float(factor)
    return product
