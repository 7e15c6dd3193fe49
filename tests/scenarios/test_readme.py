"""The tables of the README match the code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.metrics import MetricWrapperBase

from cln_monitor.exporter.metrics import ALL_FAMILIES
from cln_monitor.exporter.metrics.families import POLLED
from cln_monitor.exporter.options import make_parser
from cln_monitor.exporter.self_metrics import SelfMetrics
from tests.helpers.pages import keep_block

README = Path(__file__).parents[2] / "README.md"


def flags_table() -> str:
    """Return the table of the flags of cln-exporter."""
    rows = ["| flag | what it does |", "| --- | --- |"]
    for action in make_parser()._actions:
        if action.help and "-h" not in action.option_strings:
            choices = "|".join(action.choices or ()).replace("|", "\\|")
            value = "" if action.nargs == 0 else f" {action.metavar or choices}"
            text = action.help.replace("%(default)s", str(action.default))
            rows.append(f"| `{action.option_strings[0]}{value}` | {text} |")
    return "\n".join(rows)


def metrics_table() -> str:
    """Return the table of the metrics."""
    rows = ["| metric | labels | what it tells |", "| --- | --- | --- |"]
    for family in ALL_FAMILIES:
        labels = ", ".join(f"`{label}`" for label in family.labels)
        rows.append(f"| `{family.name}` | {labels} | {family.help.removesuffix(POLLED).strip()} |")
    for own, names in SelfMetrics().registry._collector_to_names.items():
        if names and names[0].startswith("cln_"):
            assert isinstance(own, MetricWrapperBase)
            kind = "" if own._type == "gauge" else f" ({own._type})"
            name = names[0] + ("_total" if own._type == "counter" else "")
            labels = ", ".join(f"`{label}`" for label in own._labelnames)
            rows.append(f"| `{name}`{kind} | {labels} | {own._documentation} |")
    return "\n".join(rows)


@pytest.mark.parametrize(("name", "table"), [("flags", flags_table), ("metrics", metrics_table)])
def test_a_table_of_the_readme_is_that_of_the_code(
    name: str, table: Callable[[], str], request: pytest.FixtureRequest
) -> None:
    """The README has the current flags and metrics."""
    keep_block(README, name, table(), update=request.config.getoption("--update-golden"))
