"""Tests of the exporter without its web server: runs, failure counters, reloads and host names."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from structlog.testing import capture_logs

from cln_monitor.cln import REASONS, Redactor
from cln_monitor.config import Config, ConfigError
from cln_monitor.exporter.forms import FormQuery
from cln_monitor.exporter.metrics.exposition import ExpositionStore
from cln_monitor.exporter.service import Service
from cln_monitor.exporter.snapshot import decode
from cln_monitor.simulator import Fault
from tests.helpers.running import wait_until
from tests.helpers.small_cln import IMUNIFY_KEY, KEY

from .conftest import Exporting
from .parsing import parse

SECOND = "  - {name: second, login: other_login, secret_key: s3cret}"


@pytest.fixture
def fleet(exporting: Exporting) -> Exporting:
    """An exporter of an account with a KernelCare and an Imunify key, each with a server."""
    exporting.account.add_kernelcare_key(KEY, limit=4).add_server("one", ip="192.0.2.1")
    exporting.account.add_imunify_key(IMUNIFY_KEY).add_server("two", ip="192.0.2.2")
    return exporting


def failures(exporting: Exporting, account: str, probe: str) -> dict[str, float]:
    """Return the failure counters of a probe by reason."""
    return {
        dict(labels)["reason"]: value
        for (name, labels), value in parse(exporting.own_metrics()).items()
        if name == "cln_probe_failures_total" and {("account", account), ("probe", probe)} <= labels
    }


class TestRuns:
    """Tests of the results of runs."""

    def test_a_run_is_published(self, fleet: Exporting) -> None:
        """After a run there are the series of its data and its success."""
        assert fleet.samples("cln_kernelcare") == []
        fleet.run("kernelcare")
        assert fleet.samples('cln_kernelcare_key_servers_limit{account="acme"') == [
            'cln_kernelcare_key_servers_limit{account="acme",key="WsTs-8c7994d7"} 4'
        ]
        (success,) = fleet.samples("cln_probe_success{")
        assert success.endswith('account="acme",probe="kernelcare"} 1')

    def test_the_exposition_is_valid(self, fleet: Exporting) -> None:
        """After all probes have run, there are no duplicate series."""
        fleet.run()
        assert len(parse(fleet.metrics())) > 40
        assert all(line.endswith(" 1") for line in fleet.samples("cln_probe_success{"))

    def test_a_failure(self, fleet: Exporting) -> None:
        """A failure is counted by reason; the last good data and the time of the last success stay."""
        fleet.run("kernelcare")
        before = fleet.samples("cln_kernelcare")
        fleet.clock.advance(60)
        fleet.simulator.faults.add(Fault("html"))
        fleet.run("kernelcare")
        assert fleet.samples("cln_kernelcare") == before
        assert fleet.samples("cln_probe_success{")[0].endswith(" 0")
        moments = {line.partition("{")[0]: float(line.split()[-1]) for line in fleet.samples("cln_probe_last_")}
        assert moments["cln_probe_last_run_timestamp_seconds"] == fleet.clock.time()
        assert moments["cln_probe_last_success_timestamp_seconds"] == fleet.clock.time() - 60
        assert failures(fleet, "acme", "kernelcare") == dict.fromkeys(REASONS, 0) | {"bad_answer": 1}

    def test_expired_data(self, fleet: Exporting) -> None:
        """Data disappear after max_age even without a run; the series of the probe itself stay."""
        fleet.run("kernelcare")
        fleet.clock.advance(3600)
        assert fleet.samples("cln_kernelcare")
        fleet.clock.advance(0.001)
        assert fleet.samples("cln_kernelcare") == []
        assert len(fleet.samples("cln_probe_last_success")) == 1

    def test_a_removed_server(self, fleet: Exporting) -> None:
        """A removed server or key disappears with the next poll."""
        fleet.run("kernelcare", "imunify")
        assert fleet.samples("cln_kernelcare_server_last_checkin")
        web = fleet.account.kernelcare_keys[KEY]
        web.add_server("two", ip="192.0.2.2")
        fleet.run("kernelcare")
        assert len(fleet.samples("cln_kernelcare_server_last_checkin")) == 2
        web.remove_server("one")
        fleet.run("kernelcare")
        assert ["two" in line for line in fleet.samples("cln_kernelcare_server_last_checkin")] == [True]
        web.remove_server("two")
        fleet.account.remove_kernelcare_key(KEY)
        for _ in range(2):  # an emptied list is accepted at the second poll
            fleet.run("kernelcare")
            fleet.clock.advance(900)
        assert fleet.samples("cln_kernelcare") == []
        assert fleet.samples("cln_imunify_key_info")

    def test_one_key_that_fails_keeps_its_own_last_good_part(self, fleet: Exporting) -> None:
        """A key that cannot be read keeps its last good part, and other keys are updated."""
        fleet.account.add_kernelcare_key("OTHERKEY00000001")
        fleet.run("kernelcare")
        fleet.account.kernelcare_keys[KEY].add_server("three", ip="192.0.2.3")
        fleet.account.kernelcare_keys["OTHERKEY00000001"].add_server("four", ip="192.0.2.4")
        fleet.simulator.faults.add(Fault("cut", "/kcare/key/servers.json", match=KEY))
        fleet.run("kernelcare")
        shown = "\n".join(fleet.samples("cln_kernelcare_server_last_checkin"))
        assert 'server_id="four"' in shown
        assert 'server_id="one"' in shown
        assert 'server_id="three"' not in shown

    def test_an_account_without_keys(self, exporting: Exporting) -> None:
        """An account without keys is a success without series."""
        exporting.run()
        assert [line for line in exporting.samples("cln_probe_success{") if not line.endswith(" 1")] == []
        assert exporting.samples("cln_kernelcare") == exporting.samples("cln_imunify") == []

    def test_an_account_without_keys_while_polls_fail(self, exporting: Exporting) -> None:
        """An empty list is data that are kept until max_age, also across a restart."""
        exporting.run("imunify")
        exporting.simulator.faults.add(Fault("html"))
        exporting.clock.advance(60)
        exporting.run("imunify")
        target = exporting.target("imunify")
        assert (target.report().parts_ok, target.report().parts_missing, target.report().failure is None) == (
            0,
            0,
            False,
        )
        kept = target.snapshot()
        assert kept is not None
        target.restore(decode(kept.encode(), target.probe, exporting.clock.time()), exporting.clock)
        assert (target.report().parts_ok, target.report().parts_missing) == (0, 0)
        exporting.clock.advance(target.settings.max_age)
        target.expire(exporting.clock.monotonic())
        assert (target.report().parts_ok, target.report().parts_missing) == (0, 1)

    def test_too_many_per_server_series(self, fleet: Exporting) -> None:
        """Per-server series over the limit are left out and counted in a metric."""
        fleet.configure("max_server_series: 1")
        fleet.service.reload()
        fleet.run("kernelcare", "imunify")
        assert fleet.samples("cln_kernelcare_server_last") == fleet.samples("cln_kernelcare_server_created") == []
        assert fleet.samples("cln_kernelcare_server_checkin_age_seconds_bucket")
        assert fleet.samples("cln_imunify_server")
        dropped = {line.split('probe="')[1] for line in fleet.samples("cln_probe_server_series_dropped")}
        assert {'kernelcare"} 2', 'imunify"} 0'} <= dropped

    def test_log_lines(self, fleet: Exporting) -> None:
        """A run logs one line with the account, the probe, the reason and the error."""
        with capture_logs() as logs:
            fleet.run("kernelcare")
            fleet.simulator.faults.add(Fault("html"))
            fleet.run("kernelcare")
        good, bad = [line for line in logs if line["event"] != "request to CLN"]
        assert (good["event"], good["log_level"], good["parts"]) == ("probe succeeded", "info", 1)
        assert (bad["event"], bad["log_level"], bad["reason"]) == ("probe failed", "warning", "bad_answer")
        assert (bad["account"], bad["probe"], bad["api"]) == ("acme", "kernelcare", fleet.target("kernelcare").id.api)
        assert "reading /kcare/key/list.json" in bad["error"]

    def test_log_levels(self, fleet: Exporting) -> None:
        """Only the first success and a success after a failure are logged at info."""
        with capture_logs() as logs:
            fleet.run("kernelcare")
            fleet.run("kernelcare")
            fleet.simulator.faults.add(Fault("html", times=1))
            fleet.run("kernelcare")
            fleet.run("kernelcare")
        events = [(line["event"], line["log_level"]) for line in logs if line["event"] != "request to CLN"]
        success, failure = "probe succeeded", ("probe failed", "warning")
        assert events == [(success, "info"), (success, "debug"), failure, (success, "info")]


class TestCounters:
    """Tests of the failure counters."""

    def test_at_zero_from_the_start(self, exporting: Exporting) -> None:
        """The failure counters of all probes and reasons start at 0, so that the first failure is an increase."""
        for target in exporting.service.targets:
            assert failures(exporting, target.account, target.probe) == dict.fromkeys(REASONS, 0)

    def test_a_removed_account(self, exporting: Exporting) -> None:
        """The series and counters of a removed account disappear."""
        exporting.configure(accounts=SECOND)
        exporting.service.reload()
        assert failures(exporting, "second", "kernelcare")
        exporting.run("kernelcare", account="second")
        assert 'account="second"' in exporting.metrics()
        exporting.configure()
        exporting.service.reload()
        assert 'account="second"' not in exporting.metrics() + exporting.own_metrics()

    def test_counters_survive_a_reload(self, exporting: Exporting) -> None:
        """A reload does not reset the counters."""
        exporting.simulator.faults.add(Fault("html"))
        exporting.run("kernelcare")
        exporting.configure("concurrency: 3")
        exporting.service.reload()
        assert failures(exporting, "acme", "kernelcare")["bad_answer"] == 1


class TestStatusLine:
    """Tests of the status line that systemctl shows."""

    def test_counts(self, fleet: Exporting) -> None:
        """The status line has the numbers of probes that fail or have not run yet, or says that all are OK."""
        assert fleet.service.status_line() == "5 probes of 1 account: 5 not run yet"
        fleet.run("status", "kernelcare", "ip_licenses", "patch_status")
        fleet.simulator.faults.add(Fault("status", "/im/*", status=500))
        fleet.run("imunify")
        assert fleet.service.status_line() == "5 probes of 1 account: 1 failing"
        fleet.simulator.faults.clear()
        fleet.run("imunify")
        assert fleet.service.status_line() == "5 probes of 1 account: all OK"

    def test_a_failed_reload(self, exporting: Exporting) -> None:
        """The status line reports a failed reload, without its error, until one succeeds."""
        exporting.configure(accounts=SECOND)
        good, exporting.file.text = exporting.file.text, "accounts: []"
        exporting.service.reload()
        status = "5 not run yet, the last reload failed, the previous configuration is in use"
        assert exporting.service.status_line() == f"5 probes of 1 account: {status}"
        exporting.file.text = good
        exporting.service.reload()
        assert exporting.service.status_line() == "9 probes of 2 accounts: 9 not run yet"


class TestReload:
    """Tests of the reload of the configuration."""

    def test_an_unchanged_account(self, fleet: Exporting) -> None:
        """A reload keeps the data, the last runs and the schedule of an unchanged account."""
        fleet.run()
        before = fleet.metrics()
        jobs = {name: job.next_run_time for name, job in fleet.service._poller._jobs.items()}
        assert fleet.service.reload() is None
        assert fleet.metrics() == before
        assert {name: job.next_run_time for name, job in fleet.service._poller._jobs.items()} == jobs

    def test_changed_settings(self, fleet: Exporting) -> None:
        """A reload with changed settings keeps the data, and applies the settings at once."""
        fleet.run("kernelcare")
        fleet.configure("probes: {kernelcare: {interval: 5m, server_series: false}}")
        fleet.service.reload()
        assert fleet.samples("cln_kernelcare_key_info")
        assert fleet.samples("cln_kernelcare_server_last") == []
        assert [line.split()[-1] for line in fleet.samples("cln_probe_interval") if "kernelcare" in line] == ["300"]

    def test_a_changed_login(self, fleet: Exporting) -> None:
        """A reload with another login drops the data."""
        fleet.run("kernelcare")
        fleet.file.text = fleet.file.text.replace("login: pl4nted_login", "login: other_login")
        fleet.service.reload()
        assert fleet.samples("cln_kernelcare") == []
        assert fleet.target("kernelcare").id in fleet.service.not_yet_run()

    def test_a_renamed_account(self, fleet: Exporting) -> None:
        """A renamed account is a new one that has not run yet, and the old one is removed."""
        fleet.run()
        fleet.file.text = fleet.file.text.replace("name: acme", "name: renamed")
        fleet.service.reload()
        assert 'account="acme"' not in fleet.metrics()
        assert {target.account for target in fleet.service.not_yet_run()} == {"renamed"}

    @pytest.mark.parametrize("breaks", ["file", "targets"])
    def test_a_failed_reload_changes_nothing(
        self, breaks: str, fleet: Exporting, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """After a failed reload the previous configuration stays in use; a metric, the log and the caller report it."""
        fleet.run()
        before, targets, config = fleet.metrics(), dict(fleet.service.targets), fleet.service.config
        good = fleet.file.text
        if breaks == "file":
            fleet.configure("surprise: 1")
        else:

            def broken(*_: object) -> None:
                raise OSError("no certificates")

            monkeypatch.setattr("cln_monitor.exporter.service.make_targets", broken)
        with capture_logs() as logs:
            error = fleet.service.reload()
        assert error is not None
        assert logs[0]["event"] == "configuration reload failed; the previous configuration stays in use"
        assert logs[0]["error"] == str(error)
        assert fleet.samples("cln_exporter_config_last_reload_successful") == [
            "cln_exporter_config_last_reload_successful 0.0"
        ]
        assert (fleet.metrics(), fleet.service.targets, fleet.service.config) == (before, targets, config)
        monkeypatch.undo()
        fleet.file.text = good
        fleet.clock.advance(60)
        assert fleet.service.reload() is None
        own = parse(fleet.own_metrics())
        assert own["cln_exporter_config_last_reload_successful", frozenset()] == 1
        assert own["cln_exporter_config_last_reload_success_timestamp_seconds", frozenset()] == fleet.clock.time()

    def test_a_pause_survives_a_reload(self, fleet: Exporting) -> None:
        """A Retry-After of CLN is obeyed across a reload."""
        fleet.simulator.faults.add(Fault("status", status=429, retry_after=600, times=1))
        fleet.run("kernelcare")
        fleet.service.reload()
        fleet.simulator.clear_requests()
        fleet.run("kernelcare")
        assert fleet.simulator.requests == []

    def test_a_run_of_a_removed_target(self, fleet: Exporting) -> None:
        """A run that ends after its target was removed causes no series, counters or log lines."""
        hold = fleet.hold("/kcare/key/list.json")
        with ThreadPoolExecutor(1) as pool:
            run = pool.submit(fleet.run, "kernelcare")
            assert hold.asked.wait(5)
            fleet.file.text = fleet.file.text.replace("name: acme", "name: renamed")
            fleet.service.reload()
            with capture_logs() as logs:
                hold.release()
                run.result(5)
        assert [line for line in logs if line["log_level"] != "debug"] == []
        assert 'account="acme"' not in fleet.metrics() + fleet.own_metrics()

    def test_a_reload_during_a_run(self, fleet: Exporting) -> None:
        """A target that is running during a reload is polled again, as the result of that run is discarded."""
        hold = fleet.hold("/kcare/key/list.json")
        before = {name: job.next_run_time for name, job in fleet.service._poller._jobs.items()}
        with ThreadPoolExecutor(1) as pool:
            run = pool.submit(fleet.run, "kernelcare")
            assert hold.asked.wait(5)
            fleet.service.reload()
            hold.release()
            run.result(5)
        after = {name: job.next_run_time for name, job in fleet.service._poller._jobs.items()}
        assert [name.probe for name in after if after[name] != before[name]] == ["kernelcare"]

    def test_an_older_text_never_replaces_a_newer_one(self, fleet: Exporting, monkeypatch: pytest.MonkeyPatch) -> None:
        """A scrape that drops expired data during a run does not overwrite the new data."""
        fleet.run("kernelcare")
        fleet.clock.advance(3601)
        rendering, go_on = threading.Event(), threading.Event()
        render = Service._texts
        renders: list[object] = []

        def slow_at_first(service: Service, target: Any) -> Any:
            texts = render(service, target)
            renders.append(target)
            if len(renders) == 1:
                rendering.set()
                assert go_on.wait(20)
            return texts

        monkeypatch.setattr(Service, "_texts", slow_at_first)
        with ThreadPoolExecutor(2) as pool:
            scrape = pool.submit(fleet.metrics)
            assert rendering.wait(5)
            run = pool.submit(fleet.run, "kernelcare")
            wait_until(
                lambda: fleet.target("kernelcare").last_success == fleet.clock.time(),
                "the run to be about to be published",
            )
            go_on.set()
            scrape.result(5)
            run.result(5)
        assert fleet.samples("cln_kernelcare_key_info")

    def test_a_scrape_does_not_restore_a_removed_account(
        self, fleet: Exporting, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A scrape that drops expired data does not restore an account removed by a concurrent reload."""
        fleet.run("kernelcare")
        fleet.clock.advance(3601)
        target = fleet.target("kernelcare")
        expire = target.expire

        def reload_meanwhile(now: float) -> bool:
            expired = expire(now)
            fleet.file.text = fleet.file.text.replace("name: acme", "name: renamed")
            assert fleet.service.reload() is None
            return expired

        monkeypatch.setattr(target, "expire", reload_meanwhile)
        assert 'account="acme"' not in fleet.metrics()


