"""The committed Grafana dashboards, parsed for tests."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "dashboards" / "grafana"
Json = dict[str, Any]

_VARIABLE = re.compile(r"\$(\w+)|\$\{(\w+)[^}]*\}")
_BUILT_IN = {"__rate_interval", "__range"}


@dataclass(frozen=True)
class Query:
    """A query of a panel, instant or over time."""

    board: str
    panel: str
    ref: str
    expression: str
    now: bool

    def __str__(self) -> str:
        return f"{self.board}: {self.panel}: {self.ref}"


def dashboards() -> list[Json]:
    """Return all dashboards."""
    return [json.loads(file.read_text(encoding="utf-8")) for file in sorted(FOLDER.glob("*.json"))]


def panels(dashboard: Json) -> list[Json]:
    """Return the panels of a dashboard without the titles of its rows."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def queries() -> Iterator[Query]:
    """Yield all queries of all panels."""
    for board in dashboards():
        for panel in panels(board):
            for target in panel["targets"]:
                yield Query(board["uid"], panel["title"], target["refId"], target["expr"], target["instant"])


def variables(dashboard: Json) -> Mapping[str, Json]:
    """Return the variables of a dashboard by name."""
    return {variable["name"]: variable for variable in dashboard["templating"]["list"]}


def variables_in(expression: str) -> set[str]:
    """Return the dashboard variables in ``expression``; ``$1`` is a match of label_replace."""
    names = {first or second for first, second in _VARIABLE.findall(expression)}
    return {name for name in names if not name.isdigit()} - _BUILT_IN


def as_first_shown(expression: str, dashboard: Json) -> str:
    """Return ``expression`` as Grafana sends it with the default values of variables."""
    values = {"__rate_interval": "10s", "__range": "1m"}
    values |= {name: _first(variable) for name, variable in variables(dashboard).items()}
    return _VARIABLE.sub(lambda found: values.get(found[1] or found[2], found[0]), expression)


def _first(variable: Json) -> str:
    if variable["type"] == "datasource":
        return "prometheus"
    if variable["includeAll"] and "allValue" in variable:
        return str(variable["allValue"])
    if variable["includeAll"]:
        return f"({'|'.join(choices(variable))})"
    return str(variable["current"]["value"])


def choices(variable: Json) -> list[str]:
    """Return the values of a custom variable."""
    return [choice.partition(" : ")[2] for choice in variable["query"].split(", ")]
