"""The Grafana dashboards are up to date, well laid out, and use existing metrics."""

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
PAGE = Path(__file__).parents[2] / "docs" / "dashboards.md"
PROPER_NAMES = {"CLN", "CLN's", "API", "CVE", "IP", "ELS", "AccelerateWP", "KernelCare", "Imunify", "OS"}
OF_THE_EXPORTER = ("cln_probe_", "cln_api_", "cln_exporter_")

each_dashboard = pytest.mark.parametrize("board", grafana.dashboards(), ids=lambda board: board["uid"])


def test_the_committed_dashboards_are_those_of_their_source(request: pytest.FixtureRequest) -> None:
    """The committed JSON is up to date with its source; update it with make dashboards or pytest --update-golden."""
    made = texts()
    if request.config.getoption("--update-golden"):
        for name, text in made.items():
            (FOLDER / name).write_text(text, encoding="utf-8")
    assert {file.name: file.read_text(encoding="utf-8") for file in FOLDER.glob("*.json")} == made, "make dashboards"


@each_dashboard
def test_panels_fill_the_grid(board: Json) -> None:
    """Panels neither overlap nor leave gaps."""
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
    """IDs and titles of panels are unique in each dashboard."""
    for key in ("id", "title"):
        values = [panel[key] for panel in board["panels"]]
        assert len(set(values)) == len(values)


def test_each_dashboard_can_be_told_apart() -> None:
    """The uid of each dashboard is unique, and the name of its file."""
    assert {board["uid"] for board in grafana.dashboards()} == {file.stem for file in FOLDER.glob("*.json")}
    assert len({board["title"] for board in grafana.dashboards()}) == len(grafana.dashboards())


@each_dashboard
def test_titles_are_in_sentence_case(board: Json) -> None:
    """Titles are in sentence case, except for proper names."""
    for panel in board["panels"]:
        first, *others = re.findall(r"[\w']+", panel["title"])
        assert first[0].isupper(), panel["title"]
        assert all(word.islower() or word in PROPER_NAMES for word in others), panel["title"]


@each_dashboard
def test_each_panel_says_what_it_shows(board: Json) -> None:
    """Each panel has a description, a unit, and a text for missing data; polled data are described as such."""
    for panel in grafana.panels(board):
        defaults = panel["fieldConfig"]["defaults"]
        assert panel["description"].endswith("."), panel["title"]
        assert defaults["unit"], panel["title"]
        assert defaults["noValue"], panel["title"]
        metrics = {name for target in panel["targets"] for name in _metrics(target["expr"])}
        if not all(name.startswith(OF_THE_EXPORTER) for name in metrics):
            assert "polled" in panel["description"].lower(), panel["title"]


@each_dashboard
def test_links_lead_to_dashboards_that_exist(board: Json) -> None:
    """Links lead to existing dashboards, including those in table rows by the label ``board``."""
    uids = set(re.findall(r"/d/([\w-]+)\?", json.dumps(board)))
    for target in _targets(board):
        for uid in re.findall(r'"board", "([^"]+)"', target["expr"]):
            uids.add(uid)
    assert uids <= {dashboard["uid"] for dashboard in grafana.dashboards()}
    assert [(link["tags"], link["includeVars"], link["keepTime"]) for link in board["links"]] == [(["cln"], True, True)]
    assert board["tags"] == ["cln"]


@each_dashboard
def test_queries_use_variables_that_exist(board: Json) -> None:
    """Queries use existing variables only, and each variable is used."""
    used = {name for expression in _expressions(board) for name in grafana.variables_in(expression)}
    of_variables = {
        name
        for variable in grafana.variables(board).values()
        if variable["type"] == "query"
        for name in grafana.variables_in(variable["query"])
    }
    assert used | of_variables | {"datasource"} == set(grafana.variables(board))


@each_dashboard
def test_all_is_read_from_the_chosen_data_source(board: Json) -> None:
    """Each panel, query, and variable uses the selected data source."""
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    query_variables = [variable for variable in grafana.variables(board).values() if variable["type"] == "query"]
    for part in [*grafana.panels(board), *_targets(board), *query_variables, *board["annotations"]["list"]]:
        assert part["datasource"] == chosen


@each_dashboard
def test_queries_use_metrics_that_exist(board: Json) -> None:
    """Queries use existing metrics only."""
    names = {family.name for family in ALL_FAMILIES}
    names |= {name for own in SelfMetrics().registry._collector_to_names.values() for name in own}
    expressions = [target["expr"] for target in _targets(board)]
    expressions += [variable["query"] for variable in grafana.variables(board).values() if variable["type"] == "query"]
    used = {name for expression in expressions for name in _metrics(expression)}
    assert used
    assert used <= names