class TestFind:
    """Tests of finding a target."""

    def test_of_an_account(self, exporting: Exporting) -> None:
        """A target is found by the names of its account and probe."""
        target = exporting.service.find("acme", "kernelcare")
        assert target is not None
        assert (target.id.account, target.id.probe) == ("acme", "kernelcare")

    def test_of_cln_itself(self, exporting: Exporting) -> None:
        """A probe of CLN itself is found by an account, or without one if there is a single API root."""
        status = exporting.service.find("acme", "status")
        assert status is not None
        assert exporting.service.find("", "status") is status
        exporting.configure(accounts=SECOND.replace("}", ", api_url: 'http://127.0.0.1:1/api'}"))
        exporting.service.reload()
        assert exporting.service.find("", "status") is None
        first, second = (exporting.service.find(name, "status") for name in ("acme", "second"))
        assert first is not None
        assert second is not None
        assert (first.api_url, second.api_url) == (exporting.url, "http://127.0.0.1:1/api")
        disabled = ", api_url: 'http://127.0.0.1:1/api', probes: {status: {enabled: false}}}"
        exporting.configure(accounts=SECOND.replace("}", disabled))
        exporting.service.reload()
        assert exporting.service.find("", "status") is exporting.service.find("acme", "status") is not None
        assert exporting.service.find("second", "status") is None

    @pytest.mark.parametrize(
        ("account", "probe"), [("acme", "nothing"), ("nobody", "kernelcare"), ("nobody", "status"), ("", "kernelcare")]
    )
    def test_unknown_names(self, account: str, probe: str, exporting: Exporting) -> None:
        """An unknown account or probe has no target."""
        assert exporting.service.find(account, probe) is None


