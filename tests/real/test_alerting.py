"""The path of an alert: simulator, exporter, Prometheus with the shipped rules, Alertmanager, webhook."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cln_monitor.simulator import Fault, SimulatedKernelCareServer, Simulator, serve
from cln_monitor.simulator.model import DAY, Fixed
from tests.helpers.prometheus import Prometheus
from tests.helpers.running import Exporter, running_exporter
from tests.real.alertmanager import SHIPPED, Alertmanager, Webhook, hurried

pytestmark = pytest.mark.needs_server("prometheus", "alertmanager")

LOGIN, SECRET_KEY, TOKEN = "acme_login", "acme-secret-key", "acme-registration-token"
FIRING = 'ALERTS{alertstate="firing"}'
# The rules look at the last three runs or so: of probes that run each second, those are in 5 seconds, not in 5 minutes.
RECENT, RECENT_HERE = "cln_probe_failures_total[5m]", "cln_probe_failures_total[5s]"
FAILURES = f"max(cln_probe_failures_total - min_over_time({RECENT_HERE})) or vector(0)"


@dataclass
class Lab:
    """The programs between CLN and the operator, and two servers."""

    simulator: Simulator
    exporter: Exporter
    prometheus: Prometheus
    webhook: Webhook
    web1: SimulatedKernelCareServer
    web2: SimulatedKernelCareServer


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Yield one lab for all tests, in which no alert fires."""
    folder = tmp_path_factory.mktemp("alerting")
    simulator = Simulator(seed=1)
    simulator.dates.style = "seconds"
    account = simulator.add_account(LOGIN, SECRET_KEY, TOKEN)
    created = time.time() - 100 * DAY
    key = account.add_kernelcare_key(limit=50, created=created)
    web1, web2, *_ = [
        key.add_server(f"server-{number}", ip=f"192.0.2.{number}", created=created) for number in range(1, 31)
    ]
    imunify = account.add_imunify_key(limit=50)
    for number in range(10):
        imunify.add_server(f"imunify-{number}", created=created)
    account.add_ip_license("192.0.2.1", created=created)
    with contextlib.ExitStack() as stack:
        served = stack.enter_context(serve(simulator))
        exporter = stack.enter_context(running_exporter(folder, f"--config.file={write_config(folder, served.url)}"))
        webhook = Webhook()
        stack.callback(webhook.close)
        alertmanager = Alertmanager(folder, webhook.url)
        stack.callback(alertmanager.stop)
        prometheus = Prometheus(folder, [exporter.address], [alertmanager.address])
        stack.callback(prometheus.stop)
        exporter.wait_ready()
        # Its first scrape comes 5 s after its start: with waits a hundredth long, that is an exporter that is down.
        prometheus.wait_for("up", [1])
        rules = hurried((SHIPPED / "cln.rules.yml").read_text())
        assert RECENT in rules
        (folder / "cln.rules.yml").write_text(rules.replace(RECENT, RECENT_HERE))
        prometheus.reload()
        prometheus.wait_for("count(cln:key_servers:checkin) > bool 0", [1])
        yield Lab(simulator, exporter, prometheus, webhook, web1, web2)


def write_config(folder: Path, api_url: str) -> Path:
    """Write a configuration that monitors everything at ``api_url`` each second, and return its path."""
    (folder / "acme.secret").write_text(f"{SECRET_KEY}\n")
    probes = "\n".join(
        f"  {probe}: {{interval: 1s, max_age: 1h}}"
        for probe in ("status", "kernelcare", "imunify", "patch_status", "ip_licenses")
    )
    config = folder / "cln-monitor.yml"
    config.write_text(f"""\
api_url: {api_url}
requests_per_second: 0
probes:
{probes}
accounts:
  - {{name: acme, login: {LOGIN}, secret_key_file: acme.secret, registration_token: {TOKEN}}}
""")
    return config


@pytest.fixture
def since(lab: Lab) -> Iterator[int]:
    """Return the number of alerts before the test, which starts and ends without firing alerts."""
    lab.prometheus.wait_for(FIRING, [])
    lab.prometheus.wait_for(FAILURES, [0])  # the reason of an alert is the most frequent one of the last runs
    yield len(lab.webhook.alerts)
    lab.simulator.faults.clear()
    lab.simulator.accounts[LOGIN].secret_key = SECRET_KEY
    for server in (lab.web1, lab.web2):
        server.checkins = Fixed(time.time())


