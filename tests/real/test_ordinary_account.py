"""An ordinary account without reseller access, Imunify and IP licenses, and with a retired key, has no problems."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cln_monitor.simulator import Fault, Simulator, serve
from tests.checks.inside import run_in_process
from tests.helpers.running import Exporter, ask, running_exporter
from tests.helpers.small_cln import LOGIN, SECRET_KEY
from tools.definitions.services import SERVICES, SOURCE, Service

DAY = 86400.0
OF_ACCOUNTS = [service for service in SERVICES if service.of_accounts and not service.shipped_off]


@dataclass(frozen=True)
class Ordinary:
    """The exporter that monitors the account, and the configuration for plugins that query CLN."""

    exporter: Exporter
    config: Path

    @property
    def url(self) -> str:
        """The URL of the exporter."""
        return f"http://{self.exporter.address}"

    def get(self, path: str) -> str:
        """Return the response of the exporter."""
        answer = ask(f"{self.url}{path}")
        assert answer.status == 200, answer
        return answer.text


@pytest.fixture(scope="module")
def ordinary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ordinary]:
    """Yield the account, monitored with the default configuration."""
    folder = tmp_path_factory.mktemp("ordinary")
    simulator = Simulator(seed=3)
    now = time.time()
    account = simulator.add_account(LOGIN, SECRET_KEY)
    web = account.add_kernelcare_key(limit=5, note="Web", created=now - 90 * DAY)
    for number in (1, 2, 3):
        web.add_server(ip=f"192.0.2.{number}", created=now - 60 * DAY, last_checkin=now - 3600.0)
    single = account.add_kernelcare_key(limit=1, created=now - 90 * DAY)
    single.add_server(ip="192.0.2.9", created=now - 60 * DAY, last_checkin=now - 3600.0)
    retired = account.add_kernelcare_key(limit=2, note="Old", enabled=False, created=now - 900 * DAY)
    for number in (11, 12):
        retired.add_server(ip=f"192.0.2.{number}", created=now - 800 * DAY, last_checkin=now - 50 * DAY)
    for path, text in (
        ("/kcare/nagios-res/*", "Reseller not found"),
        (f"/kcare/nagios/{retired.key}", f"Servers not found for key {retired.key}"),
    ):
        simulator.faults.add(Fault("answer", path, body=text, content_type="text/plain"))
    (folder / "acme.secret").write_text(SECRET_KEY)
    (folder / "acme.secret").chmod(0o600)
    with serve(simulator) as served:
        config = folder / "cln-monitor.yml"
        config.write_text(
            f"api_url: {served.url}\naccounts: [{{name: acme, login: {LOGIN}, secret_key_file: acme.secret}}]\n"
        )
        with running_exporter(folder, f"--config.file={config}") as exporter:
            exporter.wait_ready()
            yield Ordinary(exporter, config)


def test_no_probe_fails(ordinary: Ordinary) -> None:
    """A product that CLN does not offer to the account is not a failure."""
    success = [line for line in ordinary.get("/metrics").splitlines() if line.startswith("cln_probe_success{")]
    assert len(success) == 5
    assert {line.rpartition(" ")[2] for line in success} == {"1"}
    failures = [line for line in ordinary.get("/metrics").splitlines() if line.startswith("cln_probe_failures_total{")]
    assert {float(line.rpartition(" ")[2]) for line in failures} == {0.0}


def test_the_page_is_calm(ordinary: Ordinary) -> None:
    """The page shows what is not available as info, and nothing worse."""
    page = ordinary.get("/")
    assert 'class="verdict ok"' in page or 'class="verdict info"' in page
    assert "not available to this account: reseller access" in page


def test_unavailable_product_is_logged_once(ordinary: Ordinary) -> None:
    """An unavailable product is logged once, below the level warning."""
    lines = [line for line in ordinary.exporter.log.splitlines() if "not_available" in line]
    assert len(lines) == 1
    assert "level=info" in lines[0]
    assert "reseller access" in lines[0]


@pytest.mark.parametrize("way", ["exporter", "direct"])
@pytest.mark.parametrize("service", OF_ACCOUNTS, ids=lambda service: service.name)
def test_a_shipped_service_is_ok(service: Service, way: str, ordinary: Ordinary) -> None:
    """Each shipped service is OK with its shipped arguments."""
    source = f"--exporter {ordinary.url}" if way == "exporter" else f"--config {ordinary.config}"
    outcome = run_in_process(service.plugin, *shlex.split(service.nagios.replace(SOURCE, source)))
    assert outcome.state == "OK", outcome.output


def test_the_patch_status_is_that_of_its_keys(ordinary: Ordinary) -> None:
    """The retired key is excluded, and named in the long output."""
    outcome = run_in_process("check_cln_patch_status", "--exporter", ordinary.url)
    assert (outcome.state, outcome.text) == ("OK", "4 of 4 servers up to date")
    assert any("the disabled key" in line for line in outcome.lines)


def test_observations_have_unavailable_parts(ordinary: Ordinary) -> None:
    """The JSON for plugins has the unavailable parts with CLN's response."""
    document = json.loads(ordinary.get("/api/v1/observations/acme/patch_status"))
    unavailable = document["observation"]["unavailable"]
    assert [part["what"].partition(" key ")[0] for part in unavailable] == [
        "reseller access",
        "the patch status of the disabled",
    ]
    assert "Reseller not found" in unavailable[0]["text"]
