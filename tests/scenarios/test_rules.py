"""The shipped alerts: their texts, the metrics they use, and the runbook."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cln_monitor.cli.main import command
from cln_monitor.exporter.metrics import ALL_FAMILIES
from cln_monitor.exporter.self_metrics import SelfMetrics
from tests.helpers.alert_rules import RULES_FILE, alerts_of, load_rules, load_test_groups, thresholds

pytestmark = pytest.mark.unmeasured

ROOT = Path(__file__).parents[2]
TEXT = RULES_FILE.read_text()
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
RULES = load_rules()
ALERTS = alerts_of(RULES)
RECORDS = [rule for rule in RULES if "record" in rule]
PRODUCTS = ("kernelcare", "imunify", "els", "cloudlinux")
LONGEST_TITLE = 90
"""Characters of a title that a phone shows."""
LONGEST_WAITS = {"ClnServerStale": "20m", "ClnExporterDown": None}
"""`keep_firing_for` of the alerts that need another one than that which bridges a restart of the exporter."""
LENGTHS = {"120", "1800", "10800", "3600"}
"""Seconds that are no thresholds: the classes of intervals of probes, and the grace for a fresh registration."""


def metrics_of(expression: str) -> set[str]:
    """Return the names of all metrics in an expression or a text, including those of patterns."""
    expression = re.sub(r'"cln_\(\[a-z\]\+\)[^"]*"', "", expression)  # a function of names, not a metric
    names: set[str] = set()
    for pattern, rest in re.findall(r"\bcln_\(([a-z|]+)\)_([a-z_]+)", expression):
        names |= {f"cln_{product}_{rest}" for product in pattern.split("|")}
    return names | set(re.findall(r"\bcln_[a-z][a-z_]*\b", expression))


def exposed() -> set[str]:
    """Return the names of all series that the exporter can expose."""
    own = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in SelfMetrics().registry.collect()
    }
    return own | {family.name for family in ALL_FAMILIES}


def test_the_rules_use_metrics_that_exist() -> None:
    """The rules use only metrics that the exporter exposes."""
    used = {name for rule in RULES for name in metrics_of(str(rule))}
    assert {f"cln_{product}_key_servers_limit" for product in PRODUCTS} <= used
    assert used <= exposed()


def test_the_runbook_uses_metrics_and_records_that_exist() -> None:
    """The runbook uses only metrics and records that exist."""
    records = {rule["record"] for rule in RECORDS}
    assert set(re.findall(r"\bcln:[a-z_]+:[a-z_0-9]+", RUNBOOK)) <= records
    assert metrics_of(RUNBOOK) - {"cln_exporter"} <= exposed()


def records_in(expression: str) -> set[str]:
    """Return the names of the records that an expression reads."""
    return set(re.findall(r"\bcln:[a-z_]+:[a-z_]+", expression))


def test_no_record_reads_another() -> None:
    """No record reads another, as vmalert evaluates records one interval late."""
    assert {rule["record"]: records_in(rule["expr"]) for rule in RECORDS if records_in(rule["expr"])} == {}


def test_each_record_is_used_by_an_alert_below_it() -> None:
    """Each record is used by an alert below it in the same group."""
    records: set[str] = set()
    used: set[str] = set()
    for rule in RULES:
        read = records_in(str(rule["expr"]))
        assert read <= records, rule
        used |= read
        records |= {rule["record"]} if "record" in rule else set()
    assert records == used


@pytest.mark.parametrize("name", ALERTS)
def test_each_alert_says_how_bad_it_is_and_where_to_read_on(name: str) -> None:
    """Each alert has a severity, annotations and a runbook section."""
    rule = ALERTS[name]
    assert re.fullmatch(r"Cln([A-Z][a-z]+)+", name)
    # One of them is worse when nothing is left.
    severities = set(re.sub(r"{{.*?}}", " ", rule["labels"]["severity"]).split())
    assert severities <= {"critical", "warning", "info"}
    assert len(severities) == (2 if name == "ClnServersDropped" else 1)
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    assert re.fullmatch(rf"http://{{{{.*\$labels.*}}}}/runbook#{name.lower()}", rule["annotations"]["runbook_url"])
    assert RUNBOOK.count(f"\n## {name}\n") == 1
    assert "for" in rule
    # Without it, a restart of the exporter would resolve the alert and fire it again; exporter alerts must not have it.
    assert rule.get("keep_firing_for") == LONGEST_WAITS.get(name, "5m")


def test_runbook_sections_are_the_alerts() -> None:
    """The sections of the runbook are the alerts, in order."""
    assert re.findall(r"^## (Cln\w+)$", RUNBOOK, re.MULTILINE) == list(ALERTS)


@pytest.mark.parametrize("name", ALERTS)
def test_a_section_has_its_parts(name: str) -> None:
    """Each section has meaning, diagnosis and mitigation, in this order."""
    section = RUNBOOK.split(f"\n## {name}\n")[1].split("\n## ")[0]
    assert re.findall(r"^\*\*(.+?)\.\*\*", section, re.MULTILINE) == ["Meaning", "Diagnosis", "Mitigation"]


COMMANDS = re.findall(r"(?:^|`)(clntool (?!asks|itself)[a-z][^`#;\n]*)", RUNBOOK, re.MULTILINE)


@pytest.mark.parametrize("line", dict.fromkeys(COMMANDS))
def test_the_commands_of_the_runbook_are_there(line: str) -> None:
    """Each command in the runbook exists, with its options."""
    words = shlex.split(line)[1:]
    found: Any = command()
    while words and hasattr(found, "commands"):
        found = found.commands[words.pop(0)]
    options = {name for parameter in found.params for name in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= options
    assert not hasattr(found, "commands") or not words


def test_one_command_changes_the_address_of_the_runbook() -> None:
    """The command in the rules' header finds the URL in each alert."""
    (pattern,) = re.findall(r"sed -i 's#(\S+?)#", TEXT)
    changed = [re.sub(pattern, "https://wiki", rule["annotations"]["runbook_url"]) for rule in ALERTS.values()]
    assert changed == [f"https://wiki#{name.lower()}" for name in ALERTS]


