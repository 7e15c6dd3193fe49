"""The programs with a CLN of each revision of the API document."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cln_monitor.probes import PROBES
from cln_monitor.simulator import REVISIONS, Simulator, serve
from tests.checks.inside import run_in_process
from tests.helpers.running import running_exporter


@pytest.mark.processes
@pytest.mark.parametrize("revision", REVISIONS)
def test_all_probes_with_their_defaults(revision: str, tmp_path: Path) -> None:
    """With all probes and the default products, an exporter sends only GET requests, and every probe succeeds."""
    simulator = Simulator.generate(servers=100, revision=revision)
    [account] = simulator.accounts.values()
    config = tmp_path / "cln-monitor.yml"
    probes = "".join(f"  {name}: {{enabled: true}}\n" for name in PROBES)
    with serve(simulator) as served:
        config.write_text(
            f"api_url: {served.url}\nrequests_per_second: 0\nprobes:\n{probes}accounts:\n"
            f"  - {{name: acme, login: {account.login}, secret_key: {account.secret_key}}}\n"
        )
        config.chmod(0o600)
        with running_exporter(tmp_path, f"--config.file={config}") as exporter:
            exporter.wait_ready()
            metrics = exporter.metrics()
            url = f"http://{exporter.address}"
            outcome = run_in_process("check_cln_cloudlinux", "--exporter", url, "--no-match-state", "ok")
        direct = run_in_process("check_cln_cloudlinux", "-C", str(config), "--no-match-state", "ok")
    assert dict(re.findall(r'cln_probe_success\{.*probe="(\w+)"\} (\d)', metrics)) == dict.fromkeys(PROBES, "1")
    assert {request.method for request in simulator.requests} == {"GET"}
    has_keys = bool(account.cloudlinux_keys)
    assert ("cln_cloudlinux_key_servers{" in metrics) == has_keys == (revision == "2024-10")
    unavailable = "no CloudLinux OS key is available to this account"
    assert (outcome.state, direct.text) == ("OK", outcome.text)
    assert (outcome.text == unavailable) == (not has_keys)
