"""The exporter without its web: runs that are shown, failures that are counted, reloads that lose nothing."""

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
from cln_monitor.exporter.metrics.exposition import Exposition
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
    """An exporter of an account with a key of each product and a server on each."""
    exporting.account.add_kernelcare_key(KEY, limit=4).add_server("one", ip="192.0.2.1")
    exporting.account.add_imunify_key(IMUNIFY_KEY).add_server("two", ip="192.0.2.2")
    return exporting


def failures(exporting: Exporting, account: str, probe: str) -> dict[str, float]:
    """Return the counted failures of a probe by reason."""
    return {
        dict(labels)["reason"]: value
        for (name, labels), value in parse(exporting.own_metrics()).items()
        if name == "cln_probe_failures_total" and {("account", account), ("probe", probe)} <= labels
    }


class TestRuns:
    """What a run leaves behind."""

    def test_it_is_shown(self, fleet: Exporting) -> None:
        """The series of what it saw, and how it went."""
        assert fleet.samples("cln_kernelcare") == []
        fleet.run("kernelcare")
        assert fleet.samples('cln_kernelcare_key_servers_limit{account="acme"') == [
            'cln_kernelcare_key_servers_limit{account="acme",key="WsTs-8c7994d7"} 4'
        ]
        (success,) = fleet.samples("cln_probe_success{")
        assert success.endswith('account="acme",probe="kernelcare"} 1')

    def test_all_of_it_is_valid(self, fleet: Exporting) -> None:
        """After each probe has run, no series is there twice."""
        fleet.run()
        assert len(parse(fleet.metrics())) > 40
        assert all(line.endswith(" 1") for line in fleet.samples("cln_probe_success{"))

    def test_a_failure(self, fleet: Exporting) -> None:
        """Is counted by its reason; the last good data and the time of the last success stay."""
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

    def test_data_that_are_too_old_go(self, fleet: Exporting) -> None:
        """At max_age, though nothing runs any more; how the probe stands is still told."""
        fleet.run("kernelcare")
        fleet.clock.advance(3600)
        assert fleet.samples("cln_kernelcare")
        fleet.clock.advance(0.001)
        assert fleet.samples("cln_kernelcare") == []
        assert len(fleet.samples("cln_probe_last_success")) == 1

    def test_a_vanished_server_vanishes(self, fleet: Exporting) -> None:
        """From the next scrape after the poll that misses it; so does a key."""
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
        for _ in range(2):  # that there are none left is believed when it is told twice
            fleet.run("kernelcare")
            fleet.clock.advance(900)
        assert fleet.samples("cln_kernelcare") == []
        assert fleet.samples("cln_imunify_key_info")

    def test_one_key_that_fails_keeps_its_own_last_good_part(self, fleet: Exporting) -> None:
        """While the other moves on."""
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
        """Is a success with nothing to show."""
        exporting.run()
        assert [line for line in exporting.samples("cln_probe_success{") if not line.endswith(" 1")] == []
        assert exporting.samples("cln_kernelcare") == exporting.samples("cln_imunify") == []

    def test_that_an_account_has_no_keys_is_known_while_a_poll_fails(self, exporting: Exporting) -> None:
        """Until max_age: an empty list that was read is data, over a restart too; then there is nothing to show."""
        exporting.run("imunify")
        exporting.simulator.faults.add(Fault("html"))
        exporting.clock.advance(60)
        exporting.run("imunify")
        target = exporting.target("imunify")
        assert (target.view().parts_ok, target.view().parts_missing, target.view().failure is None) == (0, 0, False)
        kept = target.saved()
        assert kept is not None
        target.restore(decode(kept.encode(), target.probe, exporting.clock.time()), exporting.clock)
        assert (target.view().parts_ok, target.view().parts_missing) == (0, 0)
        exporting.clock.advance(target.settings.max_age)
        target.expire(exporting.clock.monotonic())
        assert (target.view().parts_ok, target.view().parts_missing) == (0, 1)

    def test_too_many_series_a_server(self, fleet: Exporting) -> None:
        """Are left out, and a metric says how many."""
        fleet.configure("max_server_series: 1")
        fleet.service.reload()
        fleet.run("kernelcare", "imunify")
        assert fleet.samples("cln_kernelcare_server_last") == fleet.samples("cln_kernelcare_server_created") == []
        assert fleet.samples("cln_kernelcare_server_checkin_age_seconds_bucket")
        assert fleet.samples("cln_imunify_server")
        dropped = {line.split('probe="')[1] for line in fleet.samples("cln_probe_server_series_dropped")}
        assert {'kernelcare"} 2', 'imunify"} 0'} <= dropped

    def test_the_log_tells(self, fleet: Exporting) -> None:
        """One line a run, with what an operator asks."""
        with capture_logs() as logs:
            fleet.run("kernelcare")
            fleet.simulator.faults.add(Fault("html"))
            fleet.run("kernelcare")
        good, bad = [line for line in logs if line["event"] != "asked CLN"]
        assert (good["event"], good["log_level"], good["parts"]) == ("probe succeeded", "info", 1)
        assert (bad["event"], bad["log_level"], bad["reason"]) == ("probe failed", "warning", "bad_answer")
        assert (bad["account"], bad["probe"], bad["api"]) == ("acme", "kernelcare", fleet.target("kernelcare").id.api)
        assert "reading /kcare/key/list.json" in bad["error"]

    def test_the_log_is_quiet_about_what_stays(self, fleet: Exporting) -> None:
        """Only the first success, and one after a failure, is worth a line at level info."""
        with capture_logs() as logs:
            fleet.run("kernelcare")
            fleet.run("kernelcare")
            fleet.simulator.faults.add(Fault("html", times=1))
            fleet.run("kernelcare")
            fleet.run("kernelcare")
        told = [(line["event"], line["log_level"]) for line in logs if line["event"] != "asked CLN"]
        success, failure = "probe succeeded", ("probe failed", "warning")
        assert told == [(success, "info"), (success, "debug"), failure, (success, "info")]


