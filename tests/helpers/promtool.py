"""promtool's tests of rules, at the least cost: each story is run with only the rules that it is about.

promtool parses and evaluates every rule at every evaluation of a story, and most of its CPU time is spent on rules that
the story expects nothing of. A rule reads metrics and the records in its own text only (tests/scenarios/test_rules.py),
so leaving out the other rules changes nothing that the story looks at.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.helpers import servers

Rule = dict[str, Any]
Story = dict[str, Any]
"""A test group of promtool: input series, and what is expected of alerts and expressions at which time."""

_TIMEOUT = 600
_QUERY = re.compile(r"\bALERTS(?:_FOR_STATE)?\b(\{[^}]*\})?")
_MATCHER = re.compile(r'alertname(=~|=)"([^"]*)"')


def run(*arguments: str, directory: Path) -> tuple[int, str]:
    """Return the exit code and the output of promtool, started in ``directory``."""
    done = subprocess.run(
        [servers.path("promtool"), *arguments],
        cwd=directory,
        # Its heap is small and short-lived: collecting it less often and by one thread saves a quarter of the CPU time.
        env={**os.environ, "GOGC": "400", "GOMAXPROCS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=_TIMEOUT,
        check=False,
    )
    return done.returncode, done.stdout.decode()


def rules_of(story: Story, rules: Sequence[Rule]) -> list[Rule]:
    """Return the ``rules`` that the expectations of a story depend on, in order.

    These are the alerts and records that it names, and the records that these alerts read. A query of ALERTS without a
    positive matcher of ``alertname`` depends on all rules.
    """
    names = {case["alertname"] for case in story.get("alert_rule_test", ())}
    queries = [case["expr"] for case in story.get("promql_expr_test", ())]
    for query in queries:
        for braces in _QUERY.findall(query):
            found = _MATCHER.search(braces)
            if found is None:
                return list(rules)
            pattern = found[2] if found[1] == "=~" else re.escape(found[2])
            names |= {rule["alert"] for rule in rules if re.fullmatch(pattern, rule.get("alert", ""))}
    alerts = [rule for rule in rules if rule.get("alert") in names]
    texts = "\n".join([*queries, *map(str, alerts)])
    read = set(re.findall(r"\bcln:\w+:\w+", texts))
    return [rule for rule in rules if rule in alerts or rule.get("record") in read]


def write_stories(directory: Path, stories: Iterable[Story], rules: Sequence[Rule], interval: str) -> list[str]:
    """Write a test file for each story, with those of the ``rules`` that it depends on, and return their names."""
    names = []
    for number, story in enumerate(stories):
        rule_file = f"story{number}.rules.yml"
        write(directory / rule_file, {"groups": [{"name": "cln", "rules": rules_of(story, rules)}]})
        names.append(f"story{number}.test.yml")
        document = {"rule_files": [rule_file], "evaluation_interval": interval, "tests": [story]}
        write(directory / names[-1], document)
    return names


def write(file: Path, document: Mapping[str, Any]) -> None:
    """Write a file for promtool, as JSON: that is YAML as well, and PyYAML takes as long as promtool's evaluations.

    Raises ValueError for a number that JSON does not have, such as infinity.
    """
    file.write_text(json.dumps(document, ensure_ascii=False, allow_nan=False), encoding="utf-8")
