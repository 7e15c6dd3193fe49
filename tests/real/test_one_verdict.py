"""The alert rules and dashboards agree with the page and the plugins on all fleets, tested with promtool."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
import yaml

from cln_monitor.exporter.metrics import render_target
from cln_monitor.policy import Severity
from cln_monitor.probes import stale_after_of
from dashboards.grafana.troubles import LEVELS
from tests.dashboards import grafana
from tests.exporter.metrics.rendering import viewed
from tests.helpers import servers
from tests.helpers.clock import NOW
from tests.scenarios.fleets import FLEETS, Fleet, settings_of

pytestmark = pytest.mark.needs_server("prometheus")

RULES = Path(__file__).parents[2] / "dashboards" / "prometheus" / "cln.rules.yml"
TARGET = 'job="cln",instance="x:10099"'
HOURS = 8
"""Longer than the wait of any alert, and shorter than 24 h, for servers with an unknown registration time."""
FROM_HISTORY = {"servers were lost", "all servers were lost"}
"""The rules see these in the metrics of an hour and a day ago, which a fleet of one moment does not have."""
NUMBERS = {Severity.CRITICAL: 3, Severity.WARNING: 2, Severity.INFO: 1}
AT_A_TIME = 10  # as most of the time is spent on its start
STARTS = range(0, len(FLEETS), AT_A_TIME)


def input_series(fleet: Fleet) -> list[dict[str, str]]:
    """Return the series of a fleet every half hour; ages are constant, so all timestamps move."""
    settings = settings_of(fleet)
    view = viewed(fleet.observation, last_run=NOW, last_success=NOW)
    view = msgspec.structs.replace(view, stale_after=stale_after_of(settings))
    text = b"".join(render_target(view, settings, 10**6).values()).decode()
    steps = HOURS * 2
    found = [
        {"series": f"up{{{TARGET}}}", "values": f"1x{steps}"},
        {"series": f'cln_exporter_build_info{{{TARGET},version="1"}}', "values": f"1x{steps}"},
    ]
    for part in (
        fleet.observation.parts if fleet.observation.probe == "patch_status" else ()
    ):  # as the probe of the keys shows them
        if part.value.key:
            labels = (
                f'{TARGET},account="acme",key="{part.value.key}",note="",enabled="{not part.value.is_disabled}"'.lower()
            )
            found.append({"series": f"cln_kernelcare_key_info{{{labels}}}", "values": f"1x{steps}"})
    for name, labels, value in re.findall(r"^(\w+)\{(.*)\} (\S+)$", text, re.MULTILINE):
        is_moment = name.endswith("_timestamp_seconds")
        values = f"{float(value) - NOW:f}+1800x{steps}" if is_moment else f"{value}x{steps}"
        if value == "+Inf":  # which the short form does not take
            values = " ".join([value] * steps)
        found.append({"series": f"{name}{{{TARGET},{labels}}}", "values": values})
    return found


def run(fleets: Sequence[Fleet], rule_file: Path, selector: str, folder: Path, *, every: str = "30m") -> str:
    """Return the problems that promtool reports if the worst series is not that of the policy; info is optional."""
    (folder / "cases.test.yml").write_text(
        yaml.safe_dump(
            {
                "rule_files": [str(rule_file)],
                "evaluation_interval": every,
                "tests": [case(fleet, selector) for fleet in fleets],
            },
            allow_unicode=True,
            width=1000,
        )
    )
    done = subprocess.run(
        [servers.path("promtool"), "test", "rules", folder / "cases.test.yml"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=300,
        check=False,
    )
    return "" if done.returncode == 0 else done.stdout.decode()


def case(fleet: Fleet, selector: str) -> dict[str, object]:
    """Return promtool's test of a fleet."""
    worst = " or ".join(f"(count({selector % severity.word}) * 0 + {number})" for severity, number in NUMBERS.items())
    expected = [] if fleet.severity is None else [{"labels": "{}", "value": NUMBERS[fleet.severity]}]
    if fleet.severity is Severity.INFO:
        worst, expected = f"({worst}) > 1", []
    return {
        "name": fleet.name,
        "interval": "30m",
        "input_series": input_series(fleet),
        "promql_expr_test": [{"expr": worst, "eval_time": f"{HOURS}h", "exp_samples": expected}],
    }


@pytest.mark.parametrize("start", STARTS)
def test_the_rules_agree(start: int, tmp_path: Path) -> None:
    """The severity of firing alerts is that of the page and the plugins."""
    fleets = [fleet for fleet in FLEETS[start : start + AT_A_TIME] if fleet.name not in FROM_HISTORY]
    assert run(fleets, RULES, 'ALERTS{alertstate="firing",severity="%s"}', tmp_path) == ""


@pytest.mark.parametrize("start", STARTS)
def test_the_dashboard_agrees(start: int, tmp_path: Path) -> None:
    """The severity on the overview is that of the page and the plugins."""
    (overview,) = (board for board in grafana.dashboards() if board["uid"] == "cln-overview")
    (query,) = (
        candidate
        for candidate in grafana.queries()
        if (candidate.board, candidate.panel) == ("cln-overview", "What is wrong now")
    )
    expression = grafana.as_first_shown(query.expression, overview)
    words = expression
    for severity, level in LEVELS.items():
        words = f'label_replace({words}, "severity", "{severity.word}", "level", "{level}")'
    rule = {"record": "wrong:now", "expr": words}
    rules = tmp_path / "wrong.rules.yml"
    rules.write_text(yaml.safe_dump({"groups": [{"name": "wrong", "rules": [rule]}]}, width=100000))
    fleets = FLEETS[start : start + AT_A_TIME]
    assert run(fleets, rules, 'wrong:now{severity="%s"}', tmp_path, every=f"{HOURS}h") == ""