def test_thresholds_are_explained_where_the_file_begins() -> None:
    """Each threshold mark is explained at the top, and each line is used."""
    head = TEXT.partition("groups:")[0]
    explained = re.findall(r"^#       (\w+) +\d", head, re.MULTILINE) + re.findall(r"(\w+) \(\d+\)", head)
    assert sorted(explained) == sorted(thresholds())


@pytest.mark.parametrize("rule", RULES, ids=[rule.get("alert") or rule["record"] for rule in RULES])
def test_other_numbers_are_no_thresholds(rule: dict[str, Any]) -> None:
    """A line without a mark has only 0, 1 and lookback ranges as numbers."""
    lines = [line for line in rule["expr"].splitlines() if "# threshold: " not in line]
    code = "\n".join(line.partition("#")[0] for line in lines)
    bare = re.sub(r'"[^"]*"|\[\w+(:\w+)?\]|offset \w+|[a-z_]\w*(:\w+)*', " ", code)
    assert set(re.findall(r"[\d.]+", bare)) <= {"0", "1"} | LENGTHS


def test_titles_and_first_sentences(golden: Callable[[str, str], None]) -> None:
    """The title and first sentence of each alert are those of the golden file."""
    texts: dict[str, dict[str, str]] = {name: {} for name in ALERTS}
    for group in load_test_groups():
        for case in group.get("alert_rule_test", []):
            for alert in case.get("exp_alerts") or []:
                title = alert["exp_annotations"]["summary"]
                sentence = re.split(r"(?<=[.;]) ", alert["exp_annotations"]["description"])[0]
                texts[case["alertname"]].setdefault(title, sentence)
    assert [title for titles in texts.values() for title in titles if len(title) > LONGEST_TITLE] == []
    assert [name for name, titles in texts.items() if not titles] == []
    lines = []
    for name, titles in texts.items():
        severity = ", ".join(re.findall(r"critical|warning|info", ALERTS[name]["labels"]["severity"]))
        lines += [f"{name} ({severity})", *(f"  {title}\n    {titles[title]}" for title in titles)]
    golden("alerts.txt", "\n".join(lines) + "\n")