def test_a_server_goes_stale_and_checks_in_again(lab: Lab, since: int) -> None:
    """A stale server fires one alert with its name, which is resolved later."""
    lab.web1.checkins = Fixed(time.time() - DAY - 60)
    alert = lab.webhook.wait_for("firing", "ClnServerStale", since)
    assert (alert.labels["server_id"], alert.labels["ip"], alert.labels["account"]) == ("server-1", "192.0.2.1", "acme")
    assert alert.labels["severity"] == "warning"
    assert alert.annotations["summary"].startswith("KernelCare server 192.0.2.1 of acme: no check-in for 24h")
    assert alert.annotations["runbook_url"] == f"http://{lab.exporter.address}/runbook#clnserverstale"
    lab.web1.checkins = Fixed(time.time())
    lab.webhook.wait_for("resolved", "ClnServerStale", since, server_id="server-1")
    assert {alert.labels.get("server_id") for alert in lab.webhook.alerts[since:]} == {"server-1"}


def test_cln_goes_down_and_comes_back(lab: Lab, since: int) -> None:
    """An outage of CLN fires one alert about CLN and none about servers."""
    day_old = time.time() + 4
    lab.web2.checkins = Fixed(day_old - DAY)
    age = f'{day_old} - cln_kernelcare_server_last_checkin_timestamp_seconds{{server_id="server-2"}} < bool {DAY + 2}'
    lab.prometheus.wait_for(age, [1])
    fault = lab.simulator.faults.add(Fault("reset"))
    alert = lab.webhook.wait_for("firing", "ClnDown", since)
    assert alert.labels["api"] == lab.exporter.metrics().split('cln_probe_success{api="')[1].split('"')[0]
    assert "unreachable" in alert.annotations["description"]
    # All probes have failed for far longer than they may, if CLN were up.
    lab.prometheus.wait_for("cln_probe_success", [0] * 5)
    lab.prometheus.wait_for(f"vector(time() - {day_old}) > bool 5", [1])
    assert lab.prometheus.query('cln_kernelcare_server_last_checkin_timestamp_seconds{server_id="server-2"}')
    lab.prometheus.wait_for(FIRING, ["ClnDown"], of="alertname")
    lab.web2.checkins = Fixed(time.time())
    lab.simulator.faults.remove(fault)
    lab.webhook.wait_for("resolved", "ClnDown", since)
    lab.prometheus.wait_for("cln_probe_success", [1] * 5)
    lab.prometheus.wait_for(FIRING, [])
    assert {alert.name for alert in lab.webhook.alerts[since:]} == {"ClnDown"}


def test_refused_credentials_are_one_alert(lab: Lab, since: int) -> None:
    """Refused credentials fire one alert for all probes and none about servers."""
    account = lab.simulator.accounts[LOGIN]
    account.secret_key = "another"
    alert = lab.webhook.wait_for("firing", "ClnAuthFailed", since)
    assert (alert.labels["account"], alert.labels["severity"]) == ("acme", "critical")
    assert "kernelcare" in alert.annotations["description"]
    account.secret_key = SECRET_KEY
    lab.webhook.wait_for("resolved", "ClnAuthFailed", since)
    assert {alert.name for alert in lab.webhook.alerts[since:]} == {"ClnAuthFailed"}


def test_a_whole_key_goes_stale(lab: Lab, since: int) -> None:
    """Thirty stale servers fire one alert for the key and one for the account."""
    (key,) = lab.simulator.accounts[LOGIN].kernelcare_keys.values()
    silent_since = time.time() - 2 * DAY
    with lab.simulator.lock:
        for server in key.servers.values():
            server.checkins = Fixed(silent_since)
    alert = lab.webhook.wait_for("firing", "ClnKeyAllServersStale", since)
    assert (alert.labels["probe"], alert.labels["severity"]) == ("kernelcare", "critical")
    assert "All 30 servers" in alert.annotations["description"]
    many = lab.webhook.wait_for("firing", "ClnManyServersStale", since)
    assert many.annotations["summary"] == "30 KernelCare servers of acme stopped checking in"
    assert {alert.name for alert in lab.webhook.alerts[since:]} == {"ClnKeyAllServersStale", "ClnManyServersStale"}