def test_not_yet_run(exporting: Exporting) -> None:
    """A target is not yet run until its first run, whether that succeeds or fails."""
    assert {target.probe for target in exporting.service.not_yet_run()} == set(
        exporting.service.config.accounts[0].probes
    ) - {name for name, settings in exporting.service.config.accounts[0].probes.items() if not settings.enabled}
    exporting.simulator.faults.add(Fault("html"))
    exporting.run("kernelcare")
    assert "kernelcare" not in {target.probe for target in exporting.service.not_yet_run()}


def test_not_yet_run_until_published(fleet: Exporting, monkeypatch: pytest.MonkeyPatch) -> None:
    """A target counts as run only after its data are published, so that a ready exporter has them."""
    publish = fleet.service._expositions.publish

    def late(*arguments: Any) -> None:
        assert "kernelcare" in {target.probe for target in fleet.service.not_yet_run()}
        publish(*arguments)

    monkeypatch.setattr(fleet.service._expositions, "publish", late)
    fleet.run("kernelcare")
    assert "kernelcare" not in {target.probe for target in fleet.service.not_yet_run()}


def test_exposition_of_one_target(fleet: Exporting) -> None:
    """The exposition of one target has only its series."""
    fleet.run()
    text = b"".join(fleet.service.exposition_of(fleet.target("imunify")).plain(b"")).decode()
    assert {"cln_imunify_key_info", "cln_probe_success"} <= {name for name, _ in parse(text)}
    assert not [name for name, _ in parse(text) if name.startswith(("cln_kernelcare", "cln_status"))]
    assert 'probe="kernelcare"' not in text


