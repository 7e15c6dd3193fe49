"""An exporter that monitors an ePortal: its metrics, its data over a restart and an outage, its JSON and its page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cln_monitor.cln import Redactor, mask_key
from cln_monitor.exporter.service import Service
from cln_monitor.exporter.web.app import WebOptions, make_app
from cln_monitor.exporter.web.status_page import StatusPage
from cln_monitor.probes import Failure
from cln_monitor.simulator import Fault, Fixed, SimulatedKernel, Simulator
from tests.helpers.clock import NOW

from .asking import ask
from .conftest import Exporting, HandClock

CVE = "CVE-2026-11111"


@pytest.fixture
def eportal(exporting: Exporting, tmp_path: Path) -> Exporting:
    """An exporter of an account and of the ePortal dc1, whose two servers have the fix of one CVE, or not."""
    eportal, root = exporting.simulator.eportal, exporting.url.removesuffix("/api")
    file = tmp_path / "eportal.key"
    file.write_text(eportal.api_key)
    kernel = exporting.simulator.patches.add_kernel(SimulatedKernel("almalinux8", "4.18.0-553.el8.x86_64"))
    kernel.add_patch(NOW - 900, ("fix-a", "N/A"))
    kernel.add_patch(NOW - 800, ("fix-b", CVE))
    key = eportal.add_key("Pl4ntedServerKey1")
    for level in (1, 2):
        eportal.add_server(
            kernel,
            key,
            registered=NOW - 900,
            loads=[(NOW - 700, level)],
            checkins=Fixed(NOW - 600),
            hostname=f"app{level}",
        )
    exporting.configure(
        f"eportals: [{{name: dc1, url: '{root}/admin/api', api_key_file: {file}}}]\n"
        f"patches: {{url: '{root}/patches', cves: [{CVE}]}}"
    )
    assert exporting.service.reload() is None
    return exporting


def coverage(exporting: Exporting) -> dict[str, str]:
    """Return the number of servers by state of the CVE."""
    lines = exporting.samples("cln_cve_servers{")
    return {line.split('state="')[1].split('"')[0]: line.split(" ")[1] for line in lines}


def test_metrics(eportal: Exporting) -> None:
    """The metrics have the ePortal as account, its servers with masked keys, and the coverage of the CVE."""
    eportal.run("eportal", account="dc1")
    assert coverage(eportal) == {"fixed": "1", "not_fixed": "1", "unknown": "0"}
    text = eportal.metrics()
    assert 'cln_eportal_servers{account="dc1",state="outdated"} 1\n' in text
    assert 'cln_probe_success{api="127.0.0.1' in text
    assert "Pl4ntedServerKey1" not in text


def test_two_eportals_with_the_same_patches(eportal: Exporting) -> None:
    """When a patch was built is exposed once, also if servers of two ePortals have loaded it."""
    eportal.file.text = eportal.file.text.replace(
        "eportals: [{name: dc1,", "eportals: [{name: dc2, AGAIN}, {name: dc1,"
    )
    again = eportal.file.text.partition("{name: dc1,")[2].partition("}")[0].strip()
    eportal.file.text = eportal.file.text.replace("AGAIN", again)
    assert eportal.service.reload() is None
    for account in ("dc1", "dc2"):
        eportal.run("eportal", account=account)
    built = [line.split("patch_level=")[1] for line in eportal.samples("cln_patch_built_timestamp_seconds{")]
    assert built == [f'"1"}} {int(NOW - 900)}', f'"2"}} {int(NOW - 800)}']
    assert len(eportal.samples('cln_eportal_servers{account="dc2"')) == 4


def test_another_cve_after_a_reload(eportal: Exporting) -> None:
    """A CVE that is added to the configuration is counted after the next poll, without reading the patches again."""
    eportal.run("eportal", account="dc1")
    eportal.file.text = eportal.file.text.replace(f"[{CVE}]", f"[{CVE}, CVE-2026-22222]")
    assert eportal.service.reload() is None
    eportal.run("eportal", account="dc1")
    assert 'cln_cve_servers{account="dc1",cve="CVE-2026-22222",state="not_fixed"} 2\n' in eportal.metrics()
    assert len(_descriptions(eportal.simulator)) == 2


def test_restart(eportal: Exporting, tmp_path: Path, idle: Callable[[Any], None]) -> None:
    """After a restart the coverage is there before the first poll, and no description of a patch is read again."""
    for _ in range(2):
        service = Service(eportal.file.load, Redactor(), HandClock(), tmp_path / "state")
        idle(service)
        service.start()
        before = b"".join(service.exposition().plain(b"")).decode()
        target = service.find("dc1", "eportal")
        assert target is not None
        assert service.run(target).failure is None
        target.context.client.close()
        service.stop()
    assert f'cln_cve_servers{{account="dc1",cve="{CVE}",state="fixed"}} 1\n' in before
    assert len(_descriptions(eportal.simulator)) == 2


def test_outage_of_the_eportal(eportal: Exporting) -> None:
    """While the ePortal refuses the API key the last good data are kept, and the probe fails as auth."""
    eportal.run("eportal", account="dc1")
    eportal.simulator.eportal.api_key_ends = NOW
    eportal.run("eportal", account="dc1")
    assert coverage(eportal) == {"fixed": "1", "not_fixed": "1", "unknown": "0"}
    assert [line[-2:] for line in eportal.samples("cln_probe_success{") if '"dc1"' in line] == [" 0"]
    [failures] = [line for line in eportal.samples("cln_probe_failures_total{") if '"dc1"' in line and '"auth"' in line]
    assert failures.endswith(" 1.0")


def test_outage_of_the_patch_server(eportal: Exporting) -> None:
    """While the patch server is down from the start, CVEs are unknown and levels are shown; then it is made up for."""
    fault = Fault("status", path="/patches/*", status=503)
    eportal.simulator.faults.add(fault)
    eportal.run("eportal", account="dc1")
    assert coverage(eportal) == {"fixed": "0", "not_fixed": "0", "unknown": "2"}
    assert len(eportal.samples("cln_eportal_server_patch_level{")) == 2
    assert any('fact="patches_unreadable"' in line for line in eportal.samples("cln_probe_cautions{"))
    eportal.simulator.faults.remove(fault)
    eportal.run("eportal", account="dc1")
    assert coverage(eportal) == {"fixed": "1", "not_fixed": "1", "unknown": "0"}
    assert eportal.samples("cln_probe_cautions{") == []


def test_json(eportal: Exporting) -> None:
    """The JSON of the observation has what each patch fixes, so that any CVE can be looked up."""
    eportal.run("eportal", account="dc1")
    report = json.loads(msgspec.json.encode(eportal.target("eportal", "dc1").report()))
    [part] = report["observation"]["parts"]
    assert [patch["cves"] for patch in part["value"]["patches"]] == [[], [CVE]]
    assert [server["hostname"] for server in part["value"]["servers"]] == ["app1", "app2"]


def test_discovery(eportal: Exporting) -> None:
    """The servers are discovered with their host names, masked keys and feeds, and only by the name of the ePortal."""
    app = make_app(eportal.service, WebOptions())
    answer = ask(app, "/sd/eportal")
    assert (answer.status_code, answer.text) == (503, "eportal of dc1 is incomplete: no data yet\n")
    eportal.run("eportal", account="dc1")
    one, two = ask(app, "/sd/eportal?account=dc1&port=9256").json()
    server = next(iter(eportal.simulator.eportal.servers.values()))
    assert one == {
        "targets": [f"{server.ip}:9256"],
        "labels": {
            "__meta_cln_account": "dc1",
            "__meta_cln_product": "eportal",
            "__meta_cln_key": mask_key("Pl4ntedServerKey1"),
            "__meta_cln_server_id": server.server_id,
            "__meta_cln_hostname": "app1",
            "__meta_cln_feed": "main",
        },
    }
    assert two["labels"]["__meta_cln_hostname"] == "app2"
    answer = ask(app, "/sd/eportal?account=acme")
    assert (answer.status_code, answer.text) == (404, "acme is an account, not an ePortal; configured ePortals: dc1\n")
    answer = ask(app, "/sd/kernelcare?account=dc1")
    assert (answer.status_code, answer.text) == (404, "dc1 is an ePortal, not an account; configured accounts: acme\n")


def test_status_page(eportal: Exporting) -> None:
    """The page shows the probe and the servers of the ePortal, and can be limited to it."""
    eportal.run()
    eportal.run("eportal", account="dc1")
    page = StatusPage(eportal.service, "/metrics", external_path=None)
    for html in (page.render(), page.render("dc1")):
        assert "dc1" in html
        assert "eportal" in html
        assert "No account" not in html
        section = html.partition('<section id="eportals"')[2].partition("</section>")[0]
        assert f"{CVE}</span> fixed on 1, not fixed on 1" in section
        assert "app1" in section
        assert f"behind; {CVE} not fixed" in section
        assert "app2" not in section


def test_status_line(eportal: Exporting) -> None:
    """The status names the ePortals beside the accounts."""
    eportal.run()
    eportal.run("eportal", account="dc1")
    assert eportal.service.status_line().startswith("6 probes of 1 account and 1 ePortal: ")


def test_a_shard_that_does_not_read_it(eportal: Exporting) -> None:
    """One of several shards reads an ePortal; the others name it."""
    text, readers = eportal.file.text, set()
    for shard in range(3):
        eportal.file.text = f"shard: {shard}/3\n{text}"
        assert eportal.service.reload() is None
        reader = eportal.service.reader_elsewhere("dc1", "eportal")
        assert (reader is None) == (eportal.service.find("dc1", "eportal") is not None)
        readers.add(str(reader or eportal.service.config.shard))
    assert len(readers) == 1


def test_a_list_that_is_empty_once(eportal: Exporting) -> None:
    """An ePortal that no longer lists any server keeps its data for a poll, and is then a caution: nothing is fixed."""
    eportal.run("eportal", account="dc1")
    before = eportal.samples("cln_cve_servers{")
    eportal.simulator.eportal.servers.clear()
    eportal.run("eportal", account="dc1")
    assert eportal.samples("cln_cve_servers{") == before
    failure = eportal.target("eportal", "dc1").report().failure
    assert failure == Failure("bad_answer", "the servers fell from 2 to none; waiting for a second poll")
    assert len(ask(make_app(eportal.service, WebOptions()), "/sd/eportal").json()) == 2
    eportal.clock.advance(900)
    eportal.run("eportal", account="dc1")
    assert coverage(eportal) == {"fixed": "0", "not_fixed": "0", "unknown": "0"}
    (caution,) = eportal.samples("cln_probe_cautions")
    assert caution.endswith('probe="eportal",fact="servers_gone"} 1')


def test_discovery_without_addresses(eportal: Exporting) -> None:
    """A list without any address cannot be discovered, of which the ePortal is said to be the cause, and not CLN."""
    for server in eportal.simulator.eportal.servers.values():
        server.ip = ""
    eportal.run("eportal", account="dc1")
    answer = ask(make_app(eportal.service, WebOptions()), "/sd/eportal")
    assert answer.status_code == 503
    assert "the ePortal reports no address for any of the 2 servers\n" in answer.text


def _descriptions(simulator: Simulator) -> list[str]:
    return [request.path for request in simulator.requests if request.path.endswith("kpatch.info")]
