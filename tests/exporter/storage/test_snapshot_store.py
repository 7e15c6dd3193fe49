"""Tests of the saved state: complete after a restart, with its age, for the same account, and never blocking."""

from __future__ import annotations

import errno
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from cln_monitor.cln import Redactor
from cln_monitor.config import Config, load_config
from cln_monitor.exporter import snapshot
from cln_monitor.exporter.service import Service
from cln_monitor.exporter.storage import snapshot_store
from cln_monitor.exporter.storage.directory import StateDirectory, StateError
from cln_monitor.probes import PROBES
from cln_monitor.simulator import Fault, Simulator, serve
from tests.exporter.conftest import HandClock
from tests.helpers.running import Exporter, running_exporter, wait_until
from tests.helpers.small_cln import LOGIN, SECRETS, small_cln, write_config

Start = Callable[..., Service]


@pytest.fixture
def clock() -> HandClock:
    """A manual clock, set to the current time, of CLN and of the services; programs use the real clock."""
    clock = HandClock()
    clock.advance(time.time() - clock.time())
    return clock


@pytest.fixture
def cln(clock: HandClock) -> Simulator:
    """A simulated CLN with known values."""
    return small_cln(clock.time)


@pytest.fixture
def config(cln: Simulator, tmp_path: Path) -> Iterator[Path]:
    """A configuration that monitors the simulated CLN with all probes."""
    with serve(cln) as served:
        yield write_config(tmp_path, served.url)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """The path of the state directory."""
    return tmp_path / "state"


@pytest.fixture
def start(config: Path, directory: Path, clock: HandClock, idle: Callable[[Any], None]) -> Iterator[Start]:
    """Return a function that stops the previous service and starts another one, which does not poll on its own."""
    services: list[Service] = []

    def stop() -> None:
        for service in services:
            targets = list(service.targets.values())
            service.stop()
            for target in targets:
                target.context.client.close()
        services.clear()

    def start(load: Callable[[], Config] = lambda: load_config(config)) -> Service:
        stop()
        service = Service(load, Redactor(), clock, directory)
        services.append(service)
        idle(service)
        service.start()
        return service

    yield start
    stop()


def poll(service: Service, *probes: str) -> None:
    """Run ``probes``, by default all."""
    for target in list(service.targets.values()):
        if target.id.probe in (probes or PROBES):
            service.run(target)


def metrics(service: Service) -> list[str]:
    """Return the lines of polled data in a scrape."""
    return b"".join(service.exposition().plain(b"")).decode().splitlines()


def file_of(directory: Path, probe: str) -> Path:
    """Return the state file of a probe."""
    (file,) = directory.glob(f"{probe}-*.state")
    return file


def pipe_in_place_of(file: Path) -> None:
    """Replace ``file`` by a named pipe, which would block a reader."""
    file.unlink()
    os.mkfifo(file)


def warnings(logs: list[Any]) -> list[tuple[str, str]]:
    """Return the probe and the reason of each saved state that was ignored."""
    return [(log["probe"], log["reason"]) for log in logs if log["event"] == "saved state ignored"]


def test_the_first_scrape_after_a_restart(start: Start, cln: Simulator, clock: HandClock) -> None:
    """The first scrape after a restart equals the last one before it, even while CLN is down."""
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
    assert [(log["event"], log["age_seconds"]) for log in logs if "age_seconds" in log] == [
        ("saved state restored", 200)
    ] * len(PROBES)
    poll(service, "kernelcare")
    after = metrics(service)
    assert [line for line in after if line.startswith("cln_kernelcare_")] == [
        line for line in before if line.startswith("cln_kernelcare_")
    ]
    assert [line[-2:] for line in after if line.startswith("cln_probe_success{") and "kernelcare" in line] == [" 0"]


def test_a_failure_before_the_restart(start: Start, cln: Simulator, clock: HandClock) -> None:
    """A failed probe is still failed after a restart, with its data and the time of its last success."""
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
    assert (target.last_success, target.report().last_run) == (clock.time() - 60, clock.time())
    assert target.report().failure is not None


