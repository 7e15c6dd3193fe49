"""The configurations of packaging/compose in a real Prometheus and Alertmanager, with the demo."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helpers import servers
from tests.helpers.package import ROOT
from tests.helpers.running import Exporter, Program, ask, free_port, running_exporter, wait_until

pytestmark = pytest.mark.needs_server("prometheus", "alertmanager")

COMPOSE = ROOT / "packaging" / "compose"
RULES = ROOT / "dashboards" / "prometheus" / "cln.rules.yml"


def test_the_checks(tmp_path: Path) -> None:
    """Prometheus and Alertmanager accept the files without a change."""
    for file in (COMPOSE / "prometheus.yml", COMPOSE / "alertmanager.yml", RULES):
        shutil.copy(file, tmp_path)
    for program, *arguments in (
        ("promtool", "check", "config", "prometheus.yml"),
        ("amtool", "check-config", "alertmanager.yml"),
    ):
        command = [servers.path(program), *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Exporter, str, str]]:
    """Yield the exporter and the URLs of Prometheus and Alertmanager, all of them on loopback ports."""
    directory = tmp_path_factory.mktemp("compose")
    shutil.copy(RULES, directory)
    addresses = {name: f"127.0.0.1:{free_port()}" for name in ("prometheus", "alertmanager")}
    with contextlib.ExitStack() as stack:
        exporter = stack.enter_context(running_exporter(directory, "--demo"))
        text = (COMPOSE / "prometheus.yml").read_text("utf-8")
        for service, address in {
            "exporter:10099": exporter.address,
            "alertmanager:9093": addresses["alertmanager"],
        }.items():
            assert text.count(f'"{service}"') == 1
            text = text.replace(service, address)
        assert text.count("interval: 15s") == 2
        (directory / "prometheus.yml").write_text(text.replace("interval: 15s", "interval: 1s"), encoding="utf-8")
        alertmanager = Program(
            [
                servers.path("prometheus-alertmanager"),
                f"--config.file={COMPOSE / 'alertmanager.yml'}",
                f"--storage.path={directory / 'alerts'}",
                f"--web.listen-address={addresses['alertmanager']}",
                "--cluster.listen-address=",
            ],
            directory / "alertmanager.log",
        )
        stack.callback(alertmanager.stop)
        alertmanager.wait_for_log("Listening on")
        prometheus = Program(
            [
                servers.path("prometheus"),
                f"--config.file={directory / 'prometheus.yml'}",
                f"--storage.tsdb.path={directory / 'data'}",
                f"--web.listen-address={addresses['prometheus']}",
            ],
            directory / "prometheus.log",
        )
        stack.callback(prometheus.stop)
        prometheus.wait_for_log("Server is ready to receive web requests")
        yield exporter, f"http://{addresses['prometheus']}", f"http://{addresses['alertmanager']}"


def answer(url: str) -> Any:
    """Return the data of a response of Prometheus."""
    return json.loads(ask(url).text)["data"]


def test_the_exporter_is_scraped(stack: tuple[Exporter, str, str]) -> None:
    """The exporter is up, under the address that a browser can open."""
    _, prometheus, _ = stack

    def look() -> list[dict[str, Any]]:
        targets: list[dict[str, Any]] = answer(f"{prometheus}/api/v1/targets")["activeTargets"]
        return [target for target in targets if target["health"] == "up"]

    (target,) = wait_until(look, "a scrape")
    assert target["labels"] == {"job": "cln", "instance": "127.0.0.1:10099"}


def test_the_rules_are_loaded(stack: tuple[Exporter, str, str]) -> None:
    """All groups of the rules are loaded, and evaluated without an error."""
    _, prometheus, _ = stack
    expected = [group["name"] for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"]]

    def look() -> list[dict[str, Any]]:
        groups: list[dict[str, Any]] = answer(f"{prometheus}/api/v1/rules")["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        return groups if all(rule["health"] == "ok" for rule in rules) else []

    assert sorted(group["name"] for group in wait_until(look, "an evaluation of the rules")) == sorted(expected)


def test_alerts_are_sent(stack: tuple[Exporter, str, str]) -> None:
    """Prometheus finds Alertmanager, which has the receiver of the configuration."""
    _, prometheus, alertmanager = stack
    found = wait_until(lambda: answer(f"{prometheus}/api/v1/alertmanagers")["activeAlertmanagers"], "Alertmanager")
    assert [entry["url"] for entry in found] == [f"{alertmanager}/api/v2/alerts"]
    assert json.loads(ask(f"{alertmanager}/api/v2/receivers").text) == [{"name": "operators"}]
