"""The Grafana dashboards are what their source makes, well laid out, and about metrics that exist."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from cln_monitor.exporter.metrics import ALL_FAMILIES
from cln_monitor.exporter.metrics.registry import RENDERERS
from cln_monitor.exporter.self_metrics import SelfMetrics
from dashboards.grafana.__main__ import texts
from tests.dashboards import grafana
from tests.dashboards.grafana import FOLDER, Json

COLUMNS = 24
README = Path(__file__).parents[2] / "README.md"
PROPER_NAMES = {"CLN", "CLN's", "API", "IP", "ELS", "AccelerateWP", "KernelCare", "Imunify"}
OF_THE_EXPORTER = ("cln_probe_", "cln_api_", "cln_exporter_")

each_dashboard = pytest.mark.parametrize("board", grafana.dashboards(), ids=lambda board: board["uid"])


def test_the_committed_dashboards_are_those_of_their_source(request: pytest.FixtureRequest) -> None:
    """Who changes the source commits what it makes, by make dashboards or pytest --update-golden."""
    made = texts()
    if request.config.getoption("--update-golden"):
        for name, text in made.items():
            (FOLDER / name).write_text(text, encoding="utf-8")
    assert {file.name: file.read_text(encoding="utf-8") for file in FOLDER.glob("*.json")} == made, "make dashboards"


@each_dashboard
def test_panels_fill_the_grid(board: Json) -> None:
    """No two panels overlap, and none leaves a hole, so that the right edges are in line."""
    cells = Counter(
        (x, y)
        for at in (panel["gridPos"] for panel in board["panels"])
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    )
    height = max(y for _, y in cells) + 1
    assert cells == Counter((x, y) for x in range(COLUMNS) for y in range(height))


@each_dashboard
def test_each_panel_can_be_told_apart(board: Json) -> None:
    """Ids and titles are unique in a dashboard."""
    for key in ("id", "title"):
        values = [panel[key] for panel in board["panels"]]
        assert len(set(values)) == len(values)


def test_each_dashboard_can_be_told_apart() -> None:
    """Links name dashboards by uid, which is the name of the file."""
    assert {board["uid"] for board in grafana.dashboards()} == {file.stem for file in FOLDER.glob("*.json")}
    assert len({board["title"] for board in grafana.dashboards()}) == len(grafana.dashboards())


@each_dashboard
def test_titles_are_in_sentence_case(board: Json) -> None:
    """A title starts with a capital, and has others only in proper names."""
    for panel in board["panels"]:
        first, *others = re.findall(r"[\w']+", panel["title"])
        assert first[0].isupper(), panel["title"]
        assert all(word.islower() or word in PROPER_NAMES for word in others), panel["title"]


@each_dashboard
def test_each_panel_says_what_it_shows(board: Json) -> None:
    """A description, the unit of its numbers, what stands there without data; and that polled data are polled."""
    for panel in grafana.panels(board):
        defaults = panel["fieldConfig"]["defaults"]
        assert panel["description"].endswith("."), panel["title"]
        assert defaults["unit"], panel["title"]
        assert defaults["noValue"], panel["title"]
        metrics = {name for target in panel["targets"] for name in _metrics(target["expr"], board)}
        if not all(name.startswith(OF_THE_EXPORTER) for name in metrics):
            assert "polled" in panel["description"].lower(), panel["title"]


@each_dashboard
def test_links_lead_to_dashboards_that_exist(board: Json) -> None:
    """Also the links in the rows of a table, whose dashboard is the label ``board`` of its query."""
    uids = set(re.findall(r"/d/([\w-]+)\?", json.dumps(board)))
    for target in _targets(board):
        for uid in re.findall(r'"board", "([^"]+)"', target["expr"]):
            uids |= {uid.replace("$1", product) for product in ("kernelcare", "imunify")}
    assert uids <= {each["uid"] for each in grafana.dashboards()}
    assert [(link["tags"], link["includeVars"], link["keepTime"]) for link in board["links"]] == [(["cln"], True, True)]
    assert board["tags"] == ["cln"]


@each_dashboard
def test_queries_use_variables_that_exist(board: Json) -> None:
    """Grafana sends a variable it does not know as it is written; one that is chosen must change something."""
    used = {name for target in _targets(board) for name in grafana.variables_in(target["expr"])}
    of_variables = {
        name
        for variable in grafana.variables(board).values()
        if variable["type"] == "query"
        for name in grafana.variables_in(variable["query"])
    }
    assert used | of_variables | {"datasource"} == set(grafana.variables(board))


@each_dashboard
def test_all_is_read_from_the_chosen_data_source(board: Json) -> None:
    """No panel, query or variable is bound to one Prometheus."""
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    query_variables = [each for each in grafana.variables(board).values() if each["type"] == "query"]
    for part in [*grafana.panels(board), *_targets(board), *query_variables]:
        assert part["datasource"] == chosen


@each_dashboard
def test_queries_use_metrics_that_exist(board: Json) -> None:
    """A panel over a metric nobody exposes would be empty for ever."""
    names = {family.name for family in ALL_FAMILIES}
    names |= {name for own in SelfMetrics().registry._collector_to_names.values() for name in own}
    expressions = [target["expr"] for target in _targets(board)]
    expressions += [each["query"] for each in grafana.variables(board).values() if each["type"] == "query"]
    used = {name for expression in expressions for name in _metrics(expression, board)}
    assert used
    assert used <= names


@each_dashboard
def test_numbers_do_not_need_a_series_a_server(board: Json) -> None:
    """With server_series: false only tables of servers are empty."""
    per_server = {family.name for renderer in RENDERERS.values() for family in renderer.per_server}
    for panel in grafana.panels(board):
        if panel["type"] != "table":
            assert not per_server & {name for target in panel["targets"] for name in _metrics(target["expr"], board)}


def test_the_example_provisioning_provides_the_dashboards() -> None:
    """Grafana's own file of providers, version 1, of type file."""
    (provider,) = yaml.safe_load((FOLDER / "provisioning.yml").read_text())["providers"]
    assert (provider["type"], provider["allowUiUpdates"]) == ("file", False)
    assert provider["options"]["path"] in README.read_text(encoding="utf-8")


def _targets(board: Json) -> list[dict[str, Any]]:
    return [target for panel in grafana.panels(board) for target in panel["targets"]]


def _metrics(expression: str, board: Json) -> set[str]:
    """Return the names of the metrics in ``expression``; those of the chosen products for each of them."""
    found = set(re.findall(r"\bcln_[a-z_]+\b(?!\()", re.sub(r'"cln_[^"]*"', "", expression)))
    for metric in re.findall(r'__name__=~"cln_\(\$product\)_([a-z_]+)"', expression):
        products = grafana.choices(grafana.variables(board)["product"])
        found |= {f"cln_{product}_{metric}" for product in products if not (product == "els" and "checkin" in metric)}
    return found