def test_ready_only_after_polls(start: Start) -> None:
    """Restored data do not make the exporter ready; only its own polls do, and a reload changes neither."""
    poll(start())
    service = start()
    assert len(service.not_yet_run()) == len(PROBES)
    service.reload()
    assert len(service.not_yet_run()) == len(PROBES)
    with capture_logs() as logs:
        poll(service)
    assert service.not_yet_run() == []
    assert {log["log_level"] for log in logs if log["event"] == "probe succeeded"} == {"info"}
    service.reload()
    assert service.not_yet_run() == []


def test_expired_data_are_not_restored(start: Start, clock: HandClock) -> None:
    """Expired data are dropped with a warning for each probe; the times of the last success stay."""
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
    """A saved state from the future is ignored, because its age is unknown."""
    poll(start(), "kernelcare")
    clock.advance(-3600)
    with capture_logs() as logs:
        service = start()
    assert warnings(logs) == [("kernelcare", "timestamps in the future; the clock has been set back")]
    assert not [line for line in metrics(service) if line.startswith("cln_kernelcare")]


@pytest.mark.parametrize(
    ("old", "new"),
    [(f"login: {LOGIN}", "login: other"), ("accounts:", "key_labels: full\naccounts:")],
    ids=["login", "labels"],
)
def test_another_identity(old: str, new: str, start: Start, config: Path) -> None:
    """Data of another login, or with other key labels, are not restored."""
    poll(start(), "kernelcare", "status")
    text = config.read_text()
    assert old in text
    config.write_text(text.replace(old, new))
    with capture_logs() as logs:
        service = start()
    assert warnings(logs) == [("kernelcare", "belongs to another login, API URL or key_labels setting")]
    shown = metrics(service)
    assert not [line for line in shown if line.startswith("cln_kernelcare")]
    assert [line for line in shown if line.startswith("cln_status_flag")]


def test_files_of_removed_accounts(start: Start, config: Path, directory: Path) -> None:
    """The files of an account that was removed from the configuration are deleted on a reload and on startup."""
    service = start()
    poll(service)
    text = config.read_text()
    config.write_text(text.replace("name: acme", "name: renamed"))
    service.reload()
    poll(service, "kernelcare")
    start()
    assert sorted(file.name.partition("-")[0] for file in directory.glob("*.state")) == ["kernelcare", "status"]
    config.write_text(text)
    with capture_logs() as logs:
        start()
    assert [file.name.partition("-")[0] for file in directory.glob("*.state")] == ["status"]
    assert [log["file"].partition("-")[0] for log in logs if log["event"] == "unused state removed"] == ["kernelcare"]


def test_a_file_that_cannot_be_removed(start: Start, directory: Path) -> None:
    """An unused file that cannot be removed is logged, and the others are removed."""
    start()
    (directory / f"els-{0:032x}.state").mkdir()
    (directory / f"els-{1:032x}.state").touch()
    with capture_logs() as logs:
        start()
    assert sorted(log["event"] for log in logs) == [
        "removing unused state failed",
        "unused state removed",
    ]
    assert [file.name for file in directory.glob("*.state")] == [f"els-{0:032x}.state"]


