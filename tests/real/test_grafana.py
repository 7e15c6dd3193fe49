"""A real Prometheus answers each query of each Grafana dashboard over the demo."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.checks.inside import run_in_process
from tests.dashboards import grafana
from tests.dashboards.grafana import Json, Query
from tests.helpers.prometheus import Prometheus
from tests.helpers.running import ask, free_port, running_exporter, wait_until

pytestmark = pytest.mark.needs_server("prometheus")

BOARDS = {board["uid"]: board for board in grafana.dashboards()}
QUERIES = list(grafana.queries())
VARIABLES = [
    (uid, name)
    for uid, board in BOARDS.items()
    for name, variable in grafana.variables(board).items()
    if variable["type"] == "query"
]
_SELECTOR = re.compile(r'(?<!")\b(cln_\w+)(\{?)|\{(?=__name__)')
EMPTY_ON_THE_DEMO = {"cln-imunify: Servers to remove: A"}
"""No Imunify server is gone there."""
_ALERTS = [
    {"alert": f"Cln{severity}", "expr": "vector(1)", "labels": {"severity": severity, "account": "demo"}}
    for severity in ("critical", "warning", "info")
]


@dataclass(frozen=True)
class Lab:
    """A Prometheus that scrapes the demo at two addresses, as two exporters of the same account."""

    prometheus: Prometheus
    one: str

    def api(self, path: str, **parameters: object) -> Any:
        """Return the response of Prometheus, which must have no warnings."""
        answer = ask(f"{self.prometheus.url}/api/v1/{path}?{urlencode(parameters)}")
        result = json.loads(answer.text)
        assert result["status"] == "success", result["error"]
        assert not result.get("warnings"), result["warnings"]
        return result["data"]

    def values(self, expression: str, now: float) -> Mapping[tuple[tuple[str, str], ...], float]:
        """Return the values of ``expression`` at the time ``now`` by their labels."""
        series = self.api("query", query=expression, time=now)["result"]
        return {tuple(sorted(item["metric"].items())): float(item["value"][1]) for item in series}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Yield one lab for all tests, scraped before and after a run of all probes, as counters need."""
    folder = tmp_path_factory.mktemp("lab")
    second = f"127.0.0.1:{free_port()}"
    (folder / "own.rules.yml").write_text(json.dumps({"groups": [{"name": "own", "rules": _ALERTS}]}))
    with running_exporter(folder, "--demo", f"--web.listen-address={second}") as demo:
        demo.wait_ready()
        prometheus = Prometheus(folder, [demo.address, second])
        try:
            # All probes have run twice, and both runs were scraped at both addresses.
            again = "min(increase(cln_api_requests_total[1m])) > 0"
            wait_until(lambda: prometheus.query(again), "calls of the API since the first scrape", patience=60)
            yield Lab(prometheus, demo.address)
        finally:
            prometheus.stop()


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_a_panel_has_something_to_show(lab: Lab, query: Query) -> None:
    """Each query of each panel runs as Grafana sends it, and has a result."""
    expression = grafana.as_first_shown(query.expression, BOARDS[query.board])
    now = time.time()
    if query.now:
        numbers = list(lab.values(expression, now).values())
    else:
        series = lab.api("query_range", query=expression, start=now - 60, end=now, step=1)["result"]
        numbers = [float(value) for item in series for _, value in item["values"]]
    assert any(not math.isnan(number) for number in numbers) is (str(query) not in EMPTY_ON_THE_DEMO), numbers


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_a_table_shows_each_label_in_a_column(lab: Lab, board: Json) -> None:
    """Each label of a table has a column with a name."""
    for panel in grafana.panels(board):
        if panel["type"] == "table":
            organized = panel["transformations"][-1]["options"]
            for target in panel["targets"]:
                found = lab.values(grafana.as_first_shown(target["expr"], board), time.time())
                labels = {name for series in found for name, _ in series}
                assert labels <= organized["indexByName"].keys() | organized["excludeByName"].keys(), panel["title"]


@pytest.mark.parametrize("uid", BOARDS)
def test_alerts_that_fire_are_marked(lab: Lab, uid: str) -> None:
    """Each annotation query finds the alert of its severity."""
    for mark in BOARDS[uid]["annotations"]["list"]:
        (labels,) = lab.values(grafana.as_first_shown(mark["expr"], BOARDS[uid]), time.time())
        assert dict(labels)["severity"] in mark["name"]


@pytest.mark.parametrize("seconds", [0, 43200, 86400, 604800, 2592000, 3456000])
def test_a_number_has_as_many_as_its_table(lab: Lab, seconds: int) -> None:
    """The numbers of silent and superseded servers match the rows of their tables."""
    now = time.time()
    for uid, board in BOARDS.items():
        if uid not in {"cln-exporter", "cln-patches"}:
            shown = {
                panel["title"]: lab.values(
                    grafana.as_first_shown(panel["targets"][0]["expr"].replace("$stale_after", str(seconds)), board),
                    now,
                )
                for panel in grafana.panels(board)
                if panel["title"] in {"Silent", "Newly silent", "Silent servers", "Gone", "Servers to remove"}
            }
            rows = [dict(labels) for labels in shown["Silent servers"]]
            assert [len(rows)] == list(shown["Silent"].values())
            if seconds < 30 * 86400:  # else those that are newly silent are gone at once
                assert [sum(row["grade"] == "newly" for row in rows)] == list(shown["Newly silent"].values())
            removable = [dict(labels)["grade"] for labels in shown["Servers to remove"]]
            assert [removable.count("gone")] == list(shown["Gone"].values())