class TestCounters:
    """Failure counters are there before anything fails."""

    def test_at_zero_from_the_start(self, exporting: Exporting) -> None:
        """Each reason of each probe: an increase is seen from the first failure on."""
        for target in exporting.service.targets:
            assert failures(exporting, target.account, target.probe) == dict.fromkeys(REASONS, 0)

    def test_gone_with_the_account(self, exporting: Exporting) -> None:
        """Nothing of a removed account stays."""
        exporting.configure(accounts=SECOND)
        exporting.service.reload()
        assert failures(exporting, "second", "kernelcare")
        exporting.run("kernelcare", account="second")
        assert 'account="second"' in exporting.metrics()
        exporting.configure()
        exporting.service.reload()
        assert 'account="second"' not in exporting.metrics() + exporting.own_metrics()

    def test_they_go_on_over_a_reload(self, exporting: Exporting) -> None:
        """A counter that fell back to zero would be an increase of its own."""
        exporting.simulator.faults.add(Fault("html"))
        exporting.run("kernelcare")
        exporting.configure("concurrency: 3")
        exporting.service.reload()
        assert failures(exporting, "acme", "kernelcare")["bad_answer"] == 1


class TestStanding:
    """How it stands, in words for the one line that systemctl shows."""

    def test_it_counts_what_fails_and_what_has_not_run(self, fleet: Exporting) -> None:
        """Until all is well."""
        assert fleet.service.standing() == "5 probes of 1 account: 5 not run yet"
        fleet.run("status", "kernelcare", "ip_licenses", "patch_status")
        fleet.simulator.faults.add(Fault("status", "/im/*", status=500))
        fleet.run("imunify")
        assert fleet.service.standing() == "5 probes of 1 account: 1 failing"
        fleet.simulator.faults.clear()
        fleet.run("imunify")
        assert fleet.service.standing() == "5 probes of 1 account: all well"

    def test_a_reload_that_failed_is_said(self, exporting: Exporting) -> None:
        """Until one succeeds; what is wrong with the configuration stays in the log."""
        exporting.configure(accounts=SECOND)
        good, exporting.file.text = exporting.file.text, "accounts: []"
        exporting.service.reload()
        said = "5 not run yet, the last reload failed, and the configuration from before it is in use"
        assert exporting.service.standing() == f"5 probes of 1 account: {said}"
        exporting.file.text = good
        exporting.service.reload()
        assert exporting.service.standing() == "9 probes of 2 accounts: 9 not run yet"