@contextmanager
def newer_version() -> Iterator[None]:
    """Write and read state files as a version with the next format does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snapshot, "FORMAT", snapshot.FORMAT + 1)
        patch.setattr(snapshot_store, "FORMAT", snapshot.FORMAT)
        yield


def contents(directory: Path) -> dict[str, bytes]:
    """Return the content of each state file by name."""
    return {file.name: file.read_bytes() for file in directory.iterdir() if ".state" in file.name}


def test_state_of_a_newer_version(start: Start, directory: Path, clock: HandClock) -> None:
    """Files in a newer format are one warning, are kept under another name, and do not stop any probe."""
    with newer_version():
        service = start()
        poll(service)
        service.stop()
        before = contents(directory)
    with capture_logs() as logs:
        service = start()
    (warning,) = [log for log in logs if log["log_level"] == "warning"]
    assert warning == {
        "event": "saved state of a newer version kept aside; starting without it",
        "log_level": "warning",
        "directory": str(directory),
        "files": len(PROBES),
        "format": snapshot.FORMAT + 1,
        "supported_format": snapshot.FORMAT,
    }
    assert not [line for line in metrics(service) if line.startswith("cln_kernelcare")]
    clock.advance(60)
    poll(service)
    with capture_logs() as logs:
        service = start()
    assert [log for log in logs if log["log_level"] == "warning"] == []
    assert [line for line in metrics(service) if line.startswith("cln_kernelcare")]
    aside = {f"{name}.format-{snapshot.FORMAT + 1}": content for name, content in before.items()}
    assert aside.items() <= contents(directory).items(), "the files of the newer version are unchanged"


def test_the_newer_version_is_back(start: Start, directory: Path, clock: HandClock) -> None:
    """The newer version uses the files kept for it, except those of probes that have run meanwhile."""
    with newer_version():
        service = start()
        poll(service)
        before = metrics(service)
        service.stop()
    clock.advance(60)
    service = start()
    poll(service, "kernelcare")
    service.stop()
    file_of(directory, "kernelcare").write_bytes(  # which the newer version reads as well
        file_of(directory, "kernelcare").read_bytes().replace(b"state 1", b"state 2", 1)
    )
    with newer_version(), capture_logs() as logs:
        service = start()
    assert [log["event"] for log in logs].count("state kept aside restored") == len(PROBES) - 1
    assert [log["file"].partition("-")[0] for log in logs if log["event"] == "unused state removed"] == ["kernelcare"]
    after = metrics(service)
    assert [line for line in after if "kernelcare" not in line] == [line for line in before if "kernelcare" not in line]
    assert [line for line in after if line.startswith("cln_probe_last_success") and "kernelcare" in line] != [
        line for line in before if line.startswith("cln_probe_last_success") and "kernelcare" in line
    ]
    assert not [name for name in contents(directory) if ".format-" in name]


def test_the_older_version_has_read_nothing(start: Start, directory: Path, cln: Simulator, clock: HandClock) -> None:
    """Files kept aside are used although the older version has saved failed runs."""
    with newer_version():
        service = start()
        poll(service)
        before = [line for line in metrics(service) if line.startswith("cln_kernelcare")]
        service.stop()
    cln.faults.add(Fault("reset"))
    clock.advance(60)
    service = start()
    poll(service)
    service.stop()
    assert len(list(directory.glob("*.state"))) == len(PROBES)
    with newer_version():
        service = start()
    assert [line for line in metrics(service) if line.startswith("cln_kernelcare")] == before
    assert not [name for name in contents(directory) if ".format-" in name]


def test_state_of_a_probe_of_a_newer_version(start: Start, directory: Path) -> None:
    """The file of a probe that this version does not have is left alone, even in a known format."""
    poll(start(), "kernelcare")
    start()
    unknown = directory / f"unheard_of-{0:032x}.state"
    unknown.write_bytes(file_of(directory, "kernelcare").read_bytes())
    with capture_logs() as logs:
        start()
    assert [log["event"] for log in logs if log["log_level"] == "warning"] == []
    assert unknown.exists()


def test_state_that_cannot_be_kept_aside(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of a newer version that cannot be renamed is ignored with its format as the reason."""
    with newer_version():
        poll(start(), "kernelcare")
        start()

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(StateDirectory, "set_aside", refuse)
    with capture_logs() as logs:
        start()
    assert warnings(logs) == [("kernelcare", "unsupported format 2, this version uses format 1")]


