"""Which rules a test of promtool depends on."""

from __future__ import annotations

import re

import pytest

from tests.helpers.alert_rules import alerts_of, load_rules
from tests.helpers.promtool import Rule, rules_of

RULES = load_rules()
ALERTS = alerts_of(RULES)


def names_of(rules: list[Rule]) -> list[str]:
    """Return the names of the rules in order, each name once."""
    return list(dict.fromkeys(str(rule.get("alert") or rule["record"]) for rule in rules))


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_comes_with_the_records_that_it_reads(name: str) -> None:
    """An alert comes with all rules of each record that its expression or annotations read, in their order."""
    found = rules_of({"alert_rule_test": [{"alertname": name}]}, RULES)
    read = set(re.findall(r"cln:[a-z_]+:[a-z_]+", str(ALERTS[name])))
    assert found == [rule for rule in RULES if rule.get("alert") == name or rule.get("record") in read]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('count(ALERTS{alertname="ClnClockSkew"})', ["ClnClockSkew"]),
        ('count(ALERTS{alertstate="firing",alertname=~"ClnS.+Dropped"})', ["ClnSeriesDropped", "ClnServersDropped"]),
        ("count(cln:account_patch_status:servers)", ["cln:account_patch_status:servers"]),
    ],
)
def test_a_query_names_rules(query: str, expected: list[str]) -> None:
    """A query depends on the alerts that its matcher selects, and on the records that it reads."""
    found = names_of(rules_of({"promql_expr_test": [{"expr": query}]}, RULES))
    assert [name for name in found if name in ALERTS or name in query] == expected
    assert len(found) < len(RULES) / 4


@pytest.mark.parametrize("matchers", ["", '{alertstate="firing"}', '{alertname!="ClnServersGone"}', '{alertname!~"x"}'])
def test_a_query_of_all_alerts_needs_all_rules(matchers: str) -> None:
    """A query of ALERTS that selects no alert by its name depends on all rules, even beside one that does."""
    queries = ['ALERTS{alertname="ClnClockSkew"}', f"count(ALERTS{matchers})"]
    assert rules_of({"promql_expr_test": [{"expr": query} for query in queries]}, RULES) == RULES
