"""Accounts with less than a whole account of CLN: the examples of docs/configuration.md, each run against a fake."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cln_monitor.cln import Redactor, SystemClock
from cln_monitor.config import AccountConfig, ClientFactory, Config, parse_config, reason_disabled
from cln_monitor.probes import PROBES, ProbeContext, Run, run_probe
from cln_monitor.simulator import Fault, Served, Simulator, serve
from tests.checks.inside import run_in_process
from tests.cli.inside import run as clntool

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
MONITORING_KEY = "Pl4ntedMonitoringKey1"


def example(heading: str) -> str:
    """Return the YAML block of a section of the page."""
    section = PAGE.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    (block,) = re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)
    return str(block)


@pytest.fixture
def simulator() -> Simulator:
    """Return a CLN with keys of each product, and a monitoring key."""
    simulator = Simulator(seed=1)
    account = simulator.add_account("acme_login", "pl4nted-secret-key")
    account.add_kernelcare_key().add_server(hostname="web1.example.net", patch_state="outofdate")
    account.add_els_key(code="CELS").add_server()
    account.add_ip_license("192.0.2.1", 16)
    account.add_imunify_key().add_server()
    account.add_monitoring_key(MONITORING_KEY)
    return simulator


@pytest.fixture
def served(simulator: Simulator) -> Iterator[Served]:
    """Yield the simulator served over HTTP."""
    with serve(simulator) as served:
        yield served


def written(folder: Path, text: str, served: Served) -> Path:
    """Write an example for the fake at ``served``, with its secrets, and return its path."""
    text = text.replace("%d/", "").replace("https://portal.tuxcare.com/api", served.url)
    (folder / "tuxcare.secret").write_text("pl4nted-secret-key\n")
    (folder / "kernels.keys").write_text(f"{MONITORING_KEY}\n")
    for secret in folder.iterdir():
        secret.chmod(0o600)
    file = folder / "cln-monitor.yml"
    file.write_text(f"requests_per_second: 0\n{text}" if served.url in text else f"api_url: {served.url}\n{text}")
    return file


def runs_of(config: Config) -> dict[str, Run[Any]]:
    """Return a run of each enabled probe of the only account."""
    (account,) = config.accounts
    clients = ClientFactory(config, SystemClock(), Redactor())
    with ThreadPoolExecutor(1) as pool:
        return {
            name: run_probe(PROBES[name], _context(clients, config, account, name), pool, SystemClock())
            for name, settings in account.probes.items()
            if settings.enabled
        }


def _context(clients: ClientFactory, config: Config, account: AccountConfig, name: str) -> ProbeContext:
    if PROBES[name].per_account:
        return clients.for_account(account, name)
    return clients.for_api(config.api_url_of(account), account.probes[name])


def test_tuxcare_portal(simulator: Simulator, served: Served, tmp_path: Path) -> None:
    """At a portal without status, Imunify and AccelerateWP each enabled probe succeeds, and asks for none of them."""
    for path in ("/status.json", "/status.plain", "/im/*", "/cl/*"):
        simulator.faults.add(Fault("status", path, status=404))
    file = written(tmp_path, example("TuxCare portal"), served)
    runs = runs_of(parse_config(file.read_text(), tmp_path))
    assert {name: run.failure for name, run in runs.items()} == dict.fromkeys(
        ("kernelcare", "patch_status", "ip_licenses", "els")
    )
    assert not [request.path for request in simulator.requests if request.path.startswith(("/status", "/im/", "/cl/"))]


def test_monitoring_keys_alone(simulator: Simulator, served: Served, tmp_path: Path) -> None:
    """An account of monitoring keys alone has the status of CLN and of its keys, and sends no token."""
    file = written(tmp_path, example("Monitoring keys alone"), served)
    config = parse_config(file.read_text(), tmp_path)
    runs = runs_of(config)
    assert {name: run.failure for name, run in runs.items()} == {"status": None, "patch_status": None}
    (part,) = runs["patch_status"].observation.parts
    assert part.value.counts["outofdate"] == 1
    assert {request.path for request in simulator.requests} == {"/status.json", f"/kcare/nagios/{MONITORING_KEY}"}
    assert not [request for request in simulator.requests if "token" in request.query]


def test_commands_of_an_account_without_a_login(served: Served, tmp_path: Path) -> None:
    """Plugins and clntool work as far as no login is needed, and else report that it is missing."""
    file = str(written(tmp_path, example("Monitoring keys alone"), served))
    outcome = run_in_process("check_cln_patch_status", "-C", file)
    assert (outcome.state, "1 of 1 servers out of date" in outcome.text) == ("WARNING", True)
    outcome = run_in_process("check_cln_kernelcare", "-C", file)
    assert outcome.state == "UNKNOWN"
    assert "the account has no login and secret key" in outcome.text
    listed = clntool("-C", file, "kernelcare", "keys", "list")
    assert (listed.code, "the account has no login and secret key" in listed.err) == (1, True)
    checked = clntool("-C", file, "check", "account")
    assert (checked.code, checked.err) == (0, "")
    assert "patch_status  works          1 monitoring key" in checked.out
    assert "imunify       not asked" in checked.out
    assert "Pl4ntedMonitoringKey1" not in outcome.output + listed.err + checked.out


def test_reasons_of_an_exporter(served: Served, tmp_path: Path) -> None:
    """A probe that needs a login is not said to be only disabled, for an account without one."""
    config = parse_config(written(tmp_path, example("Monitoring keys alone"), served).read_text(), tmp_path)
    needs = "the account kernels has no login and secret key, which the probe els needs"
    assert reason_disabled(config, "els", ["kernels"], " of kernels") == needs
    only = msgspec.structs.replace(config.accounts[0], name="more")
    both = msgspec.structs.replace(config, accounts=(*config.accounts, only))
    assert reason_disabled(both, "els", ["kernels", "more"], "").startswith("the accounts kernels, more have no login")
    off = "the probe status of kernels is disabled; to enable it, set probes.status.enabled: true"
    assert reason_disabled(config, "status", ["kernels"], " of kernels") == off


def test_example_settings(served: Served, tmp_path: Path) -> None:
    """Only the probes that need no login are enabled, also if the configuration enables others for all accounts."""
    text = example("Monitoring keys alone") + "probes: {els: {enabled: true}, patch_status: {scopes: [reseller]}}\n"
    (account,) = parse_config(written(tmp_path, text, served).read_text(), tmp_path).accounts
    assert [name for name, settings in account.probes.items() if settings.enabled] == ["status", "patch_status"]
    assert account.probes["patch_status"].scopes == ["key"]  # type: ignore[attr-defined] # its own settings