def test_an_invalid_configuration(idle: Callable[[Service], None]) -> None:
    """An invalid configuration is raised to the caller, and the service can be stopped."""

    def load() -> Config:
        raise ConfigError("a.yml", [])

    service = Service(load, Redactor())
    idle(service)
    with pytest.raises(ConfigError):
        service.start()
    service.stop()


def test_warnings_are_logged(exporting: Exporting) -> None:
    """Warnings about the configuration are logged on each load."""
    exporting.configure("tls_config: {insecure_skip_verify: true}")
    with capture_logs() as logs:
        exporting.service.reload()
    assert logs[0]["warning"].startswith("tls_config.insecure_skip_verify: ")


def test_disabled_tls_verification(exporting: Exporting) -> None:
    """Disabled TLS verification is a metric while it is configured."""
    name = "cln_exporter_tls_verification_disabled"
    assert exporting.samples(name) == [f"{name} 0.0"]
    exporting.configure("tls_config: {insecure_skip_verify: true}")
    exporting.service.reload()
    assert exporting.samples(name) == [f"{name} 1.0"]
    exporting.configure("surprise: 1")
    exporting.service.reload()
    assert exporting.samples(name) == [f"{name} 1.0"]
    exporting.configure()
    exporting.service.reload()
    assert exporting.samples(name) == [f"{name} 0.0"]