class TestReload:
    """A reload changes what it has to and nothing else."""

    def test_what_is_unchanged_stays(self, fleet: Exporting) -> None:
        """Data, outcome and schedule of an account that the new configuration has as the old one had it."""
        fleet.run()
        before = fleet.metrics()
        jobs = {name: job.next_run_time for name, job in fleet.service._poller._jobs.items()}
        assert fleet.service.reload() is None
        assert fleet.metrics() == before
        assert {name: job.next_run_time for name, job in fleet.service._poller._jobs.items()} == jobs

    def test_other_settings_keep_the_data(self, fleet: Exporting) -> None:
        """And are in force at once: another interval, another rendering."""
        fleet.run("kernelcare")
        fleet.configure("probes: {kernelcare: {interval: 5m, server_series: false}}")
        fleet.service.reload()
        assert fleet.samples("cln_kernelcare_key_info")
        assert fleet.samples("cln_kernelcare_server_last") == []
        assert [line.split()[-1] for line in fleet.samples("cln_probe_interval") if "kernelcare" in line] == ["300"]

    def test_another_login_starts_anew(self, fleet: Exporting) -> None:
        """What was seen as somebody else is shown no more."""
        fleet.run("kernelcare")
        fleet.file.text = fleet.file.text.replace("login: pl4nted_login", "login: other_login")
        fleet.service.reload()
        assert fleet.samples("cln_kernelcare") == []
        assert fleet.target("kernelcare").id in fleet.service.untried()

    def test_a_removed_account_is_gone(self, fleet: Exporting) -> None:
        """And a new one is there, untried."""
        fleet.run()
        fleet.file.text = fleet.file.text.replace("name: acme", "name: renamed")
        fleet.service.reload()
        assert 'account="acme"' not in fleet.metrics()
        assert {target.account for target in fleet.service.untried()} == {"renamed"}

    @pytest.mark.parametrize("breaks", ["file", "targets"])
    def test_a_bad_one_changes_nothing(self, breaks: str, fleet: Exporting, monkeypatch: pytest.MonkeyPatch) -> None:
        """The old configuration stays in use with its data; a metric, the log and the caller are told."""
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
        assert logs[0]["event"] == "configuration not reloaded, the one in use stays"
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

    def test_it_forgets_no_pause_that_cln_wants(self, fleet: Exporting) -> None:
        """A reload is no way around a Retry-After."""
        fleet.simulator.faults.add(Fault("status", status=429, retry_after=600, times=1))
        fleet.run("kernelcare")
        fleet.service.reload()
        fleet.simulator.clear_requests()
        fleet.run("kernelcare")
        assert fleet.simulator.requests == []

    def test_a_run_that_ends_after_it_does_not_show(self, fleet: Exporting) -> None:
        """Its target is gone: no series, no count, no line in the log."""
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

    def test_a_run_under_way_is_followed_by_another(self, fleet: Exporting) -> None:
        """The unchanged account that is being polled is polled anew, as that run will not be shown."""
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

    def test_an_old_text_never_follows_a_new_one(self, fleet: Exporting, monkeypatch: pytest.MonkeyPatch) -> None:
        """A scrape that drops old data while a run brings new ones does not put the old ones back."""
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
                "the run to have read all, and to be about to be shown",
            )
            go_on.set()
            scrape.result(5)
            run.result(5)
        assert fleet.samples("cln_kernelcare_key_info")

    def test_a_scrape_does_not_bring_back_what_a_reload_removed(
        self, fleet: Exporting, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Though it had begun to drop old data of an account that is removed meanwhile."""
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
    """Which target a path or a query means."""

    def test_of_an_account(self, exporting: Exporting) -> None:
        """By the names of both."""
        target = exporting.service.find("acme", "kernelcare")
        assert target is not None
        assert (target.id.account, target.id.probe) == ("acme", "kernelcare")

    def test_of_cln_itself(self, exporting: Exporting) -> None:
        """With the account that reaches it, or without one when there is one root."""
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
        unwatched = ", api_url: 'http://127.0.0.1:1/api', probes: {status: {enabled: false}}}"
        exporting.configure(accounts=SECOND.replace("}", unwatched))
        exporting.service.reload()
        assert exporting.service.find("", "status") is exporting.service.find("acme", "status") is not None
        assert exporting.service.find("second", "status") is None

    @pytest.mark.parametrize(
        ("account", "probe"), [("acme", "nothing"), ("nobody", "kernelcare"), ("nobody", "status"), ("", "kernelcare")]
    )
    def test_nothing(self, account: str, probe: str, exporting: Exporting) -> None:
        """What is not there is not found."""
        assert exporting.service.find(account, probe) is None


def test_untried(exporting: Exporting) -> None:
    """Each target until its probe has run, well or not."""
    assert {target.probe for target in exporting.service.untried()} == set(
        exporting.service.config.accounts[0].probes
    ) - {name for name, each in exporting.service.config.accounts[0].probes.items() if not each.enabled}
    exporting.simulator.faults.add(Fault("html"))
    exporting.run("kernelcare")
    assert "kernelcare" not in {target.probe for target in exporting.service.untried()}


def test_untried_until_it_is_shown(fleet: Exporting, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits until the exporter is ready must find in its next scrape what the probe saw."""
    publish = fleet.service._exposition.publish

    def late(*arguments: Any) -> None:
        assert "kernelcare" in {target.probe for target in fleet.service.untried()}
        publish(*arguments)

    monkeypatch.setattr(fleet.service._exposition, "publish", late)
    fleet.run("kernelcare")
    assert "kernelcare" not in {target.probe for target in fleet.service.untried()}


def test_page_of_one_target(fleet: Exporting) -> None:
    """Only what belongs to it."""
    fleet.run()
    text = b"".join(fleet.service.page_of(fleet.target("imunify")).plain(b"")).decode()
    assert {"cln_imunify_key_info", "cln_probe_success"} <= {name for name, _ in parse(text)}
    assert not [name for name, _ in parse(text) if name.startswith(("cln_kernelcare", "cln_status"))]
    assert 'probe="kernelcare"' not in text


def test_a_configuration_that_cannot_be_used(idle: Callable[[Service], None]) -> None:
    """Is the caller's to tell; the service can be stopped all the same."""

    def load() -> Config:
        raise ConfigError("a.yml", [])

    service = Service(load, Redactor())
    idle(service)
    with pytest.raises(ConfigError):
        service.start()
    service.stop()


def test_warnings_are_logged(exporting: Exporting) -> None:
    """What works and is hardly meant, at each load."""
    exporting.configure("tls_config: {insecure_skip_verify: true}")
    with capture_logs() as logs:
        exporting.service.reload()
    assert logs[0]["warning"].startswith("tls_config.insecure_skip_verify: ")


def test_certificates_that_nobody_verifies(exporting: Exporting) -> None:
    """Are a metric, as long as the configuration in use says so."""
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


def test_a_stop_shows_nothing_more(fleet: Exporting) -> None:
    """A run that a stop breaks off is not counted, not logged, and raises nothing."""
    hold = fleet.hold("/kcare/key/servers.json")
    with ThreadPoolExecutor(1) as pool, capture_logs() as logs:
        run = pool.submit(fleet.service.run, fleet.target("kernelcare"))
        assert hold.asked.wait(5)
        fleet.service.stop()
        hold.release()
        run.result(5)
    assert [line for line in logs if line["log_level"] != "debug"] == []


def test_a_resolver_that_hangs(exporting: Exporting, monkeypatch: pytest.MonkeyPatch) -> None:
    """Holds up a poll until its deadline, and a stop not at all."""
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


def test_each_scrape_sees_whole_polls(fleet: Exporting) -> None:
    """However many runs end while it is read."""
    fleet.run()
    assert isinstance(fleet.service._exposition, Exposition)
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(fleet.run, "kernelcare", "imunify") for _ in range(10)]
        while not all(run.done() for run in runs):
            assert len(parse(fleet.metrics())) > 40
        for run in runs:
            run.result()


