"""The alert rules find of a fleet what the page and the plugins find: promtool runs them over its metrics."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import msgspec
import pytest
import yaml

from cln_monitor.exporter.metrics import render_target
from cln_monitor.policy import Severity
from cln_monitor.probes import stale_after_of
from tests.exporter.metrics.rendering import viewed
from tests.helpers import servers
from tests.helpers.clock import NOW
from tests.scenarios.fleets import FLEETS, Fleet, settings_of

pytestmark = pytest.mark.needs_server("prometheus")

RULES = Path(__file__).parents[2] / "dashboards" / "prometheus" / "cln.rules.yml"
TARGET = 'job="cln",instance="x:10099"'
HOURS = 8
"""Longer than any alert waits, and shorter than the 24 h of servers of which nobody knows when they were registered."""
FROM_HISTORY = {"servers were lost", "all servers were lost"}
"""The rules see these in the metrics of an hour and a day ago, which a fleet of one moment does not have."""
NUMBERS = {Severity.INFO: 1, Severity.WARNING: 2, Severity.CRITICAL: 3}
WORST = " or ".join(
    f'(count(ALERTS{{alertstate="firing",severity="{severity.word}"}}) * 0 + {number})'
    for severity, number in reversed(NUMBERS.items())
)
"""The number of the worst severity that fires; nothing where none does."""


def input_series(fleet: Fleet) -> list[dict[str, str]]:
    """Return what an exporter shows of a fleet every half hour: ages stay, so all moments move on."""
    settings = settings_of(fleet)
    view = viewed(fleet.seen, last_run=NOW, last_success=NOW)
    view = msgspec.structs.replace(view, stale_after=stale_after_of(settings))
    text = b"".join(render_target(view, settings, 10**6).values()).decode()
    steps = HOURS * 2
    found = [
        {"series": f"up{{{TARGET}}}", "values": f"1x{steps}"},
        {"series": f'cln_exporter_build_info{{{TARGET},version="1"}}', "values": f"1x{steps}"},
    ]
    for name, labels, value in re.findall(r"^(\w+)\{(.*)\} (\S+)$", text, re.MULTILINE):
        is_moment = name.endswith("_timestamp_seconds")
        values = f"{float(value) - NOW:f}+1800x{steps}" if is_moment else f"{value}x{steps}"
        if value == "+Inf":  # which the short form does not take
            values = " ".join([value] * steps)
        found.append({"series": f"{name}{{{TARGET},{labels}}}", "values": values})
    return found


def case(fleet: Fleet) -> dict[str, object]:
    """Return promtool's test of a fleet: the worst that fires is the worst that the policy says; info is optional."""
    expected = [] if fleet.severity is None else [{"labels": "{}", "value": NUMBERS[fleet.severity]}]
    expression = WORST
    if fleet.severity is Severity.INFO:
        expression, expected = f"({WORST}) > 1", []
    return {
        "name": fleet.name,
        "interval": "30m",
        "input_series": input_series(fleet),
        "promql_expr_test": [{"expr": expression, "eval_time": f"{HOURS}h", "exp_samples": expected}],
    }


@pytest.mark.parametrize("start", range(0, len(FLEETS), 10))
def test_the_rules_agree(start: int, tmp_path: Path) -> None:
    """Ten fleets at a time, as most of the time goes into starting."""
    fleets = [fleet for fleet in FLEETS[start : start + 10] if fleet.name not in FROM_HISTORY]
    tests = {"rule_files": [str(RULES)], "evaluation_interval": "30m", "tests": [case(fleet) for fleet in fleets]}
    file = tmp_path / "fleets.test.yml"
    file.write_text(yaml.safe_dump(tests, allow_unicode=True, width=1000))
    done = subprocess.run(
        [servers.path("promtool"), "test", "rules", file],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode()