def test_a_run_during_a_stop(fleet: Exporting) -> None:
    """A run interrupted by a stop is not counted or logged, and raises no exception."""
    hold = fleet.hold("/kcare/key/servers.json")
    with ThreadPoolExecutor(1) as pool, capture_logs() as logs:
        run = pool.submit(fleet.service.run, fleet.target("kernelcare"))
        assert hold.asked.wait(5)
        fleet.service.stop()
        hold.release()
        run.result(5)
    assert [line for line in logs if line["log_level"] != "debug"] == []


def test_a_resolver_that_hangs(exporting: Exporting, monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver that hangs delays a poll until its deadline, and does not delay a stop."""
    go_on = threading.Event()
    resolve = socket.getaddrinfo

    def hang(host: str, *rest: Any, **named: Any) -> Any:
        if host == "cln.example.com":
            go_on.wait(60)
        return resolve("127.0.0.1", *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    exporting.file.text = exporting.file.text.replace(exporting.url, "http://cln.example.com:1").replace("5s", "200ms")
    exporting.service.reload()
    started = time.monotonic()
    exporting.run("status")
    assert time.monotonic() - started < 30
    assert failures(exporting, "", "status")["timeout"] == 1
    exporting.file.text = exporting.file.text.replace("200ms", "60s")
    exporting.service.reload()
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(exporting.service.run, exporting.target("kernelcare"))
        wait_until(lambda: exporting.target("kernelcare").flight.is_running, "the run")
        exporting.service.stop()
        assert not run.done()
        go_on.set()
        run.result(20)


def test_scrapes_during_runs(fleet: Exporting) -> None:
    """Each scrape during concurrent runs has complete data."""
    fleet.run()
    assert isinstance(fleet.service._expositions, ExpositionStore)
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(fleet.run, "kernelcare", "imunify") for _ in range(10)]
        while not all(run.done() for run in runs):
            assert len(parse(fleet.metrics())) > 40
        for run in runs:
            run.result()


class TestHostNames:
    """Tests of host names, which come from other probes."""

    @pytest.fixture
    def named(self, exporting: Exporting) -> Exporting:
        """An exporter of a KernelCare server in a group with a max_age of a minute."""
        server = exporting.account.add_kernelcare_key().add_server("a", ip="192.0.2.1", hostname="web1.example.net")
        exporting.account.add_group("web").add_server(server)
        exporting.configure(account="probes: {groups: {enabled: true, interval: 10s, max_age: 1m}}")
        assert exporting.service.reload() is None
        return exporting

    def test_order_of_runs(self, named: Exporting) -> None:
        """Host names are shown whether groups run before or after the servers."""
        kernelcare = named.target("kernelcare")
        named.run("kernelcare")
        assert kernelcare.report().host_names == {}
        before = kernelcare.forms().encoded(FormQuery(), 0.0)
        named.run("groups")
        assert kernelcare.report().host_names == {"a": "web1.example.net"}
        assert before != kernelcare.forms().encoded(FormQuery(), 0.0)
        named.run("kernelcare")
        assert kernelcare.report().host_names == {"a": "web1.example.net"}

    def test_expired_names(self, named: Exporting) -> None:
        """Host names disappear when the data of their source expire."""
        named.run("groups", "kernelcare")
        named.clock.advance(61)
        named.service.expire()
        assert named.target("kernelcare").report().host_names == {}

    def test_a_reload(self, named: Exporting) -> None:
        """Host names survive a reload, and disappear if their source is disabled."""
        named.run("groups", "kernelcare")
        assert named.service.reload() is None
        assert named.target("kernelcare").report().host_names == {"a": "web1.example.net"}
        named.configure()
        assert named.service.reload() is None
        assert named.target("kernelcare").report().host_names == {}
