"""What targets saw outlives the exporter: complete, as old as it is, for the same question, and never in the way."""

from __future__ import annotations

import errno
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from cln_monitor.cln import Redactor
from cln_monitor.config import Config, load_config
from cln_monitor.exporter.service import Service
from cln_monitor.exporter.storage import snapshot_store
from cln_monitor.exporter.storage.directory import StateError
from cln_monitor.probes import PROBES
from cln_monitor.simulator import Fault, Simulator, serve
from tests.exporter.conftest import HandClock
from tests.helpers.running import Exporter, running_exporter, wait_until
from tests.helpers.small_cln import LOGIN, SECRETS, small_cln, write_config

Start = Callable[..., Service]


@pytest.fixture
def clock() -> HandClock:
    """The clock of CLN and of all starts; the programs that are started have the real one, which it begins with."""
    clock = HandClock()
    clock.advance(time.time() - clock.time())
    return clock


@pytest.fixture
def cln(clock: HandClock) -> Simulator:
    """A CLN of known values."""
    return small_cln(clock.time)


@pytest.fixture
def config(cln: Simulator, tmp_path: Path) -> Iterator[Path]:
    """A configuration that watches it with all probes."""
    with serve(cln) as served:
        yield write_config(tmp_path, served.url)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the state is kept."""
    return tmp_path / "state"


@pytest.fixture
def start(config: Path, folder: Path, clock: HandClock, idle: Callable[[Any], None]) -> Iterator[Start]:
    """Start an exporter that polls when told to; the one before is stopped."""
    services: list[Service] = []

    def stop() -> None:
        for service in services:
            targets = list(service.targets.values())
            service.stop()
            for target in targets:
                target.source.client.close()
        services.clear()

    def start(load: Callable[[], Config] = lambda: load_config(config)) -> Service:
        stop()
        service = Service(load, Redactor(), clock, folder)
        services.append(service)
        idle(service)
        service.start()
        return service

    yield start
    stop()


def poll(service: Service, *probes: str) -> None:
    """Run these probes, by default all."""
    for target in list(service.targets.values()):
        if target.id.probe in (probes or PROBES):
            service.run(target)


def metrics(service: Service) -> list[str]:
    """Return what a scrape sees of polled data."""
    return b"".join(service.page().plain(b"")).decode().splitlines()


def file_of(folder: Path, probe: str) -> Path:
    """Return the file of a probe."""
    (file,) = folder.glob(f"{probe}-*.state")
    return file


def pipe_in_place_of(file: Path) -> None:
    """Put there what a reader would wait for."""
    file.unlink()
    os.mkfifo(file)


def warnings(logs: list[Any]) -> list[tuple[str, str]]:
    """Return the probe and the reason of each state that was left aside."""
    return [(log["probe"], log["reason"]) for log in logs if log["event"] == "state left aside"]


def test_the_first_scrape_after_a_restart(start: Start, cln: Simulator, clock: HandClock) -> None:
    """Is what the last one before it was, of each probe, with the times of before, though CLN does not answer."""
    service = start()
    poll(service)
    before = metrics(service)
    assert len(before) > 80
    assert {line.partition('probe="')[2] for line in before if line.startswith("cln_probe_success{")} == {
        f'{probe}"}} 1' for probe in PROBES
    }
    cln.faults.add(Fault("reset"))
    clock.advance(200)
    with capture_logs() as logs:
        service = start()
    assert metrics(service) == before
    assert [(log["event"], log["seconds_old"]) for log in logs if "seconds_old" in log] == [
        ("state restored", 200)
    ] * len(PROBES)
    poll(service, "kernelcare")
    after = metrics(service)
    assert [line for line in after if line.startswith("cln_kernelcare_")] == [
        line for line in before if line.startswith("cln_kernelcare_")
    ]
    assert [line[-2:] for line in after if line.startswith("cln_probe_success{") and "kernelcare" in line] == [" 0"]


def test_a_failure_of_before(start: Start, cln: Simulator, clock: HandClock) -> None:
    """Is still one after a restart, with the data and the time of the last success."""
    service = start()
    poll(service, "kernelcare")
    cln.faults.add(Fault("html"))
    clock.advance(60)
    poll(service, "kernelcare")
    before = metrics(service)
    service = start()
    assert metrics(service) == before
    target = service.find("acme", "kernelcare")
    assert target is not None
    assert (target.last_success, target.view().last_run) == (clock.time() - 60, clock.time())
    assert target.view().failure is not None


def test_it_is_ready_after_polls_of_its_own(start: Start) -> None:
    """What an earlier exporter saw shows nothing of whether this one can ask; a reload changes nothing of that."""
    poll(start())
    service = start()
    assert len(service.untried()) == len(PROBES)
    service.reload()
    assert len(service.untried()) == len(PROBES)
    with capture_logs() as logs:
        poll(service)
    assert service.untried() == []
    assert {log["log_level"] for log in logs if log["event"] == "probe succeeded"} == {"info"}
    service.reload()
    assert service.untried() == []


def test_what_is_too_old_goes(start: Start, clock: HandClock) -> None:
    """A probe at a time, with a warning; the times stay, and say how long it was."""
    service = start()
    poll(service)
    success = [line for line in metrics(service) if line.startswith("cln_probe_last_success")]
    clock.advance(3601)
    with capture_logs() as logs:
        service = start()
    old = {probe for probe, why in warnings(logs) if why.endswith("parts are older than max_age")}
    assert old == {"status", "kernelcare", "imunify"}
    shown = metrics(service)
    assert not [line for line in shown if line.startswith(("cln_status", "cln_kernelcare", "cln_imunify"))]
    assert [line for line in shown if line.startswith("cln_ip_licenses")]
    assert [line for line in shown if line.startswith("cln_probe_last_success")] == success


def test_a_clock_that_was_set_back(start: Start, clock: HandClock) -> None:
    """What is of the future is left aside, as its age cannot be told."""
    poll(start(), "kernelcare")
    clock.advance(-3600)
    with capture_logs() as logs:
        service = start()
    assert warnings(logs) == [("kernelcare", "it is of the future; the clock has been set back")]
    assert not [line for line in metrics(service) if line.startswith("cln_kernelcare")]


@pytest.mark.parametrize(
    ("old", "new"),
    [(f"login: {LOGIN}", "login: other"), ("accounts:", "key_labels: full\naccounts:")],
    ids=["login", "labels"],
)
def test_another_question(old: str, new: str, start: Start, config: Path) -> None:
    """What somebody else saw, or under other names, is not shown."""
    poll(start(), "kernelcare", "status")
    text = config.read_text()
    assert old in text
    config.write_text(text.replace(old, new))
    with capture_logs() as logs:
        service = start()
    assert warnings(logs) == [("kernelcare", "it is of another login, API or form of the keys' labels")]
    shown = metrics(service)
    assert not [line for line in shown if line.startswith("cln_kernelcare")]
    assert [line for line in shown if line.startswith("cln_status_flag")]


def test_nothing_stays_of_what_is_removed(start: Start, config: Path, folder: Path) -> None:
    """An account that the configuration has no more leaves no file: at a reload, or when it went while we were off."""
    service = start()
    poll(service)
    text = config.read_text()
    config.write_text(text.replace("name: acme", "name: renamed"))
    service.reload()
    poll(service, "kernelcare")
    start()
    assert sorted(file.name.partition("-")[0] for file in folder.glob("*.state")) == ["kernelcare", "status"]
    config.write_text(text)
    with capture_logs() as logs:
        start()
    assert [file.name.partition("-")[0] for file in folder.glob("*.state")] == ["status"]
    assert [log["file"].partition("-")[0] for log in logs if log["event"].startswith("state removed")] == ["kernelcare"]


def test_what_cannot_be_removed(start: Start, folder: Path) -> None:
    """Is told, and stops neither the start nor the removal of the rest."""
    start()
    (folder / f"els-{0:032x}.state").mkdir()
    (folder / f"els-{1:032x}.state").touch()
    with capture_logs() as logs:
        start()
    assert sorted(log["event"] for log in logs) == [
        "state of nothing not removed",
        "state removed, as nothing asks for it any more",
    ]
    assert [file.name for file in folder.glob("*.state")] == [f"els-{0:032x}.state"]


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda file: file.write_bytes(b""), "it is empty"),
        (lambda file: file.write_bytes(file.read_bytes()[:-1]), "it is damaged"),
        (lambda file: file.write_bytes(os.urandom(1000)), "it is damaged, or no state of an exporter"),
        (lambda file: (file.unlink(), file.mkdir()), "it cannot be read (it is no file)"),
        (lambda file: (file.unlink(), file.symlink_to("/etc/passwd")), "symbolic links"),
        (pipe_in_place_of, "it cannot be read (it is no file)"),
        (lambda file: file.write_bytes(file_of(file.parent, "status").read_bytes()), "another version"),
    ],
    ids=["empty", "cut", "garbage", "folder", "link", "pipe", "another-probe"],
)
def test_damaged(spoil: Callable[[Path], object], why: str, start: Start, folder: Path) -> None:
    """A warning, and the start goes on; the other probes come back, and the next poll mends the file."""
    poll(start())
    start()
    spoil(file_of(folder, "kernelcare"))
    with capture_logs() as logs:
        service = start()
    ((probe, reason),) = warnings(logs)
    assert probe == "kernelcare"
    assert why in reason
    shown = metrics(service)
    assert not [line for line in shown if line.startswith("cln_kernelcare")]
    assert [line for line in shown if line.startswith("cln_imunify")]
    if file_of(folder, "kernelcare").is_dir():
        return
    poll(service, "kernelcare")
    with capture_logs() as logs:
        service = start()
    assert warnings(logs) == []
    assert [line for line in metrics(service) if line.startswith("cln_kernelcare")]


def test_of_another_account(start: Start, config: Path, folder: Path) -> None:
    """A file that somebody copied over that of another account is not shown for it."""
    other = f"  - {{name: other, login: {LOGIN}, secret_key: s3cret}}\n"
    config.write_text(config.read_text() + other)
    service = start()
    poll(service, "kernelcare")
    start()
    first, second = folder.glob("kernelcare-*")
    first.write_bytes(second.read_bytes())
    with capture_logs() as logs:
        start()
    assert warnings(logs) == [("kernelcare", "it is of another probe")]


def test_a_file_that_may_not_be_read(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is left aside with the reason that the system gives."""
    poll(start(), "kernelcare")
    service = start()
    open_ = os.open

    def barred(path: Any, *rest: Any, **named: Any) -> int:
        if str(path).endswith(".state"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return open_(path, *rest, **named)

    monkeypatch.setattr(os, "open", barred)
    with capture_logs() as logs:
        service = start()
    assert ("kernelcare", "it cannot be read (Permission denied)") in warnings(logs)
    assert not [line for line in metrics(service) if line.startswith("cln_kernelcare")]


class Full:
    """A disk that takes nothing while ``is_full``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_full = True
        fsync = os.fsync

        def write(file: int) -> None:
            if self.is_full:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            fsync(file)

        monkeypatch.setattr(os, "fsync", write)


def test_a_disk_that_is_full(start: Start, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One warning, a metric, polls go on; once there is room, what was not written is, and the log says so."""
    monkeypatch.setattr(snapshot_store, "_GATHER", 0.01)
    monkeypatch.setattr(snapshot_store, "_RETRY", 0.05)
    service = start()
    disk = Full(monkeypatch)

    def failures() -> float:
        return service.counters.registry.get_sample_value("cln_exporter_state_write_failures_total") or 0.0

    with capture_logs() as logs:
        poll(service, "kernelcare")
        wait_until(lambda: failures() >= 3, "attempts to write")
        assert not list(folder.glob("*.state"))
        disk.is_full = False
        wait_until(lambda: list(folder.glob("*.state")), "the file")
        wait_until(lambda: any(log["event"] == "state is written again" for log in logs), "the log to say so")
    told = [(log["event"], log.get("error")) for log in logs if log["event"].startswith("state")]
    full = "state not written; a restart would show older data, or none"
    assert told == [(full, "No space left on device"), ("state is written again", None)]
    assert [line for line in metrics(service) if line.startswith("cln_kernelcare")]


def test_a_run_that_ends_during_the_last_write(start: Start, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is written as well before the exporter has stopped."""
    monkeypatch.setattr(snapshot_store, "_GATHER", 0.0)
    service = start()
    writing, go_on = threading.Event(), threading.Event()
    fsync = os.fsync

    def slowly(file: int) -> None:
        writing.set()
        assert go_on.wait(5)
        fsync(file)

    monkeypatch.setattr(os, "fsync", slowly)
    poll(service, "status")
    assert writing.wait(5)
    poll(service, "kernelcare")
    kept = service._state
    assert kept is not None
    kept._stopping.set()
    go_on.set()
    service.stop()
    assert sorted(file.name.partition("-")[0] for file in folder.glob("*.state")) == ["kernelcare", "status"]


def test_a_disk_that_hangs(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Holds up neither polls nor, for long, a stop."""
    monkeypatch.setattr(snapshot_store, "_GATHER", 0.0)
    monkeypatch.setattr(snapshot_store, "_LAST_WRITE", 0.1)
    service = start()
    go_on = threading.Event()
    monkeypatch.setattr(os, "fsync", lambda _: go_on.wait(20))
    poll(service)
    kept = service._state
    assert kept is not None
    assert kept._writer is not None
    started = time.monotonic()
    with capture_logs() as logs:
        service.stop()
    assert time.monotonic() - started < 15  # the disk takes 20
    assert [log["event"] for log in logs] == ["last state not written, the disk takes too long"]
    go_on.set()
    kept._writer.result(5)
    kept._folder.close()


def test_many_runs_are_one_write(start: Start, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What ends in the same moment is written together, and of a probe that ran often only the last run."""
    monkeypatch.setattr(snapshot_store, "_GATHER", 60.0)  # on a busy machine a moment takes seconds
    service = start()
    settled: list[int] = []
    fsync = os.fsync

    def counted(file: int) -> None:
        settled.append(file)
        fsync(file)

    monkeypatch.setattr(os, "fsync", counted)
    for _ in range(5):
        poll(service)
    service.stop()
    assert len(settled) == len(PROBES) + 1
    assert len(list(folder.glob("*.state"))) == len(PROBES)


def test_no_secret_is_in_it(start: Start, cln: Simulator, folder: Path) -> None:
    """Neither after good runs nor after bad ones, nor in the names; and nobody else can read it."""
    service = start()
    poll(service)
    for fault in (Fault("html"), Fault("status", status=401), Fault("redirect", location="http://192.0.2.9/")):
        cln.faults.add(fault)
        poll(service)
        cln.faults.clear()
    service.stop()
    files = [file for file in folder.iterdir() if file.suffix == ".state"]
    assert len(files) == len(PROBES)
    for file in files:
        assert file.stat().st_mode & 0o777 == 0o600
        for secret in SECRETS:
            assert secret.encode() not in file.read_bytes() + file.name.encode(), secret


def test_without_a_folder_nothing_is_written(config: Path, folder: Path, idle: Callable[[Any], None]) -> None:
    """It is asked for, or it is not done."""
    service = Service(lambda: load_config(config), Redactor(), HandClock())
    idle(service)
    service.start()
    targets = list(service.targets.values())
    poll(service, "kernelcare")
    service.stop()
    for target in targets:
        target.source.client.close()
    assert not folder.exists()


def test_two_exporters_on_one_folder(start: Start, config: Path, folder: Path) -> None:
    """The second does not start; a stop that follows is no error."""
    start()
    second = Service(lambda: load_config(config), Redactor(), HandClock(), folder)
    with pytest.raises(StateError, match="another cln-exporter keeps its state there"):
        second.start()
    second.stop()


class TestTheProgram:
    """As it is run."""

    @pytest.mark.processes
    def test_restart(self, config: Path, folder: Path, cln: Simulator, tmp_path: Path) -> None:
        """SIGTERM, CLN goes away, a start: the first scrape has all that was there, and its times."""
        arguments = (f"--config.file={config}", f"--storage.path={folder}")
        with running_exporter(tmp_path, *arguments) as exporter:
            exporter.wait_ready()
        cln.faults.add(Fault("hang"))
        with running_exporter(tmp_path, *arguments) as exporter:
            shown = exporter.metrics()
            assert exporter.ask("/-/ready").status == 503
        for probe in PROBES:
            assert f'probe="{probe}"}} 1\n' in shown.replace("cln_probe_success", "")
        assert "cln_kernelcare_server_last_checkin_timestamp_seconds{" in shown

    @pytest.mark.processes
    def test_killed(self, config: Path, folder: Path, tmp_path: Path) -> None:
        """Five times, at any moment of its first seconds: it starts again, and leaves nothing aside."""
        for _ in range(5):
            with running_exporter(
                tmp_path, f"--config.file={config}", environment={"STATE_DIRECTORY": f"{folder}:x"}
            ) as (exporter):
                time.sleep(random.uniform(0, 1.2))
                exporter.stop(signal.SIGKILL)
                assert "state left aside" not in exporter.log
        with running_exporter(tmp_path, f"--config.file={config}", f"--storage.path={folder}") as exporter:
            exporter.wait_ready()
            assert "state left aside" not in exporter.log
            assert "level=error" not in exporter.log
        assert len(list(folder.glob("*.state"))) == len(PROBES)
        assert not list(folder.glob(".*"))

    @pytest.mark.processes
    def test_refused(self, config: Path, folder: Path, tmp_path: Path) -> None:
        """A folder in use or of no use is one line, and exit code 1."""
        with running_exporter(tmp_path, f"--config.file={config}", f"--storage.path={folder}"):
            for path in (folder, config):
                with pytest.raises(AssertionError, match="it ended with 1 before"):
                    Exporter(tmp_path / "second.log", f"--config.file={config}", f"--storage.path={path}")
                (line,) = (tmp_path / "second.log").read_text().splitlines()
                assert line.startswith(f"cln-exporter: cannot keep state in {path}: ")
