"""Tests of first polls: what they have read is shown as it comes, and nothing else is made of it before they end."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cln_monitor.cln import Redactor
from cln_monitor.exporter.service import Service
from cln_monitor.exporter.web.app import WebOptions, make_app
from cln_monitor.probes import Run
from cln_monitor.simulator import Fault
from tests.helpers.gate import SERVER_LISTS, Gate
from tests.helpers.running import wait_until

from .asking import ask
from .conftest import Exporting, HandClock

KEYS = [f"KEY{number:013}" for number in range(10)]


class Polls:
    """Polls of an exporter that proceed key by key, through a ``gate``."""

    def __init__(self, exporting: Exporting) -> None:
        self._exporting = exporting
        self._pool = ThreadPoolExecutor(4)
        self.gate = Gate(exporting.simulator)

    def begin(self, probe: str = "kernelcare") -> Future[Run[Any]]:
        """Begin a poll."""
        target = self._exporting.target(probe)
        polling = self._pool.submit(self._exporting.service.run, target)
        wait_until(lambda: polling.done() or target.flight.is_running, "the poll to begin")
        return polling

    def allow(self, number: int, done: int, probe: str = "kernelcare") -> None:
        """Let ``number`` further calls through, wait until ``done`` parts are done, and let a second pass."""
        if number:
            self.gate.allow(number)
        target = self._exporting.target(probe)
        wait_until(lambda: _done(target) == done, f"{done} parts to be done")
        self._exporting.clock.advance(1)

    def close(self) -> None:
        """Let all calls through, and wait for the polls."""
        self.gate.open()
        self._pool.shutdown()


def _done(target: Any) -> int:
    progress = target._unfinished._progress
    return -1 if progress is None else progress.done


@pytest.fixture
def fleet(exporting: Exporting) -> Exporting:
    """An exporter of an account with ten KernelCare keys, each with a server."""
    for number, key in enumerate(KEYS):
        exporting.account.add_kernelcare_key(key, limit=4).add_server(f"s{number}", ip=f"192.0.2.{number + 1}")
    return exporting


@pytest.fixture
def polls(exporting: Exporting) -> Iterator[Polls]:
    """Polls of the exporter that proceed key by key."""
    with contextlib.closing(Polls(exporting)) as polls:
        yield polls


def shown(exporting: Exporting, start: str = "cln_kernelcare_key_info") -> int:
    """Return the number of series that start with ``start``."""
    return len(exporting.samples(start))


def value(exporting: Exporting, metric: str, probe: str = "kernelcare") -> float | None:
    """Return the value of a metric of a probe, None without one."""
    lines = [line for line in exporting.samples(f"{metric}{{") if f'probe="{probe}"' in line]
    return float(lines[0].split()[-1]) if lines else None


def page(exporting: Exporting, path: str = "/") -> Any:
    """Return the response at ``path``."""
    return ask(make_app(exporting.service, WebOptions()), path)


class TestShownAsTheyCome:
    """Tests of what the metrics and the page show."""

    def test_finished_keys(self, fleet: Exporting, polls: Polls) -> None:
        """While the first poll is in progress, the finished keys have their series, and the probe has not succeeded."""
        polling = polls.begin()
        assert shown(fleet) == 0
        assert value(fleet, "cln_probe_success") is None
        for number in (3, 4):
            polls.allow(number - shown(fleet), done=number)
            assert shown(fleet) == shown(fleet, "cln_kernelcare_server_last_checkin") == number
            assert value(fleet, "cln_probe_success") == 0
            assert value(fleet, "cln_probe_first_poll_ratio") == number / 10
            assert value(fleet, "cln_probe_last_run_timestamp_seconds") is None
        polls.gate.open()
        polling.result(10)
        assert shown(fleet) == 10
        assert value(fleet, "cln_probe_success") == 1
        assert value(fleet, "cln_probe_first_poll_ratio") is None

    def test_at_most_once_a_second(self, fleet: Exporting, polls: Polls) -> None:
        """What is shown changes at most once a second, and only if something shows it."""
        polls.begin()
        polls.allow(1, done=1)
        assert shown(fleet) == 1
        polls.allow(1, done=2)
        fleet.clock.advance(-0.001)
        assert shown(fleet) == 1
        assert fleet.service.is_fresh()
        fleet.clock.advance(0.001)
        assert not fleet.service.is_fresh()
        assert shown(fleet) == 2
        assert fleet.service.is_fresh()

    def test_not_ready(self, fleet: Exporting, polls: Polls) -> None:
        """Readiness waits for the end of the first poll."""
        fleet.run("status", "imunify", "patch_status", "ip_licenses")
        polling = polls.begin()
        polls.allow(9, done=9)
        assert shown(fleet) == 9
        assert page(fleet, "/-/ready").text == "not ready: 1 probes have not run yet: kernelcare of acme\n"
        polls.gate.open()
        polling.result(10)
        assert page(fleet, "/-/ready").status_code == 200

    def test_totals_are_left_out(self, fleet: Exporting, polls: Polls) -> None:
        """Numbers that need all keys are left out: of superseded servers, and of cautions."""
        for key in KEYS:
            fleet.account.kernelcare_keys[key].limit = "many"  # type: ignore[assignment] # CLN has changed
        polling = polls.begin()
        polls.allow(5, done=5)
        assert shown(fleet, "cln_kernelcare_key_servers{") == 20
        assert shown(fleet, "cln_kernelcare_key_servers_superseded") == shown(fleet, "cln_probe_cautions") == 0
        polls.gate.open()
        polling.result(10)
        assert shown(fleet, "cln_kernelcare_key_servers_superseded") == 10
        assert value(fleet, "cln_probe_cautions") == 10

    def test_ip_licenses(self, exporting: Exporting, polls: Polls) -> None:
        """The list of IP licenses is shown at once, check-ins as they come, and their histogram at the end."""
        exporting.configure("probes: {ip_licenses: {server_series: false}}")
        exporting.service.reload()
        for number in range(250):
            exporting.account.add_ip_license(f"198.51.{number // 250}.{number % 250}", 1)
        polling = polls.begin("ip_licenses")
        polls.allow(1, done=2, probe="ip_licenses")
        assert value(exporting, "cln_probe_first_poll_ratio", "ip_licenses") == 2 / 4
        used = exporting.samples("cln_ip_licenses{")
        assert [line.split()[-1] for line in used if 'registered="true"' in line] == ["250"]
        assert shown(exporting, "cln_ip_license_checkin_age_seconds_bucket") == 0
        polls.gate.open()
        polling.result(10)
        assert shown(exporting, "cln_ip_license_checkin_age_seconds_bucket") == 10

    def test_a_single_key(self, exporting: Exporting, polls: Polls) -> None:
        """A single key is shown when it has been read, and nothing before."""
        exporting.account.add_kernelcare_key(KEYS[0]).add_server("one")
        polling = polls.begin()
        wait_until(lambda: _done(exporting.target("kernelcare")) == 0, "the list")
        assert exporting.samples("cln_probe_success{") == exporting.samples("cln_kernelcare") == []
        assert json.loads(page(exporting, "/api/v1/observations/acme/kernelcare").text)["first_poll"] == {
            "done": 0,
            "total": 1,
            "noun": "key",
        }
        polls.gate.open()
        polling.result(10)
        assert (shown(exporting), value(exporting, "cln_probe_success")) == (1, 1)

    def test_another_probe_that_is_ready(self, fleet: Exporting, polls: Polls) -> None:
        """A probe that is in its first poll does not affect another that has been read."""
        fleet.account.add_imunify_key("IM1SOMENONSENCETEXT").add_server("two", ip="198.51.100.1")
        polls.allow(0, done=-1)
        polls.gate.allow(1)
        fleet.run("imunify")
        polls.begin()
        polls.allow(2, done=2)
        assert (value(fleet, "cln_probe_success"), value(fleet, "cln_probe_success", "imunify")) == (0, 1)
        assert value(fleet, "cln_probe_first_poll_ratio", "imunify") is None
        assert page(fleet, "/sd/imunify").status_code == 200
        assert page(fleet, "/sd/kernelcare").status_code == 503

    def test_the_page(self, fleet: Exporting, polls: Polls) -> None:
        """The page says how far the first poll is, lists the keys, and neither judges nor adds up."""
        for key in KEYS:  # all are full, which is a problem, and silent, which is another
            fleet.account.kernelcare_keys[key].limit = 2
            fleet.account.kernelcare_keys[key].add_server(f"old-{key}", last_checkin=fleet.clock.time() - 86400 * 2)
        polling = polls.begin()
        polls.allow(3, done=3)
        html = page(fleet).text
        assert "First poll in progress: kernelcare of acme (3 of 10 keys)" in html
        assert "3 of 10 keys read so far" in html
        assert html.count('class="badge warning"') == html.count('class="badge critical"') == 0
        assert html.count("KEY0-") == 3
        assert "KernelCare servers" not in html
        polls.gate.open()
        polling.result(10)
        assert "First poll" not in page(fleet).text
        assert "KernelCare servers" in page(fleet).text


class TestNotJudged:
    """Tests of what does not take part of the data for all of them."""

    def test_discovery(self, fleet: Exporting, polls: Polls) -> None:
        """Discovery is an error that says how far the first poll is, until it has ended."""
        polling = polls.begin()
        polls.allow(9, done=9)
        answer = page(fleet, "/sd/kernelcare")
        assert (answer.status_code, answer.text.strip()) == (
            503,
            "kernelcare of acme is incomplete: first poll: 9 of 10 keys",
        )
        polls.gate.open()
        polling.result(10)
        assert len(json.loads(page(fleet, "/sd/kernelcare").text)) == 10

    def test_json(self, fleet: Exporting, polls: Polls) -> None:
        """The JSON that checks read has the progress, and no data until the first poll has ended."""
        paths = "/api/v1/observations/acme/kernelcare", "/api/v1/observations"
        assert "first_poll" not in page(fleet, paths[0]).text
        polling = polls.begin()
        for done in (3, 4):
            polls.allow(3 if done == 3 else 1, done=done)
            assert shown(fleet) == done
            report = json.loads(page(fleet, paths[0]).text)
            (of_index,) = [
                probe for probe in json.loads(page(fleet, paths[1]).text)["probes"] if probe["probe"] == "kernelcare"
            ]
            assert report["observation"] is None
            assert report["last_run"] is None
            assert report["first_poll"] == of_index["first_poll"] == {"done": done, "total": 10, "noun": "key"}
            assert (report["read"], report["lacking"], report["missing"]) == (0, 0, [])
        polls.gate.open()
        polling.result(10)
        report = json.loads(page(fleet, paths[0]).text)
        assert "first_poll" not in report
        assert len(report["observation"]["parts"]) == 10

    def test_host_names(self, fleet: Exporting, polls: Polls) -> None:
        """Host names of servers come from complete groups only: half of them may show a name that is ambiguous."""
        fleet.configure("probes: {groups: {enabled: true}}")
        fleet.service.reload()
        for number, name in enumerate(("web", "mail")):
            server = fleet.account.kernelcare_keys[KEYS[number]].servers[f"s{number}"]
            server.hostname = "same.example.net"
            fleet.account.add_group(name).add_server(server)
        fleet.service.run(fleet.target("status"))
        polls.gate.open()
        fleet.run("kernelcare")
        polls.gate.shut()
        polling = polls.begin("groups")
        polls.allow(1, done=1, probe="groups")
        assert shown(fleet, "cln_group_server_info") == 1
        assert fleet.target("kernelcare").host_names == {}
        polls.gate.open()
        polling.result(10)
        assert fleet.target("kernelcare").host_names == {}


class TestWholeDataStay:
    """Tests that data of a complete poll are never replaced by those of a part of the keys."""

    def test_the_second_poll(self, fleet: Exporting, polls: Polls) -> None:
        """The second poll shows nothing before it has ended."""
        polls.gate.open()
        fleet.run("kernelcare")
        polls.gate.shut()
        before = fleet.metrics()
        fleet.account.kernelcare_keys[KEYS[0]].add_server("new")
        fleet.clock.advance(60)
        polling = polls.begin()
        polls.allow(9, done=9)
        assert fleet.metrics() == before
        assert page(fleet, "/sd/kernelcare").status_code == 200
        polls.gate.open()
        polling.result(10)
        assert shown(fleet, "cln_kernelcare_server_last_checkin") == 11

    def test_a_restored_state(self, fleet: Exporting, polls: Polls) -> None:
        """After a restart with a complete state, the state is shown until the first poll has ended."""
        polls.gate.open()
        fleet.run("kernelcare")
        saved = fleet.target("kernelcare").snapshot()
        assert saved is not None
        polls.gate.shut()
        target = restarted(fleet)
        target.restore(saved, fleet.clock)
        fleet.service._publish(target)
        before = fleet.metrics()
        polls.begin()
        polls.allow(5, done=5)
        assert fleet.metrics() == before
        assert (shown(fleet), value(fleet, "cln_probe_success")) == (10, 1)

    @pytest.mark.parametrize("is_complete", [True, False], ids=["complete", "incomplete"])
    def test_an_expired_state(self, is_complete: bool, fleet: Exporting, polls: Polls) -> None:
        """If the restored data have expired, keys are shown as they come, and the probe has not succeeded."""
        polls.gate.open()
        if not is_complete:
            fleet.simulator.faults.add(Fault("status", SERVER_LISTS[0], status=500, match=KEYS[0]))
        fleet.run("kernelcare")
        fleet.simulator.faults.clear()
        saved = fleet.target("kernelcare").snapshot()
        assert saved is not None
        polls.gate.shut()
        fleet.clock.advance(7200)
        target = restarted(fleet)
        target.restore(saved, fleet.clock)
        fleet.service._publish(target)
        assert shown(fleet) == 0
        polling = polls.begin()
        polls.allow(5, done=5)
        assert (shown(fleet), value(fleet, "cln_probe_success")) == (5, 0)
        assert value(fleet, "cln_probe_first_poll_ratio") == 0.5
        assert value(fleet, "cln_probe_last_run_timestamp_seconds") == saved.started_at
        polls.gate.open()
        polling.result(10)
        assert (shown(fleet), value(fleet, "cln_probe_success")) == (10, 1)


def restarted(exporting: Exporting) -> Any:
    """Forget all data of the exporter, as a restart does, and return the target of KernelCare."""
    exporting.service._apply(exporting.file.load(), exporting.service._make_targets(exporting.file.load()))
    exporting.service.targets.clear()
    exporting.service._apply(exporting.file.load(), exporting.service._make_targets(exporting.file.load()))
    return exporting.target("kernelcare")


class TestFailures:
    """Tests of first polls that do not read all keys."""

    def test_a_key_that_is_refused(self, fleet: Exporting, polls: Polls) -> None:
        """The other keys stay, also while the next poll reads them again; the probe succeeds once all are read."""
        fault = fleet.simulator.faults.add(Fault("status", SERVER_LISTS[0], status=500, match=KEYS[5]))
        polling = polls.begin()
        polls.gate.open()
        polling.result(10)
        polls.gate.shut()
        assert (shown(fleet), value(fleet, "cln_probe_success")) == (9, 0)
        assert value(fleet, "cln_probe_first_poll_ratio") is None
        assert len(json.loads(page(fleet, "/api/v1/observations/acme/kernelcare").text)["observation"]["parts"]) == 9
        fleet.simulator.faults.remove(fault)
        fleet.clock.advance(900)
        for key in KEYS:
            fleet.account.kernelcare_keys[key].add_server(f"new-{key}", ip="198.51.100.7")
        polling = polls.begin()
        polls.allow(4, done=4)
        assert shown(fleet) in {9, 10}
        assert shown(fleet, "cln_kernelcare_server_created") == shown(fleet) + 4
        assert value(fleet, "cln_probe_first_poll_ratio") is None
        assert value(fleet, "cln_probe_success") == 0
        polls.gate.open()
        polling.result(10)
        assert (shown(fleet), value(fleet, "cln_probe_success")) == (10, 1)

    def test_cln_goes_away(self, fleet: Exporting, polls: Polls) -> None:
        """If CLN fails in the middle, what was read stays until max_age."""
        fleet.simulator.faults.add(Fault("reset", after=5))  # the list, and four keys
        polls.gate.open()
        fleet.run("kernelcare")
        assert (shown(fleet), value(fleet, "cln_probe_success")) == (4, 0)
        assert page(fleet, "/sd/kernelcare").status_code == 503
        fleet.clock.advance(900)
        fleet.run("kernelcare")
        assert shown(fleet) == 4
        fleet.clock.advance(3600)
        assert shown(fleet) == 0

    def test_a_key_that_disappears(self, fleet: Exporting, polls: Polls) -> None:
        """A key that is removed between the list and its own call fails the first poll; the next one succeeds."""
        polling = polls.begin()
        wait_until(lambda: _done(fleet.target("kernelcare")) == 0, "the list")
        fleet.account.remove_kernelcare_key(KEYS[0])
        polls.gate.open()
        polling.result(10)
        assert shown(fleet) == 9
        assert value(fleet, "cln_probe_success") == 0
        fleet.run("kernelcare")
        assert (shown(fleet), value(fleet, "cln_probe_success")) == (9, 1)

    def test_data_that_expire_meanwhile(self, fleet: Exporting, polls: Polls) -> None:
        """A key that was read longer ago than max_age is not shown, however long the first poll takes."""
        fleet.configure("probes: {kernelcare: {interval: 10s, max_age: 1m}}")
        fleet.service.reload()
        polls.begin()
        polls.allow(3, done=3)
        assert shown(fleet) == 3
        fleet.clock.advance(60)
        assert shown(fleet) == 0
        polls.allow(2, done=5)
        assert shown(fleet) == 2


class TestReload:
    """Tests of reloads during a first poll."""

    def test_the_same_account(self, fleet: Exporting, polls: Polls) -> None:
        """After a reload the keys stay, and those that are read afterwards are added, by either of the two polls."""
        first = polls.begin()
        polls.allow(3, done=3)
        assert shown(fleet) == 3
        fleet.configure("concurrency: 4")
        assert fleet.service.reload() is None
        assert (shown(fleet), value(fleet, "cln_probe_first_poll_ratio")) == (3, 0.3)
        polls.allow(1, done=4)
        assert (shown(fleet), value(fleet, "cln_probe_first_poll_ratio")) == (4, 0.4)
        polls.gate.open()
        first.result(10)
        polls.gate.shut()
        fleet.clock.advance(1)
        assert shown(fleet) >= 4
        before = shown(fleet)
        second = polls.begin()
        wait_until(lambda: _done(fleet.target("kernelcare")) == 0, "the list")
        fleet.clock.advance(1)
        assert shown(fleet) == before
        polls.allow(1, done=1)
        assert shown(fleet) >= before
        assert value(fleet, "cln_probe_first_poll_ratio") == 0.1
        assert value(fleet, "cln_probe_success") == 0
        polls.gate.open()
        second.result(10)
        assert (shown(fleet), value(fleet, "cln_probe_success")) == (10, 1)

    def test_a_poll_that_fails_afterwards(self, fleet: Exporting, polls: Polls) -> None:
        """What was read before the reload stays if the poll after it fails."""
        polls.begin()
        polls.allow(3, done=3)
        assert shown(fleet) == 3
        fleet.configure("concurrency: 4")
        fleet.service.reload()
        fleet.simulator.faults.add(Fault("html", "/kcare/key/list.json"))
        fleet.service.run(fleet.target("kernelcare"))
        assert (shown(fleet), value(fleet, "cln_probe_success")) == (3, 0)
        assert page(fleet, "/sd/kernelcare").status_code == 503

    def test_another_login(self, fleet: Exporting, polls: Polls) -> None:
        """A reload with another login drops what was read with the first one."""
        polls.begin()
        polls.allow(3, done=3)
        assert shown(fleet) == 3
        fleet.file.text = fleet.file.text.replace("login: pl4nted_login", "login: other_login")
        fleet.service.reload()
        assert shown(fleet) == 0
        polls.allow(0, done=-1)
        assert fleet.samples("cln_probe_success{") == []


def test_shutdown(fleet: Exporting, polls: Polls, tmp_path: Path, idle: Callable[[Any], None]) -> None:
    """A shutdown during the first poll saves nothing of it, and a complete state that was there stays."""
    for is_complete in (True, False):
        service = Service(fleet.file.load, Redactor(), HandClock(), state=tmp_path)
        idle(service)
        service.start()
        target = service.find("acme", "kernelcare")
        assert target is not None
        fleet.service = service
        if is_complete:
            polls.gate.open()
            fleet.run("kernelcare")
            polls.gate.shut()
            service.stop()
            files = {file.name: file.read_bytes() for file in tmp_path.glob("*.state")}
            assert len(files) == 1
        else:
            polls.begin()
            polls.allow(2, done=2)
            service.stop()
            assert {file.name: file.read_bytes() for file in tmp_path.glob("*.state")} == files
