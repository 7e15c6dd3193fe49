"""The schedule of the feed: rounds, reloads, and the status for systemd."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from cln_monitor.feed import exporter_reader
from cln_monitor.feed import feeder as module
from cln_monitor.feed.config import FeedConfig, load_config
from cln_monitor.feed.feeder import Feeder
from cln_monitor.feed.sinks import SINKS, SinkType

from .demo_exporter import DemoExporter
from .recording_sink import RecordingSink

Write = Callable[..., Path]
STATUS = {"host": "cln", "service": "status", "check": "check_cln_status"}


@pytest.fixture
def sinks(monkeypatch: pytest.MonkeyPatch) -> list[RecordingSink]:
    """Replace the sinks by recording ones, and return those that are made."""
    made: list[RecordingSink] = []

    def make(name: str) -> Callable[[Any], RecordingSink]:
        def sink(_: Any) -> RecordingSink:
            made.append(RecordingSink(name))
            return made[-1]

        return sink

    kinds = {name: SinkType(name, kind.settings, make(name)) for name, kind in SINKS.items()}
    monkeypatch.setattr(module, "SINKS", kinds)
    return made


def feeder_of(exporter: DemoExporter, file: Path, alive: Callable[[str], object] = lambda _: None) -> Feeder:
    """Return a feeder whose threads do not run."""
    clock = exporter.clock
    return Feeder(lambda: load_config(file), alive, monotonic=clock.monotonic, wall=clock.time)


def deliver(feeder: Feeder) -> None:
    """Let each sink send what is due."""
    for courier in feeder.couriers.values():
        while courier.wait() == 0:
            courier.deliver()


def test_rounds(exporter: DemoExporter, write: Write, sinks: list[RecordingSink]) -> None:
    """Everything is sent once an interval, with one request per probe; missed rounds are not made up for."""
    statuses: list[str] = []
    feeder = feeder_of(exporter, write(), statuses.append)
    assert feeder.step() == 60
    deliver(feeder)
    assert [one.service for one in sinks[0].sent[0]] == ["status"]
    exporter.clock.advance(30)
    assert feeder.step() == 30
    assert len(exporter.paths) == 2  # the list of probes, and status
    exporter.clock.advance(30)
    assert feeder.step() == 60
    deliver(feeder)
    assert len(sinks[0].sent) == 2
    assert len(exporter.paths) == 4
    exporter.clock.advance(600)
    assert feeder.step() == 0
    assert feeder.step() == 60
    assert sinks[0].times[0][1] == 180
    assert statuses[-1].startswith("1 services: 1 ")


def test_reload(exporter: DemoExporter, write: Write, sinks: list[RecordingSink]) -> None:
    """A reload takes the new services, keeps unchanged sinks, and judges at once."""
    feeder = feeder_of(exporter, write())
    feeder.step()
    file = write(services=[STATUS, {**STATUS, "service": "more"}])
    feeder.reload()
    with capture_logs() as logs:
        feeder.step()
    deliver(feeder)
    assert [one.service for one in sinks[0].sent[-1]] == ["status", "more"]
    assert len(sinks) == 1
    assert [(log["event"], log["services"]) for log in logs] == [("configuration reloaded", 2)]
    write(sinks={"nagios": {"command_file": str(file)}})


def test_reload_with_other_sinks(
    exporter: DemoExporter, write: Write, sinks: list[RecordingSink], tmp_path: Path
) -> None:
    """A sink with other settings is made again, and the previous one is closed; its thread ends."""
    feeder = feeder_of(exporter, write())
    previous = feeder.couriers["checkmk"]
    (tmp_path / "other").mkdir()
    write(sinks={"checkmk": {"spool_directory": str(tmp_path / "other")}})
    assert feeder.load_again() is None
    assert len(sinks) == 2
    assert feeder.couriers["checkmk"] is not previous
    previous._run()
    assert sinks[0].is_closed
    assert not sinks[1].is_closed
    feeder.couriers["checkmk"].stop()


@pytest.mark.parametrize("change", [{"services": [STATUS, STATUS]}, {"interval": "no"}, {"sinks": {}}])
def test_a_broken_configuration_leaves_the_previous_in_use(
    exporter: DemoExporter, write: Write, sinks: list[RecordingSink], change: dict[str, Any]
) -> None:
    """A reload that fails is logged with the place, and the previous services are judged on."""
    feeder = feeder_of(exporter, write())
    previous = feeder.config
    write(**change)
    feeder.reload()
    with capture_logs() as logs:
        feeder.step()
    deliver(feeder)
    assert feeder.config is previous
    assert [one.service for one in sinks[-1].sent[-1]] == ["status"]
    assert logs[0]["event"] == "failed to reload the configuration; the previous one stays in use"
    assert next(iter(change)) in logs[0]["error"]
    assert feeder.status.startswith("the last reload failed; 1 services: ")
    write()
    feeder.reload()
    feeder.step()
    assert feeder.status.startswith("1 services: ")


def test_the_watchdog_notices_a_sink_that_hangs(
    exporter: DemoExporter, write: Write, sinks: list[RecordingSink]
) -> None:
    """If the thread of a sink has shown no life for a long time, the watchdog of systemd is no longer pinged."""
    statuses: list[str] = []
    feeder = feeder_of(exporter, write(), statuses.append)
    feeder.step()
    pings = len(statuses)
    exporter.clock.advance(91)
    feeder.step()
    assert feeder.hangs
    assert len(statuses) == pings
    feeder.couriers["checkmk"].beat_at = exporter.clock.monotonic()
    feeder.step()
    assert len(statuses) == pings + 1
    assert not sinks[0].sent
    assert statuses[-1].endswith("checkmk: 1 to send")


def test_an_internal_error_does_not_end_the_feed(
    exporter: DemoExporter, write: Write, sinks: list[RecordingSink], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A round that fails is logged, and the next one is due an interval later."""
    feeder = feeder_of(exporter, write())
    with monkeypatch.context() as patch, capture_logs() as logs:
        patch.setattr(feeder.judge, "judge_all", lambda _: 1 / 0)
        assert feeder.step() == 60
    assert logs[0]["event"] == "internal error; the services were not judged"
    exporter.clock.advance(60)
    feeder.step()
    deliver(feeder)
    assert len(sinks[0].sent) == 1


