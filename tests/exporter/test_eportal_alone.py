"""An exporter whose configuration has an ePortal and no account of CLN."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from cln_monitor.cln import Exchange
from cln_monitor.exporter.web.app import WebOptions, make_app
from cln_monitor.exporter.web.discovery import DISCOVERED
from cln_monitor.simulator import Fault, Fixed, SimulatedKernel
from cln_monitor.source_kinds import ACCOUNT, EPORTAL
from tests.helpers.clock import NOW

from .asking import ask
from .conftest import Exporting

NO_ACCOUNTS = "no accounts are configured; add one to accounts"


@pytest.fixture
def alone(exporting: Exporting, tmp_path: Path) -> Exporting:
    """An exporter of the ePortal dc1, which has one server, and of nothing else."""
    eportal, root = exporting.simulator.eportal, exporting.url.removesuffix("/api")
    (tmp_path / "eportal.key").write_text(eportal.api_key)
    kernel = exporting.simulator.patches.add_kernel(SimulatedKernel("almalinux8", "4.18.0-553.el8.x86_64"))
    kernel.add_patch(NOW - 900, ("fix-a", "CVE-2026-11111"))
    key = eportal.add_key("Pl4ntedServerKey1")
    eportal.add_server(
        kernel, key, registered=NOW - 900, loads=[(NOW - 700, 1)], checkins=Fixed(NOW - 600), hostname="app1"
    )
    exporting.file.text = (
        f"requests_per_second: 0\npatches: {{url: '{root}/patches', cves: [CVE-2026-11111]}}\n"
        f"eportals: [{{name: dc1, url: '{root}/admin/api', api_key_file: {tmp_path}/eportal.key}}]\n"
    )
    assert exporting.service.reload() is None
    return exporting


@pytest.fixture
def app(alone: Exporting) -> Starlette:
    """The web application of the exporter after its first poll."""
    alone.run("eportal", account="dc1")
    return make_app(alone.service, WebOptions(enable_lifecycle=True))


def test_only_the_eportal_is_polled(alone: Exporting) -> None:
    """CLN is not queried, not even for its status: nothing of the configuration is there."""
    assert [(id_.account, id_.probe) for id_ in alone.service.targets] == [("dc1", "eportal")]
    assert alone.service.status_line() == "1 probe of 1 ePortal: 1 not run yet"
    alone.simulator.requests.clear()
    alone.run("eportal", account="dc1")
    assert {request.path.split("/")[1] for request in alone.simulator.requests} == {"admin", "patches"}
    assert alone.service.not_yet_run() == []


def test_metrics(alone: Exporting) -> None:
    """There are the metrics of the ePortal, and none of an account or of CLN."""
    alone.run("eportal", account="dc1")
    text = alone.metrics()
    assert 'cln_cve_servers{account="dc1",cve="CVE-2026-11111",state="fixed"} 1\n' in text
    assert "cln_status_flag{" not in text
    assert all('probe="eportal"' in line for line in text.splitlines() if line.startswith("cln_probe_success{"))


def test_the_page(app: Starlette) -> None:
    """The page has the ePortal alone, and says that its data come from there."""
    page = ask(app, "/").text
    assert "from the last successful polls of the ePortal." in page
    assert "All is well" in page
    assert "Accounts" not in page
    assert ">Account<" not in page
    assert "disabled" not in page
    assert '<th role="columnheader" scope="col">ePortal</th>' in page
    assert "/sd/eportal" in page


@pytest.mark.parametrize("probe", [probe for probe in DISCOVERED if probe in ACCOUNT.probes])
def test_servers_of_accounts_are_not_an_empty_list(app: Starlette, probe: str) -> None:
    """After an empty list Prometheus would drop all targets, so that discovery of accounts is an error."""
    answer = ask(app, f"/sd/{probe}")
    assert (answer.status_code, answer.text) == (404, f"{NO_ACCOUNTS}\n")
    answer = ask(app, f"/sd/{probe}?account=dc1")
    assert (answer.status_code, answer.text) == (404, f"dc1 is an ePortal, not an account; {NO_ACCOUNTS}\n")


def test_servers_of_the_eportal(app: Starlette) -> None:
    """The servers of the ePortal are discovered."""
    assert [group["labels"]["__meta_cln_hostname"] for group in ask(app, "/sd/eportal").json()] == ["app1"]


@pytest.mark.parametrize("probe", ACCOUNT.probes)
def test_a_probe_of_accounts(app: Starlette, probe: str) -> None:
    """An observation of an account, and a run of its probe, say that no account is configured."""
    for path in (f"/api/v1/observations/acme/{probe}", f"/probe?account=acme&probe={probe}", f"/probe?probe={probe}"):
        answer = ask(app, path)
        error: Any = answer.text.strip()
        error = json.loads(error)["error"] if error.startswith("{") else error
        assert (answer.status_code, error) == (404, NO_ACCOUNTS)


def test_other_paths(app: Starlette) -> None:
    """Readiness, the configuration and the index do without an account."""
    assert (ask(app, "/-/ready").status_code, ask(app, "/-/healthy").status_code) == (200, 200)
    assert "accounts: []\n" in ask(app, "/config").text
    index = ask(app, "/api/v1/observations").json()
    assert [(probe["account"], probe["probe"]) for probe in index["probes"]] == [("dc1", "eportal")]


def test_a_refused_api_key(alone: Exporting) -> None:
    """A wrong API key is the problem of the ePortal alone, and neither login nor secret key are named."""
    alone.run("eportal", account="dc1")
    alone.simulator.faults.add(Fault("status", "/admin/api/*", status=401))
    alone.run("eportal", account="dc1")
    page = ask(make_app(alone.service, WebOptions()), "/").text
    assert "eportal of dc1 is failing (auth)" in page
    assert "showing the last known data" in page
    assert "CLN refused" not in page
    assert "secret key" not in page


def test_accounts_come_and_go(alone: Exporting) -> None:
    """A reload adds an account beside the ePortal, whose data stay, and removes it again with all of its series."""
    alone.run("eportal", account="dc1")
    text = alone.file.text
    alone.configure(text.replace("requests_per_second: 0\n", ""))
    assert alone.service.reload() is None
    alone.run("status", "kernelcare")
    app = make_app(alone.service, WebOptions())
    page = ask(app, "/").text
    assert "from the last successful polls of CLN and the ePortal." in page
    assert page.index(">Accounts</h3>") < page.index(">ePortals</h3>")
    assert 'account="acme"' in alone.metrics()
    alone.file.text = text
    assert alone.service.reload() is None
    assert 'account="acme"' not in alone.metrics() + alone.own_metrics()
    assert 'cln_eportal_servers{account="dc1",state="total"} 1\n' in alone.metrics()
    assert ask(app, "/sd/kernelcare").status_code == 404
    assert "No account or ePortal “acme” in the configuration" in ask(app, "/?account=acme").text


def test_a_reload_to_nothing(alone: Exporting) -> None:
    """A configuration with neither accounts nor ePortals is refused, and the previous one stays in use."""
    alone.run("eportal", account="dc1")
    alone.file.text = "requests_per_second: 0\naccounts: []\neportals: []\n"
    error = alone.service.reload()
    assert error is not None
    assert "at least one account or ePortal is required" in str(error)
    assert 'cln_eportal_servers{account="dc1",state="total"} 1\n' in alone.metrics()


def test_own_problems(alone: Exporting) -> None:
    """The clock and the TLS connections that the exporter warns about are those of the ePortal, or of both."""
    (target,) = alone.service.targets

    def texts() -> list[str]:
        alone.service.counters.observe_request(Exchange(target.api, "/servers", "200", 0.1, 301.0))
        return [problem.text for problem in alone.service.problems(alone.service.targets.values())]

    alone.file.text += "tls_config: {insecure_skip_verify: true}\n"
    assert alone.service.reload() is None
    clock, tls = texts()
    assert clock == f"The clock of the exporter is 5m behind the clock of the ePortal at {target.api}"
    assert tls.endswith("anyone between the exporter and the ePortal can read the credentials")
    alone.configure(alone.file.text.replace("requests_per_second: 0\n", ""))  # at the same host
    assert alone.service.reload() is None
    clock, tls = texts()
    assert clock == f"The clock of the exporter is 5m behind the clock of CLN at {target.api}"
    assert tls.endswith("anyone between the exporter and CLN or the ePortal can read the credentials")


def test_nothing_is_enabled(alone: Exporting) -> None:
    """With the only probe disabled, the page does not say that all is well, and discovery says what to enable."""
    alone.file.text += "probes: {eportal: {enabled: false}}\n"
    assert alone.service.reload() is None
    app = make_app(alone.service, WebOptions())
    page = ask(app, "/").text
    assert "All is well" not in page
    assert "No probe runs here, so nothing is monitored" in page
    answer = ask(app, "/sd/eportal")
    text = "the probe eportal is disabled; to enable it, set probes.eportal.enabled: true\n"
    assert (answer.status_code, answer.text) == (404, text)


def test_a_shard(alone: Exporting) -> None:
    """The ePortal is read by one shard; the other one answers discovery by an empty list, and names the reader."""
    lists = []
    for shard in ("0/2", "1/2"):
        alone.file.text = alone.file.text.partition("shard:")[0] + f"shard: {shard}\n"
        assert alone.service.reload() is None
        if alone.service.targets:
            alone.run("eportal", account="dc1")
        app = make_app(alone.service, WebOptions())
        assert ask(app, "/").status_code == 200
        lists.append(len(ask(app, "/sd/eportal").json()))
        if not lists[-1]:
            answer = ask(app, "/api/v1/observations/dc1/eportal")
            assert "is read by shard" in answer.json()["error"]
    assert sorted(lists) == [0, 1]


def test_probes_of_both_kinds_are_all(alone: Exporting) -> None:
    """The tests above cover each kind of source."""
    assert set(EPORTAL.probes) == {id_.probe for id_ in alone.service.targets}
