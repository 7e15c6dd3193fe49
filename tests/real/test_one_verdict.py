"""The alert rules and dashboards agree with the page and the plugins on all fleets, tested with promtool."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import pytest

from cln_monitor.policy import Severity
from cln_monitor.probes import stale_after_of
from dashboards.grafana.troubles import LEVELS
from tests.dashboards import grafana
from tests.exporter.metrics.rendering import rendered, viewed
from tests.helpers import promtool
from tests.helpers.alert_rules import RULES_FILE
from tests.helpers.clock import NOW
from tests.scenarios.fleets import FLEETS, Fleet, settings_of

pytestmark = pytest.mark.needs_server("prometheus")

TARGET = 'job="cln",instance="x:10099"'
HOURS = 25
"""Longer than the wait of any alert. Those that also look back begin to wait at the last evaluation."""
FROM_HISTORY = {"servers were lost", "all servers were lost"}
"""The rules see these in the metrics of an hour and a day ago, which a fleet of one moment does not have."""
NUMBERS = {Severity.CRITICAL: 3, Severity.WARNING: 2, Severity.INFO: 1}
AT_A_TIME = 10  # so that a failure is about few fleets, and promtool is started seldom
STARTS = range(0, len(FLEETS), AT_A_TIME)


def input_series(fleet: Fleet) -> list[dict[str, str]]:
    """Return the series of a fleet every half hour; ages are constant, so all timestamps move."""
    settings = settings_of(fleet)
    view = viewed(fleet.observation, last_run=NOW, last_success=NOW)
    view = msgspec.structs.replace(view, stale_after=stale_after_of(settings))
    text = b"".join(rendered(view, settings, 10**6).values()).decode()
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


def problems(
    fleets: Sequence[Fleet],
    query: str,
    label: str,
    values: Mapping[Severity, str],
    folder: Path,
    *,
    rule_files: Sequence[Path] = (),
) -> str:
    """Return what promtool reports if the worst severity in the result of ``query`` is not that of the policy.

    ``label`` has the severity in the result, with these ``values``. The rules are evaluated at 0 and after HOURS, when
    each alert that waits has waited long enough: evaluations in between would change nothing.
    """
    numbers = " or ".join(
        f'label_replace(vector({NUMBERS[severity]}), "{label}", "{value}", "", "")'
        for severity, value in values.items()
    )
    document = {
        "rule_files": [str(file) for file in rule_files],
        "evaluation_interval": f"{HOURS}h",
        "tests": [case(fleet, f"max(({numbers}) and on ({label}) ({query}))") for fleet in fleets],
    }
    promtool.write(folder / "cases.test.yml", document)
    code, output = promtool.run("test", "rules", "cases.test.yml", directory=folder)
    return "" if code == 0 else output


def case(fleet: Fleet, worst: str) -> dict[str, object]:
    """Return promtool's test that the result of ``worst`` is the severity of a fleet; info is optional."""
    expected = [] if fleet.severity is None else [{"labels": "{}", "value": NUMBERS[fleet.severity]}]
    if fleet.severity is Severity.INFO:
        worst, expected = f"({worst}) > {NUMBERS[Severity.INFO]}", []
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
    words = {severity: severity.word for severity in NUMBERS}
    assert problems(fleets, 'ALERTS{alertstate="firing"}', "severity", words, tmp_path, rule_files=[RULES_FILE]) == ""


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
    assert problems(FLEETS[start : start + AT_A_TIME], expression, "level", LEVELS, tmp_path) == ""
