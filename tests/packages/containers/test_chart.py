"""The chart rendered by Helm, and validated against the schemas of Kubernetes."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from cln_monitor.config import parse_config
from tests.helpers import servers
from tests.helpers.package import ROOT
from tools.kubernetes_chart import CHART, DASHBOARDS, RULES, chart_digest

helm = pytest.importorskip("helm_python", reason="make test-packages installs helm-python-sdk")
kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="make test-packages installs it")

VERSIONS = ("1.25", "1.31", "1.34")
"""The oldest release of Kubernetes that the chart allows, and newer ones."""
EVERYTHING: dict[str, Any] = yaml.safe_load((ROOT / "tests" / "containers" / "everything.yml").read_text("utf-8"))
VALUES: dict[str, dict[str, Any]] = {"defaults": {}, "demo": {"demo": True}, "everything": EVERYTHING}
OF_THE_OPERATOR = {"ServiceMonitor", "PrometheusRule"}
LARGEST_CONFIG_MAP = 1 << 20
LARGEST_RELEASE = 1 << 20


def render(name: str) -> dict[str, str]:
    """Return the rendered texts by template."""
    return rendered(VALUES[name])


def rendered(values: dict[str, Any]) -> dict[str, str]:
    """Return the texts that ``values`` render, by template."""
    with helm.Chart.load(str(CHART)) as chart:
        texts: dict[str, str] = chart.render(values, name="demo", namespace="monitoring")
    return {template.rpartition("/")[2]: text for template, text in texts.items()}


def documents(name: str) -> list[dict[str, Any]]:
    """Return the rendered objects."""
    texts = [text for template, text in render(name).items() if template.endswith(".yaml")]
    return [document for text in texts for document in yaml.safe_load_all(text) if document]


@pytest.mark.parametrize("name", VALUES)
def test_lint(name: str) -> None:
    """Helm has no warning and no error."""
    result = helm.lint(str(CHART), VALUES[name], strict=True)
    assert result["errors"] == []
    assert [message for message in result["messages"] if message["severity"] > 1] == []  # 1: an icon is recommended


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", VALUES)
def test_the_schemas_of_kubernetes(name: str, version: str) -> None:
    """Each object is valid in each release of Kubernetes, without unknown fields."""
    found = documents(name)
    kinds = [document["kind"] for document in found]
    for document in found:
        if document["kind"] not in OF_THE_OPERATOR:
            kubernetes_validate.validate(document, version, strict=True)
    assert set(kinds) >= {"Deployment", "Service", "ServiceAccount"}
    assert len(kinds) == {"defaults": 4, "demo": 3, "everything": 12}[name]


@pytest.mark.parametrize("name", VALUES)
def test_the_rendered_manifests(name: str, golden: Callable[[str, str], None]) -> None:
    """The manifests that other tests read are those of the chart; rules and dashboards are left out there."""
    texts = render(name)
    left_out = {"dashboards.yaml", "prometheusrule.yaml", "NOTES.txt"}
    shown = {template: text.strip() for template, text in sorted(texts.items()) if template not in left_out}
    golden(f"chart/{name}.yml", "".join(f"---\n# {template}\n{text}\n" for template, text in shown.items() if text))
    golden("chart/digest", chart_digest() + "\n")


@pytest.mark.parametrize("accounts", [pytest.param([], id="an empty list"), pytest.param(None, id="null")])
def test_an_eportal_alone(accounts: object, tmp_path: Path) -> None:
    """Without accounts the chart is a valid one of ePortals, and its notes name no account to check."""
    key = "/etc/cln-monitor-secrets/dc1-key"
    eportal = {"name": "dc1", "url": "https://eportal.example.net/admin/api", "api_key_file": key}
    values = {"config": {"accounts": accounts, "eportals": [eportal]}}
    result = helm.lint(str(CHART), values, strict=True)
    assert result["errors"] == []
    texts = rendered(values)
    config = yaml.safe_load(texts["configmap.yaml"])["data"]["cln-monitor.yml"]
    assert parse_config(config, tmp_path, with_secrets=False).names == ["dc1"]
    assert "clntool eportal servers list" in texts["NOTES.txt"]
    assert "check account" not in texts["NOTES.txt"]


def test_neither_accounts_nor_eportals() -> None:
    """Helm rejects a configuration that monitors nothing."""
    result = helm.lint(str(CHART), {"config": {"accounts": []}}, strict=True)
    assert any("config" in str(found) for found in (*result["errors"], *result["messages"])), result


def test_the_rules(tmp_path: Path) -> None:
    """The PrometheusRule has the groups of the rules, which Prometheus accepts."""
    (rule,) = [document for document in documents("everything") if document["kind"] == "PrometheusRule"]
    assert rule["spec"] == yaml.safe_load(RULES.read_text("utf-8"))
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(rule["spec"]), encoding="utf-8")
    command = [servers.path("promtool"), "check", "rules", str(tmp_path / "rules.yml")]
    subprocess.run(command, check=True, timeout=60, stdout=subprocess.DEVNULL)


def test_the_dashboards() -> None:
    """Each dashboard is a ConfigMap of its own with the text of its file, within the limit of Kubernetes."""
    maps = [document for document in documents("everything") if "grafana_dashboard" in document["metadata"]["labels"]]
    data = {name: text for document in maps for name, text in document["data"].items()}
    assert data == {file.name: file.read_text("utf-8") for file in DASHBOARDS.glob("*.json")}
    assert len(maps) == len(data) == 6
    assert max(len(text.encode()) for text in data.values()) < LARGEST_CONFIG_MAP


def test_a_wrong_value() -> None:
    """Helm rejects a value that the schema does not know."""
    result = helm.lint(str(CHART), {"replicas": 2}, strict=True)
    assert any("replicas" in str(found) for found in (*result["errors"], *result["messages"])), result


def test_the_package(tmp_path: Path) -> None:
    """The packaged chart fits in the Secret in which Helm keeps a release."""
    archive = Path(helm.package(str(CHART), destination=str(tmp_path)))
    assert archive.stat().st_size < LARGEST_RELEASE / 4
