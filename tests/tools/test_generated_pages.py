"""The pages that tools write are those of the code."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.helpers.alert_rules import alerts_of, load_rules
from tools import alerts_page, metrics_page


@pytest.mark.parametrize("tool", [alerts_page, metrics_page], ids=["alerts", "metrics"])
def test_a_page_is_up_to_date(tool: ModuleType, request: pytest.FixtureRequest) -> None:
    """docs/alerts.md and docs/metrics.md are what their tools write; pytest --update-golden runs the tools."""
    if request.config.getoption("--update-golden"):
        tool.PAGE.write_text(tool.render(), encoding="utf-8")
    assert tool.PAGE.read_text(encoding="utf-8") == tool.render(), f"python -m {tool.__name__} writes it"


def test_alerts_of_the_policy_exist() -> None:
    """Each alert that is listed with a row of the policy is an alert of the rules."""
    assert set(alerts_page.ROWS) <= set(alerts_of(load_rules()))


def test_each_alert_has_its_row() -> None:
    """docs/alerts.md lists each alert with a severity, a delay and a meaning of one line."""
    for name in alerts_of(load_rules()):
        (row,) = [line for line in alerts_page.render().splitlines() if line.startswith(f"| [{name}](")]
        cells = row.strip("| ").split(" | ")
        assert len(cells) == 4, row
        assert all(cells), row