def test_state_kept_aside_that_cannot_be_restored(
    start: Start, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that cannot be renamed back is a warning."""
    start()
    (directory / f"kernelcare-{0:032x}.state.format-1").touch()

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(StateDirectory, "bring_back", refuse)
    with capture_logs() as logs:
        start()
    (warning,) = [log for log in logs if log["log_level"] == "warning"]
    assert (warning["event"], warning["error"]) == ("restoring state kept aside failed", "Permission denied")


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda file: file.write_bytes(b""), "empty file"),
        (lambda file: file.write_bytes(file.read_bytes()[:-1]), "corrupt: checksum mismatch"),
        (lambda file: file.write_bytes(os.urandom(1000)), "corrupt, or not a state file of cln-exporter"),
        (lambda file: (file.unlink(), file.mkdir()), "cannot be read: not a regular file"),
        (lambda file: (file.unlink(), file.symlink_to("/etc/passwd")), "symbolic links"),
        (pipe_in_place_of, "cannot be read: not a regular file"),
        (lambda file: file.write_bytes(file_of(file.parent, "status").read_bytes()), "incompatible version"),
    ],
    ids=["empty", "cut", "garbage", "directory", "link", "pipe", "another-probe"],
)
def test_a_corrupt_file(spoil: Callable[[Path], object], why: str, start: Start, directory: Path) -> None:
    """A corrupt file is a warning; the other probes are restored, and the next poll replaces the file."""
    poll(start())
    start()
    spoil(file_of(directory, "kernelcare"))
    with capture_logs() as logs:
        service = start()
    ((probe, reason),) = warnings(logs)
    assert probe == "kernelcare"
    assert why in reason
    shown = metrics(service)
    assert not [line for line in shown if line.startswith("cln_kernelcare")]
    assert [line for line in shown if line.startswith("cln_imunify")]
    if file_of(directory, "kernelcare").is_dir():
        return
    poll(service, "kernelcare")
    with capture_logs() as logs:
        service = start()
    assert warnings(logs) == []
    assert [line for line in metrics(service) if line.startswith("cln_kernelcare")]


def test_a_file_of_another_account(start: Start, config: Path, directory: Path) -> None:
    """A state file copied over that of another account is ignored."""
    other = f"  - {{name: other, login: {LOGIN}, secret_key: s3cret}}\n"
    config.write_text(config.read_text() + other)
    service = start()
    poll(service, "kernelcare")
    start()
    first, second = directory.glob("kernelcare-*")
    first.write_bytes(second.read_bytes())
    with capture_logs() as logs:
        start()
    assert warnings(logs) == [("kernelcare", "belongs to another probe")]


def test_an_unreadable_file(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unreadable state file is ignored, with the error of the system as the reason."""
    poll(start(), "kernelcare")
    service = start()
    open_ = os.open

    def refuse(path: Any, *rest: Any, **named: Any) -> int:
        if str(path).endswith(".state"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return open_(path, *rest, **named)

    monkeypatch.setattr(os, "open", refuse)
    with capture_logs() as logs:
        service = start()
    assert ("kernelcare", "cannot be read: Permission denied") in warnings(logs)
    assert not [line for line in metrics(service) if line.startswith("cln_kernelcare")]


class Full:
    """A disk on which writes fail while ``is_full``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_full = True
        fsync = os.fsync

        def write(file: int) -> None:
            if self.is_full:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            fsync(file)

        monkeypatch.setattr(os, "fsync", write)


def test_a_disk_that_is_full(start: Start, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is one warning and a metric; once there is space, the snapshots are written and that is logged."""
    monkeypatch.setattr(snapshot_store, "_BATCH_DELAY", 0.01)
    monkeypatch.setattr(snapshot_store, "_RETRY_DELAY", 0.05)
    service = start()
    disk = Full(monkeypatch)

    def failures() -> float:
        return service.counters.registry.get_sample_value("cln_exporter_state_write_failures_total") or 0.0

    with capture_logs() as logs:
        poll(service, "kernelcare")
        wait_until(lambda: failures() >= 3, "attempts to write")
        assert not list(directory.glob("*.state"))
        disk.is_full = False
        wait_until(lambda: list(directory.glob("*.state")), "the file")
        wait_until(lambda: any(log["event"] == "saving state succeeded again" for log in logs), "the log message")
    messages = [(log["event"], log.get("error")) for log in logs if log["event"].startswith("saving state")]
    full = "saving state failed; after a restart, data may be older or missing"
    assert messages == [(full, "No space left on device"), ("saving state succeeded again", None)]
    assert [line for line in metrics(service) if line.startswith("cln_kernelcare")]


def test_a_run_that_ends_during_the_last_write(start: Start, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that ends during the last write is written as well before the exporter stops."""
    monkeypatch.setattr(snapshot_store, "_BATCH_DELAY", 0.0)
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
    assert sorted(file.name.partition("-")[0] for file in directory.glob("*.state")) == ["kernelcare", "status"]


def test_a_disk_that_hangs(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that hangs blocks neither polls nor, for more than the timeout, a stop."""
    monkeypatch.setattr(snapshot_store, "_BATCH_DELAY", 0.0)
    monkeypatch.setattr(snapshot_store, "_CLOSE_TIMEOUT", 0.1)
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
    assert [log["event"] for log in logs] == ["saving state timed out on shutdown"]
    go_on.set()
    kept._writer.result(5)
    kept._directory.close()


def test_runs_are_written_in_batches(start: Start, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs that end at about the same time share one sync, and only the last run of each probe is written."""
    monkeypatch.setattr(snapshot_store, "_BATCH_DELAY", 60.0)  # on a busy machine a moment takes seconds
    service = start()
    synced: list[int] = []
    fsync = os.fsync

    def counted(file: int) -> None:
        synced.append(file)
        fsync(file)

    monkeypatch.setattr(os, "fsync", counted)
    for _ in range(5):
        poll(service)
    service.stop()
    assert len(synced) == len(PROBES) + 1
    assert len(list(directory.glob("*.state"))) == len(PROBES)


def test_no_secret_is_saved(start: Start, cln: Simulator, directory: Path) -> None:
    """Neither state files nor their names contain secrets, and other users cannot read them."""
    service = start()
    poll(service)
    for fault in (Fault("html"), Fault("status", status=401), Fault("redirect", location="http://192.0.2.9/")):
        cln.faults.add(fault)
        poll(service)
        cln.faults.clear()
    service.stop()
    files = [file for file in directory.iterdir() if file.suffix == ".state"]
    assert len(files) == len(PROBES)
    for file in files:
        assert file.stat().st_mode & 0o777 == 0o600
        for secret in SECRETS:
            assert secret.encode() not in file.read_bytes() + file.name.encode(), secret


def test_without_a_directory_nothing_is_written(config: Path, directory: Path, idle: Callable[[Any], None]) -> None:
    """Without --storage.path nothing is written."""
    service = Service(lambda: load_config(config), Redactor(), HandClock())
    idle(service)
    service.start()
    targets = list(service.targets.values())
    poll(service, "kernelcare")
    service.stop()
    for target in targets:
        target.context.client.close()
    assert not directory.exists()


def test_two_exporters_with_one_directory(start: Start, config: Path, directory: Path) -> None:
    """A second exporter with the same directory fails to start, and can be stopped without an error."""
    start()
    second = Service(lambda: load_config(config), Redactor(), HandClock(), directory)
    with pytest.raises(StateError, match="another cln-exporter uses this directory"):
        second.start()
    second.stop()


class TestTheProgram:
    """Tests of the state with the program as a process."""

    @pytest.mark.processes
    def test_restart(self, config: Path, directory: Path, cln: Simulator, tmp_path: Path) -> None:
        """After a restart while CLN hangs, the first scrape has the data and times from before."""
        arguments = (f"--config.file={config}", f"--storage.path={directory}")
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
    def test_killed(self, config: Path, directory: Path, tmp_path: Path) -> None:
        """After kills at random times in its first seconds the exporter starts, and ignores no saved state."""
        for _ in range(5):
            with running_exporter(
                tmp_path, f"--config.file={config}", environment={"STATE_DIRECTORY": f"{directory}:x"}
            ) as (exporter):
                time.sleep(random.uniform(0, 1.2))
                exporter.stop(signal.SIGKILL)
                assert "saved state ignored" not in exporter.log
        with running_exporter(tmp_path, f"--config.file={config}", f"--storage.path={directory}") as exporter:
            exporter.wait_ready()
            assert "saved state ignored" not in exporter.log
            assert "level=error" not in exporter.log
        assert len(list(directory.glob("*.state"))) == len(PROBES)
        assert not list(directory.glob(".*"))

    @pytest.mark.processes
    def test_refused(self, config: Path, directory: Path, tmp_path: Path) -> None:
        """A state directory that is in use or unusable is one line and exit code 1."""
        with running_exporter(tmp_path, f"--config.file={config}", f"--storage.path={directory}"):
            for path in (directory, config):
                with pytest.raises(AssertionError, match="it ended with 1 before"):
                    Exporter(tmp_path / "second.log", f"--config.file={config}", f"--storage.path={path}")
                (line,) = (tmp_path / "second.log").read_text().splitlines()
                assert line.startswith(f"cln-exporter: cannot save state in {path}: ")
