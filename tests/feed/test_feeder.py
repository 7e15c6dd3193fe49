"""The schedule of the feed: rounds, reloads, and the status for systemd."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from cln_monitor.feed import feeder as module
from cln_monitor.feed.config import load_config
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
    assert statuses[0].startswith("1 services: 1 ")


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
    assert len(statuses) == 1
    exporter.clock.advance(91)
    feeder.step()
    assert feeder.hangs
    assert len(statuses) == 1
    feeder.couriers["checkmk"].beat_at = exporter.clock.monotonic()
    feeder.step()
    assert len(statuses) == 2
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
