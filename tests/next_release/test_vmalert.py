"""The shipped rules in vmalert and VictoriaMetrics, next to Prometheus, while an account has problems."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.helpers import servers
from tests.helpers.alert_rules import FOLDER, alerts_of, load_rules
from tests.helpers.package import ROOT
from tests.helpers.prometheus import Prometheus
from tests.helpers.running import Program, ask, free_port, running_exporter, wait_until
from tests.helpers.victoria_metrics import VictoriaMetrics

RULES = FOLDER / "cln.rules.yml"


class VmAlert(Program):
    """Evaluates ``rules`` each second, with the options of docs/vmalert.md."""

    def __init__(self, directory: Path, rules: Path, storage: VictoriaMetrics) -> None:
        address = f"127.0.0.1:{free_port()}"
        self.url = f"http://{address}"
        command = [
            servers.path("vmalert"),
            f"-rule={rules}",
            *(f"-{name}.url={storage.url}" for name in ("datasource", "remoteWrite", "remoteRead")),
            "-notifier.blackhole",
            "-evaluationInterval=1s",
            "-remoteWrite.flushInterval=1s",
            "-disableAlertgroupLabel",
            "-rule.evalDelay=1s",  # by default 30 s, for samples that arrive late
            f"-httpListenAddr={address}",
        ]
        super().__init__(command, directory / "vmalert.log")
        self.wait_for_log("started server at|started vmalert in|starting server at")

    def rules(self) -> list[Mapping[str, str]]:
        """Return all rules with their health."""
        groups = json.loads(ask(f"{self.url}/api/v1/rules").text)["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]


@dataclass
class Lab:
    """An exporter with problems, and both systems that evaluate the rules for it."""

    prometheus: Prometheus
    storage: VictoriaMetrics
    vmalert: VmAlert


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Run the demo; the rules are evaluated each second and wait at most a second."""
    folder = tmp_path_factory.mktemp("vmalert")
    text = RULES.read_text("utf-8")
    rules = folder / "cln.rules.yml"
    rules.write_text(re.sub(r"(?m)^( +(?:keep_firing_)?for:) .*$", r"\1 1s", text), encoding="utf-8")
    with contextlib.ExitStack() as stack:
        exporter = stack.enter_context(running_exporter(folder, "--demo"))
        exporter.wait_ready()
        prometheus = Prometheus(folder, [exporter.address])
        stack.callback(prometheus.stop)
        storage = VictoriaMetrics(folder, [exporter.address])
        stack.callback(storage.stop)
        storage.wait_for("up", [1.0])
        vmalert = VmAlert(folder, rules, storage)
        stack.callback(vmalert.stop)
        yield Lab(prometheus, storage, vmalert)


def test_all_rules_are_evaluated(lab: Lab) -> None:
    """Vmalert evaluates each rule of the file without an error."""

    def evaluated() -> list[Mapping[str, str]]:
        rules = lab.vmalert.rules()
        return rules if all(rule["health"] != "unknown" for rule in rules) else []

    rules = wait_until(evaluated, "all rules to be evaluated")
    assert [(rule["name"], rule.get("lastError")) for rule in rules if rule["health"] != "ok"] == []
    assert {rule["name"] for rule in rules if rule["type"] == "alerting"} == set(alerts_of(load_rules()))


def alerts(series: Iterable[tuple[Mapping[str, str], float]]) -> set[tuple[str, ...]]:
    """Return the alerts in ``series`` of ALERTS, without labels of the system."""
    names = ("alertname", "account", "key", "product", "probe", "flag", "severity")
    return {tuple(labels.get(name, "") for name in names) for labels, _ in series}


def test_the_same_alerts_as_in_prometheus(lab: Lab) -> None:
    """The alerts that fire for the demo are the same in both."""
    firing = 'ALERTS{alertstate="firing"}'

    def same() -> set[tuple[str, ...]]:
        ours, theirs = alerts(lab.storage.series(firing)), alerts(lab.prometheus.query(firing))
        return ours if ours == theirs else set()

    found = wait_until(same, "the same alerts in both")
    assert len({alert[0] for alert in found}) >= 3, found


def test_the_series_are_the_same_as_in_prometheus(lab: Lab) -> None:
    """VictoriaMetrics and Prometheus store the same polled series."""
    selector = '{__name__=~"cln_.+",__name__!~"cln_exporter_.+|cln_api_.+"}'

    def names(series: Iterable[tuple[Mapping[str, str], float]]) -> set[frozenset[tuple[str, str]]]:
        return {frozenset(item for item in labels.items() if item[0] != "instance") for labels, _ in series}

    assert names(lab.storage.series(selector)) == names(lab.prometheus.query(selector))
    assert len(lab.storage.series(selector)) > 100


def test_rules_in_vmalert_tool() -> None:
    """The tests of the rules pass in vmalert-tool."""
    command = ["sh", str(ROOT / "tools" / "vmalert-test")]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout[-5000:]
