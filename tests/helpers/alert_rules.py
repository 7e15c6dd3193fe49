"""The shipped alert rules and their tests, as read from the files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from cln_monitor.config.yaml_loader import read_document

FOLDER = Path(__file__).parents[2] / "dashboards" / "prometheus"
RULES_FILE = FOLDER / "cln.rules.yml"
TEST_FILES = ("cln.rules.test.yml", "cln.rules.days.test.yml", "cln.rules.week.test.yml")

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def load_rules() -> list[dict[str, Any]]:
    """Return all rules in order."""
    groups = yaml.safe_load(RULES_FILE.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def alerts_of(rules: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the alerts among ``rules`` by name."""
    return {rule["alert"]: rule for rule in rules if "alert" in rule}


def read_test_file(name: str) -> dict[str, Any]:
    """Return the document of a test file of the rules. Raises YamlError, also for duplicate keys, like promtool."""
    document = read_document((FOLDER / name).read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    return document


def load_test_groups(files: tuple[str, ...] = TEST_FILES) -> list[dict[str, Any]]:
    """Return the test groups of the rules from all ``files``."""
    return [group for file in files for group in read_test_file(file)["tests"]]


def thresholds() -> Mapping[str, set[float]]:
    """Return the numbers in lines marked ``# threshold: NAME`` by name, with durations in seconds."""
    found: dict[str, set[float]] = {}
    for line in RULES_FILE.read_text(encoding="utf-8").splitlines():
        if mark := re.match(r"(.*?)  # threshold: (\w+)$", line):
            found.setdefault(mark[2], set()).add(_number(mark[1]))
    return found


def _number(code: str) -> float:
    """Return the number in a line: a product of numbers, or the last duration, even with an offset after its range."""
    bare = re.sub(r'"[^"]*"|\{[^}]*\}', "", code)
    if found := re.search(r"(\d+) \* (\d+)", bare):
        return float(found[1]) * float(found[2])
    if lengths := re.findall(r"(?:offset |\[)(\d+)([smhdw])\b", bare):
        number, unit = lengths[-1]
        # The `offset` of a comparison with a number is no threshold of its own.
        if not (left := re.search(r"(?:>=?|<=?|-) (\d+(?:\.\d+)?)(?: \*|$)", bare)) or left[1] == "0":
            return float(number) * _UNITS[unit]
        return float(left[1])
    (number,) = re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])", re.sub(r"< 1$", "", bare))
    return float(number)