class TestHostNames:
    """Other answers of CLN tell them."""

    @pytest.fixture
    def named(self, exporting: Exporting) -> Exporting:
        """A KernelCare server in a group, whose names live for a minute."""
        server = exporting.account.add_kernelcare_key().add_server("a", ip="192.0.2.1", hostname="web1.example.net")
        exporting.account.add_group("web").add_server(server)
        exporting.configure(account="probes: {groups: {enabled: true, interval: 10s, max_age: 1m}}")
        assert exporting.service.reload() is None
        return exporting

    def test_in_whichever_order_they_are_read(self, named: Exporting) -> None:
        """The groups may be read before or after the servers."""
        kernelcare = named.target("kernelcare")
        named.run("kernelcare")
        assert kernelcare.view().host_names == {}
        told = kernelcare.tell()
        named.run("groups")
        assert kernelcare.view().host_names == {"a": "web1.example.net"}
        assert told != kernelcare.tell()
        named.run("kernelcare")
        assert kernelcare.view().host_names == {"a": "web1.example.net"}

    def test_names_that_are_too_old_are_none(self, named: Exporting) -> None:
        """They vanish with the data that tell them, without a poll."""
        named.run("groups", "kernelcare")
        named.clock.advance(61)
        named.service.expire()
        assert named.target("kernelcare").view().host_names == {}

    def test_over_a_reload(self, named: Exporting) -> None:
        """A source that is switched off tells nothing any more."""
        named.run("groups", "kernelcare")
        assert named.service.reload() is None
        assert named.target("kernelcare").view().host_names == {"a": "web1.example.net"}
        named.configure()
        assert named.service.reload() is None
        assert named.target("kernelcare").view().host_names == {}
