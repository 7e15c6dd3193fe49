"""The files of packaging/compose: what they mount and name exists, and differs from the shipped files only as said."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from cln_monitor.exporter.options import make_parser
from tests.helpers.package import ROOT

COMPOSE = ROOT / "packaging" / "compose"
SHIPPED = ROOT / "dashboards" / "prometheus"
IMAGES = {"/var/lib/cln-exporter", "/prometheus", "/alertmanager", "/var/lib/grafana"}


def load(file: Path) -> dict[str, Any]:
    """Return a YAML file."""
    document: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))
    return document


@pytest.fixture
def services() -> dict[str, Any]:
    """The services."""
    found: dict[str, Any] = load(COMPOSE / "compose.yml")["services"]
    return found


def mounts(service: dict[str, Any]) -> dict[str, str]:
    """Return the mounted files, directories and volumes by their paths in the container."""
    pairs = [volume.removesuffix(":ro").rsplit(":", 1) for volume in service["volumes"]]
    return {target: source for source, target in pairs}


def file_at(service: dict[str, Any], path: str) -> Path:
    """Return the file of the checkout that is mounted at a path of a container."""
    for target, source in mounts(service).items():
        if source.startswith(".") and (path == target or path.startswith(f"{target}/")):
            return (COMPOSE / source / os.path.relpath(path, target)).resolve()
    raise LookupError(path)


def inserted(text: str, **variables: str) -> str:
    """Return a text with its variables inserted, as Compose does."""

    def value(found: re.Match[str]) -> str:
        name, colon, default = found["name"], found["colon"], found["default"] or ""
        return variables.get(name) or default if colon else variables.get(name, default)

    return re.sub(r"\$\{(?P<name>[A-Z_]+)(?:(?P<colon>:)?-(?P<default>[^}]*))?\}", value, text)


def flags(services: dict[str, Any], **variables: str) -> Any:
    """Return the parsed flags of the exporter."""
    return make_parser().parse_args(shlex.split(inserted(services["exporter"]["command"], **variables)))


def test_the_demo_is_the_default(services: dict[str, Any]) -> None:
    """Without .env the exporter monitors the simulated account, and with the example of .env a real one."""
    assert flags(services).demo
    example = dict(re.findall(r"(?m)^([A-Z_]+)=(.*)$", (COMPOSE / "env.example").read_text("utf-8")))
    options = flags(services, **example)
    assert (options.demo, options.config_file) == (False, None)
    environment = services["exporter"]["environment"]
    filled = example | {"CLN_LOGIN": "someone", "CLN_SECRET_KEY": "s3cret"}
    assert {name: inserted(text, **filled) for name, text in environment.items()} == (
        {"CLN_LOGIN": "someone", "CLN_SECRET_KEY": "s3cret", "CLN_ACCOUNT": "acme", "CLN_API_URL": ""}
    )
    assert set(example) == {*environment, "EXPORTER_FLAGS"} - {"CLN_API_URL"}
    further = flags(services, EXPORTER_FLAGS="--log.level=debug --log.format=json")
    assert (further.log_level, further.log_format) == ("debug", "json")


def test_what_is_mounted_exists(services: dict[str, Any]) -> None:
    """Each mounted file exists, and each volume is declared."""
    volumes = set(load(COMPOSE / "compose.yml")["volumes"])
    used = set()
    for service in services.values():
        for target, source in mounts(service).items():
            if source.startswith("."):
                assert (COMPOSE / source).exists(), source
            else:
                used.add(source)
                assert target in IMAGES
    assert used == volumes


def test_the_image_is_built(services: dict[str, Any]) -> None:
    """The exporter is built from the checkout, and the other images have a fixed release."""
    build = services["exporter"]["build"]
    assert (COMPOSE / build["context"]).resolve() == ROOT
    assert (ROOT / build["dockerfile"]).exists()
    for name, service in services.items():
        assert name == "exporter" or re.search(r":v?\d+\.\d+\.\d+$", service["image"])


def test_ports_are_on_loopback(services: dict[str, Any]) -> None:
    """All ports are published on the loopback address alone."""
    ports = [port for service in services.values() for port in service["ports"]]
    assert len(ports) == 4
    assert all(re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port) for port in ports)


def test_the_exporter_needs_no_privileges(services: dict[str, Any]) -> None:
    """The exporter has a read-only root and no capabilities."""
    exporter = services["exporter"]
    assert (exporter["read_only"], exporter["cap_drop"]) == (True, ["ALL"])
    assert exporter["security_opt"] == ["no-new-privileges:true"]
    assert str(flags(services).storage_path) in mounts(exporter)


def test_prometheus(services: dict[str, Any]) -> None:
    """Prometheus differs from the shipped configuration by the names of services, the interval, and the instance."""
    own, shipped = load(COMPOSE / "prometheus.yml"), load(SHIPPED / "prometheus.yml")
    assert own.pop("global") == {"scrape_interval": "15s", "evaluation_interval": "15s"}
    assert shipped["scrape_configs"][0].pop("scrape_interval") == "1m"
    assert own["scrape_configs"][0]["static_configs"][0].pop("labels") == {"instance": "127.0.0.1:10099"}
    for config in (own, shipped):
        static = [config["scrape_configs"][0], config["alerting"]["alertmanagers"][0]]
        targets = [entry["static_configs"][0].pop("targets") for entry in static]
        for (target,) in targets:
            host, _, port = target.partition(":")
            assert host in ({*services} if config is own else {"127.0.0.1"})
            assert config is not own or f"127.0.0.1:{port}:{port}" in services[host]["ports"]
    assert own == shipped


def test_the_rules_are_those_that_are_shipped(services: dict[str, Any]) -> None:
    """The rule files that the configuration names are mounted beside it."""
    (flag,) = [flag for flag in services["prometheus"]["command"] if flag.startswith("--config.file=")]
    config = Path(flag.partition("=")[2])
    assert file_at(services["prometheus"], str(config)) == COMPOSE / "prometheus.yml"
    for name in load(COMPOSE / "prometheus.yml")["rule_files"]:
        assert file_at(services["prometheus"], str(config.parent / name)) == SHIPPED / "cln.rules.yml"


def test_alertmanager(services: dict[str, Any]) -> None:
    """Alertmanager differs from the shipped configuration by its receiver, which sends nothing."""
    own, shipped = load(COMPOSE / "alertmanager.yml"), load(SHIPPED / "alertmanager.yml")
    assert own.pop("receivers") == [{"name": own["route"]["receiver"]}]
    del shipped["receivers"]
    assert own == shipped
    (flag,) = [flag for flag in services["alertmanager"]["command"] if flag.startswith("--config.file=")]
    assert file_at(services["alertmanager"], flag.partition("=")[2]) == COMPOSE / "alertmanager.yml"


def test_grafana(services: dict[str, Any]) -> None:
    """Grafana is provisioned with the data source and the five dashboards, and opens the overview."""
    grafana = services["grafana"]
    (source,) = load(file_at(grafana, "/etc/grafana/provisioning/datasources/cln.yml"))["datasources"]
    host, _, port = source["url"].removeprefix("http://").partition(":")
    assert f"127.0.0.1:{port}:{port}" in services[host]["ports"]
    assert (source["type"], source["isDefault"]) == ("prometheus", True)
    interval = load(COMPOSE / "prometheus.yml")["global"]["scrape_interval"]
    assert source["jsonData"]["timeInterval"] == interval
    (provider,) = load(file_at(grafana, "/etc/grafana/provisioning/dashboards/cln.yml"))["providers"]
    directory = file_at(grafana, provider["options"]["path"])
    assert len(list(directory.glob("cln-*.json"))) == 6
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert file_at(grafana, home) == ROOT / "dashboards" / "grafana" / "cln-overview.json"