@each_dashboard
def test_each_selector_is_of_the_chosen_exporters(board: Json) -> None:
    """Each selector is limited to the selected job and instance."""
    for name in ("job", "instance", "account"):
        variable = grafana.variables(board)[name]
        assert (variable["multi"], variable["includeAll"], variable["allValue"]) == (True, True, ".*")
    of_variables = [variable["query"] for variable in grafana.variables(board).values() if variable["type"] == "query"]
    for expression in [*_expressions(board), *of_variables]:
        selectors = re.findall(r'(?<!")\b(?:cln_\w+|ALERTS|up)\b(?!\()(\{[^}]*\})?|(\{__name__[^}]*\})', expression)
        assert selectors
        for first, second in selectors:
            matchers = first or second
            if expression in of_variables and not re.search("account|key|code|probe", expression):
                continue  # the choice of the exporters themselves
            assert "$job" in matchers, (matchers, expression)
            assert "$instance" in matchers, (matchers, expression)


@each_dashboard
def test_no_query_depends_on_a_recording_rule(board: Json) -> None:
    """Queries read metrics of the exporter and ALERTS only, no recording rules."""
    for expression in _expressions(board):
        assert not re.search(r"\bcln:|\w:\w+:", expression)


@each_dashboard
def test_the_range_fits_data_that_move_in_days(board: Json) -> None:
    """The default range is a week, and rates span two polls of 15 minutes on any screen."""
    assert (board["time"], board["refresh"]) == ({"from": "now-7d", "to": "now"}, "5m")
    for panel in grafana.panels(board):
        if panel["type"] in {"timeseries", "state-timeline"}:
            is_rate = any("$__rate_interval" in target["expr"] for target in panel["targets"])
            assert panel["interval"] == ("30m" if is_rate else "5m"), panel["title"]


@each_dashboard
def test_alerts_that_fire_are_marked_in_graphs(board: Json) -> None:
    """Firing alerts are annotations in the color of their severity."""
    marks = [
        (annotation["iconColor"], *re.findall(r'severity="(\w+)"', annotation["expr"]))
        for annotation in board["annotations"]["list"]
    ]
    assert marks == [("red", "critical"), ("orange", "warning"), ("blue", "info")]


@each_dashboard
def test_only_critical_is_red(board: Json) -> None:
    """Only critical states are red; warnings are orange or yellow."""
    red = {panel["title"] for panel in grafana.panels(board) if '"red"' in json.dumps(panel)}
    assert red <= {"Critical alerts", "Alerts firing now", "What is wrong now", "Exporters"}


@each_dashboard
def test_graphs_do_not_need_per_server_series(board: Json) -> None:
    """With server_series: false only tables of servers, and panels that say so, are empty.

    Graphs of IP licenses read per-server series, because there are no counts by check-in.
    """
    per_server = {family.name for renderer in RENDERERS.values() for family in renderer.per_server}
    for panel in grafana.panels(board):
        found = per_server & {name for target in panel["targets"] for name in _metrics(target["expr"])}
        if panel["type"] == "stat" and found:
            assert "server_series: false" in panel["description"], panel["title"]
        elif panel["type"] != "table":
            assert all(name.startswith("cln_ip_license_") for name in found), panel["title"]


def test_the_example_provisioning_provides_the_dashboards() -> None:
    """The example provisioning file is a valid version 1 provider of type file."""
    (provider,) = yaml.safe_load((FOLDER / "provisioning.yml").read_text())["providers"]
    assert (provider["type"], provider["allowUiUpdates"]) == ("file", False)
    assert provider["options"]["path"] in PAGE.read_text(encoding="utf-8")


def _targets(board: Json) -> list[dict[str, Any]]:
    return [target for panel in grafana.panels(board) for target in panel["targets"]]


def _expressions(board: Json) -> list[str]:
    return [part["expr"] for part in (*_targets(board), *board["annotations"]["list"])]


def _metrics(expression: str) -> set[str]:
    """Return the names of the metrics in ``expression``, including those matched by ``__name__``."""
    found = set(re.findall(r'(?<!")\bcln_[a-z_]+\b(?!\()|(?<=__name__=")cln_[a-z_]+', expression))
    for products, metric in re.findall(r'__name__=~"cln_\(([a-z|]+)\)_([a-z_]+)"', expression):
        found |= {f"cln_{product}_{metric}" for product in products.split("|")}
    return found
