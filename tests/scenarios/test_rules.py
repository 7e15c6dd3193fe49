"""The shipped alerts as texts: what each has to say, the metrics they are made from, and the runbook."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from cln_monitor.cli.main import command
from cln_monitor.exporter.metrics import ALL_FAMILIES
from cln_monitor.exporter.self_metrics import SelfMetrics

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "dashboards" / "prometheus" / "cln.rules.yml").read_text()
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
RULES: list[dict[str, Any]] = [rule for group in yaml.safe_load(TEXT)["groups"] for rule in group["rules"]]
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}
RECORDS = [rule for rule in RULES if "record" in rule]
PRODUCTS = ("kernelcare", "imunify", "els")


def metrics_of(expression: str) -> set[str]:
    """Return the names of all metrics in an expression or a text, those of a pattern each."""
    expression = re.sub(r'"cln_\(\.\+\)[^"]*"', "", expression)  # takes a name apart, and is none
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
    """An alert over a metric nobody exposes would never fire."""
    used = {name for rule in RULES for name in metrics_of(str(rule))}
    assert {f"cln_{product}_key_servers_limit" for product in PRODUCTS} <= used
    assert used <= exposed()


def test_the_runbook_uses_metrics_and_records_that_exist() -> None:
    """What one is told to query at night is there."""
    records = {rule["record"] for rule in RECORDS}
    assert set(re.findall(r"\bcln:[a-z_]+:[a-z_0-9]+", RUNBOOK)) <= records
    assert metrics_of(RUNBOOK) - {"cln_exporter"} <= exposed()


def test_each_record_is_made_before_it_is_used_and_used() -> None:
    """One group is evaluated from top to bottom; a threshold nobody reads would mislead."""
    made: set[str] = set()
    used: set[str] = set()
    for rule in RULES:
        own = rule.get("record")
        read = set(re.findall(r"\bcln:[a-z_]+:[a-z_]+", str(rule["expr"])))
        assert read - {own} <= made, own or rule["alert"]
        used |= read
        made |= {own} if own else set()
    assert made == used


@pytest.mark.parametrize("name", ALERTS)
def test_each_alert_says_how_bad_it_is_and_where_to_read_on(name: str) -> None:
    """A severity out of three, a summary, a description, and a section of the runbook of the same name."""
    rule = ALERTS[name]
    assert re.fullmatch(r"Cln([A-Z][a-z]+)+", name)
    # One of them is worse when nothing is left.
    severities = set(re.sub(r"{{.*?}}", " ", rule["labels"]["severity"]).split())
    assert severities <= {"critical", "warning", "info"}
    assert len(severities) == (2 if name == "ClnServersDropped" else 1)
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    assert rule["annotations"]["runbook_url"].endswith(f"/docs/runbook.md#{name.lower()}")
    assert RUNBOOK.count(f"\n## {name}\n") == 1
    assert "for" in rule
    # Without it a restart of the exporter would end the alert and send it anew. Of the exporter itself none is wanted.
    assert rule.get("keep_firing_for") == (None if name == "ClnExporterDown" else "5m")


def test_the_runbook_has_no_section_of_an_alert_that_is_gone() -> None:
    """And its sections stand in the order of the rules."""
    assert re.findall(r"^## (Cln\w+)$", RUNBOOK, re.MULTILINE) == list(ALERTS)


@pytest.mark.parametrize("name", ALERTS)
def test_a_section_has_what_one_needs_at_night(name: str) -> None:
    """What it means, what to look at, how it clears: each has these, in this order."""
    section = RUNBOOK.split(f"\n## {name}\n")[1].split("\n## ")[0]
    assert re.findall(r"^\*\*(.+?)\.\*\*", section, re.MULTILINE) == ["It means", "Look at", "It clears"]


COMMANDS = re.findall(r"(?:^|`)(clntool (?!asks|itself)[a-z][^`#;\n]*)", RUNBOOK, re.MULTILINE)


@pytest.mark.parametrize("line", dict.fromkeys(COMMANDS))
def test_the_commands_of_the_runbook_are_there(line: str) -> None:
    """Whoever types one at night gets no usage error."""
    words = shlex.split(line)[1:]
    found: Any = command()
    while words and hasattr(found, "commands"):
        found = found.commands[words.pop(0)]
    options = {name for parameter in found.params for name in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= options
    assert not hasattr(found, "commands") or not words


def test_one_command_changes_the_address_of_the_runbook() -> None:
    """The command in the head of the rules names what all of them begin with."""
    (old,) = re.findall(r"sed -i 's#(\S+?)#", TEXT)
    assert all(rule["annotations"]["runbook_url"].startswith(f"{old}/docs/") for rule in ALERTS.values())
    assert TEXT.count(old) == len(ALERTS) + 1


def test_thresholds_are_explained_and_numbers_are_nowhere_else() -> None:
    """No alert has a number of its own, but for 0 and 1, which are yes and no, and the marked lengths of time."""
    for rule in [*ALERTS.values(), *(rule for rule in RECORDS if ":threshold:" not in rule["record"])]:
        lines = [line for line in rule["expr"].splitlines() if "# threshold: " not in line]
        expression = re.sub(
            r'"[^"]*"|\[\w+(:\w+)?\]|offset \w+|topk by \([^)]*\) \(1,|[\w:]+', _without_names, "\n".join(lines)
        )
        assert set(re.findall(r"(?<![\w.])[\d.]+", expression)) <= {"0", "1", "0.5"}, rule


def _without_names(found: re.Match[str]) -> str:
    return found[0] if re.fullmatch(r"[\d.]+", found[0]) else " "