def test_servers_are_counted_as_on_the_status_page(lab: Lab) -> None:
    """The dashboards and the status page show the same numbers of servers."""
    now, board = time.time(), BOARDS["cln-overview"]
    numbers = {
        query.panel: sum(lab.values(grafana.as_first_shown(query.expression, board), now).values())
        for query in QUERIES
        if query.board == "cln-overview" and query.panel in {"Servers that check in", "Silent", "Never checked in"}
    }
    page = re.sub(r"<[^>]+>|\s+", " ", ask(f"http://{lab.one}/").text)
    figures = re.search(r"(\d+) +registered servers: .*? ELS +(\d+) +silent or never checked in", page)
    assert figures
    silent = numbers["Silent"] + numbers["Never checked in"]
    assert [int(item) for item in figures.groups()] == [numbers["Servers that check in"], silent]


@pytest.mark.parametrize("query", [item for item in QUERIES if item.board != "cln-exporter"], ids=str)
def test_two_exporters_of_an_account_count_once(lab: Lab, query: Query) -> None:
    """A query over two exporters has the same result as over one."""
    expression = grafana.as_first_shown(query.expression, BOARDS[query.board])
    of_one = _SELECTOR.sub(
        lambda found: (found[1] or "") + f'{{instance="{lab.one}"' + ("," if found[2] or not found[1] else "}"),
        expression,
    )

    def look() -> bool:
        # Between the scrapes of the two after a poll they differ for a moment.
        now = time.time()
        both, one = lab.values(expression, now), lab.values(of_one, now)
        return both.keys() == one.keys() and all(math.isclose(both[key], one[key], rel_tol=1e-9) for key in one)

    wait_until(look, f"the same as from {of_one}")


@pytest.mark.parametrize(("uid", "name"), VARIABLES)
def test_a_variable_has_something_to_choose(lab: Lab, uid: str, name: str) -> None:
    """Each variable with a query has values."""
    board: Json = BOARDS[uid]
    query = grafana.as_first_shown(grafana.variables(board)[name]["query"], board)
    found = re.fullmatch(r"label_values\((.+), (\w+)\)", query)
    assert found
    assert lab.api(f"label/{found[2]}/values", **{"match[]": found[1]})


def test_problems_have_severity_and_dashboard(lab: Lab) -> None:
    """Each problem of the demo is a row with its severity and its dashboard."""
    (query,) = (item for item in QUERIES if item.panel == "What is wrong now")
    rows = [
        dict(labels)
        for labels in lab.values(grafana.as_first_shown(query.expression, BOARDS[query.board]), time.time())
    ]
    assert {(row["level"], row["problem"], row["place"], row["board"]) for row in rows} == {
        ("2", "Keys are full", "kernelcare", "cln-licenses"),
        ("2", "Keys are full", "imunify", "cln-licenses"),
        ("2", "Keys are full", "els", "cln-licenses"),
        ("2", "Keys are nearly full", "kernelcare", "cln-licenses"),
        ("2", "Servers are silent", "kernelcare", "cln-kernelcare"),
        ("2", "Servers are silent", "imunify", "cln-imunify"),
        ("2", "Servers are silent", "ip_license", "cln-licenses"),
        ("2", "Servers are silent", "els", "cln-licenses"),
        ("2", "Servers never checked in", "kernelcare", "cln-kernelcare"),
        ("3", "Servers never checked in", "imunify", "cln-imunify"),
        ("2", "Servers never checked in", "ip_license", "cln-licenses"),
        ("3", "Gone servers to remove", "kernelcare", "cln-kernelcare"),
        ("3", "Gone servers to remove", "ip_license", "cln-licenses"),
        ("3", "Superseded servers to remove", "kernelcare", "cln-kernelcare"),
        ("3", "Silent on disabled keys", "kernelcare", "cln-kernelcare"),
        ("2", "Kernels are out of date", "kernelcare", "cln-kernelcare"),
        ("2", "Kernels are not supported", "kernelcare", "cln-kernelcare"),
        ("2", "Servers are inactive", "kernelcare", "cln-kernelcare"),
        ("3", "IP licenses are unused", "ip_license", "cln-licenses"),
        ("2", "CVEs are not fixed by live patches", "eportal", "cln-patches"),
        ("2", "Live patches are out of date", "eportal", "cln-patches"),
        ("2", "Servers are silent", "eportal", "cln-patches"),
    }
    assert {(row["place"] == "eportal", row["account"]) for row in rows} == {(False, "demo"), (True, "dc1")}
    # Each surface names the same worst thing first.
    first = min(rows, key=lambda row: row["order"])
    assert (first["problem"], first["place"]) == ("Servers are silent", "kernelcare")
    summaries = re.findall(r"<summary>([^<]*)", ask(f"http://{lab.one}/").text)
    assert summaries[0].startswith("2 KernelCare servers of demo have not checked in")
    plugin = run_in_process("check_cln_kernelcare", "--exporter", f"http://{lab.one}")
    assert plugin.text.startswith("2 of 93 KernelCare servers not checked in for over 1d: ")