def test_an_internal_error_of_a_reload(exporter: DemoExporter, write: Write, sinks: list[RecordingSink]) -> None:
    """After any error while a configuration is loaded, the previous services are judged on."""
    file = write()
    is_broken = False

    def load() -> FeedConfig:
        if is_broken:
            raise OSError(36, "File name too long")
        return load_config(file)

    feeder = Feeder(load, monotonic=exporter.clock.monotonic, wall=exporter.clock.time)
    is_broken = True
    feeder.reload()
    with capture_logs() as logs:
        feeder.step()
    deliver(feeder)
    assert [one.service for one in sinks[-1].sent[-1]] == ["status"]
    assert [log["event"] for log in logs] == [
        "internal error; the configuration was not loaded",
        "failed to reload the configuration; the previous one stays in use",
    ]
    assert feeder.status.startswith("the last reload failed; ")


@pytest.mark.usefixtures("sinks")
def test_slow_responses_are_no_hang(exporter: DemoExporter, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """The watchdog is pinged before each request; after an interval of requests, the other services are UNKNOWN."""
    statuses: list[tuple[float, str]] = []
    monotonic = exporter.clock.monotonic

    def get(*arguments: Any, **options: Any) -> tuple[int, bytes]:
        exporter.clock.advance(25)
        return exporter.get(*arguments, **options)

    monkeypatch.setattr(exporter_reader, "get", get)
    checks = ["status", "kernelcare", "imunify", "patch_status", "ip_licenses", "els"]
    services = [
        {"host": "cln", "service": name, "check": f"check_cln_{name}", "options": {"account": "demo"}}
        for name in checks
    ]
    feeder = feeder_of(exporter, write(services=services), lambda status: statuses.append((monotonic(), status)))
    started = monotonic()
    results = {result.service: result for result in feeder.run_round()}
    assert [at - started for at, _ in statuses] == [0, 25, 50]
    assert len(exporter.paths) == 3
    slow = "UNKNOWN - the exporter at http://exporter.example.net:10099 is too slow: its responses took longer than"
    assert [name for name, result in results.items() if result.output.startswith(slow)] == checks[3:]
    assert {results[name].state for name in checks[3:]} == {3}
    feeder.run_round()
    assert len(exporter.paths) == 6


@pytest.mark.usefixtures("sinks")
def test_another_exporter_has_other_keys(exporter: DemoExporter, write: Write) -> None:
    """After a reload with another exporter, the keys of the previous one are not reported as gone."""
    per_key = {"host": "cln", "service": "{key}", "check": "check_cln_kernelcare", "per": "key"}
    feeder = feeder_of(exporter, write(services=[per_key]))
    known = feeder.judge.key_services
    write(services=[per_key], interval="2m")
    assert feeder.load_again() is None
    assert feeder.judge.key_services is known
    write(services=[per_key], exporter="http://other.example.net:10099")
    assert feeder.load_again() is None
    assert feeder.judge.key_services is not known
