"""The program ``cln-feed``: its checks, its objects, and its life as a process."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from cln_monitor import __version__
from cln_monitor.feed import exporter_reader
from cln_monitor.feed import main as module
from cln_monitor.feed.config import FeedConfig, load_config
from cln_monitor.feed.main import main
from cln_monitor.feed.sinks import SINKS, Delivery, Outcome, SinkType
from tests.helpers.running import Program, ask, free_port, running_exporter, wait_until

from .demo_exporter import DemoExporter
from .recording_sink import RecordingSink

Write = Callable[..., Path]
PER_KEY = {"host": "cln", "service": "{key}", "check": "check_cln_kernelcare", "per": "key"}


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """--version prints name and version."""
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert not end.value.code
    assert capsys.readouterr().out == f"cln-feed {__version__}\n"


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    """--help names the commands and the default of each option that has one."""
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert not end.value.code
    out = capsys.readouterr().out
    assert "definitions {icinga2,nagios}" in out
    assert "/etc/cln-monitor/cln-feed.yml" in out.replace("\n                        ", "")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--config"], "unrecognized arguments: --config"),
        (["--web.listen-address=10098"], "invalid address '10098': use for example 127.0.0.1:10098 or :10098"),
        (["--web.listen-address=127.0.0.1:65536"], "invalid address"),
        (["definition", "nagios"], "unknown command 'definition': expected definitions"),
        (["definitions"], "definitions needs the name of a monitoring core: icinga2 or nagios"),
        (["--config.check", "--check"], "use only one of --config.check, --check and definitions"),
        (["--check", "definitions", "nagios"], "use only one of --config.check, --check and definitions"),
        (["definitions", "zabbix"], "definitions needs the name of a monitoring core: icinga2 or nagios"),
    ],
)
def test_usage(arguments: list[str], error: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake on the command line ends the program with code 1 and one line."""
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("cln-feed: ")
    assert error in line


def test_config_check(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """--config.check prints a summary, or each problem, without a request."""
    file = write()
    assert main(["--config.check", f"--config.file={file}"]) == 0
    assert capsys.readouterr().out == f"{file}: ok, 1 service, sinks: checkmk\n"
    write(interval="soon", exporter=...)
    assert main(["--config.check", f"--config.file={file}"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_check_without_a_list_of_keys(
    exporter: DemoExporter, write: Write, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys that the exporter has not read yet are a problem, not a valid list without services."""

    def get(*arguments: Any, **options: Any) -> tuple[int, bytes]:
        status, body = exporter.get(*arguments, **options)
        return status, json.dumps({**json.loads(body), "observation": None}).encode()

    monkeypatch.setattr(exporter_reader, "get", get)
    file = write(services=[{**PER_KEY, "options": {"account": "demo"}}])
    with capture_logs():
        assert main(["--check", f"--config.file={file}"]) == 1
    error = "exporter: no list of license keys for {key}: the exporter has no data of this probe yet"
    assert capsys.readouterr().err == f"cln-feed: {error}\n"


@pytest.mark.processes
def test_check_prints_nothing_else(write: Write) -> None:
    """The output of --check has the receivers alone: warnings of the log are not among them."""
    file = write(services=[PER_KEY], exporter=f"http://127.0.0.1:{free_port()}")
    done = subprocess.run(
        [sys.executable, "-m", "cln_monitor.feed", "--check", f"--config.file={file}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "checkmk: ok, 0 services\n"
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == ["cln-feed"] * 2
    assert done.returncode == 1


def test_definitions(exporter: DemoExporter, write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """Definitions have a service for each key that the exporter reports, and fail without the exporter."""
    file = write(services=[PER_KEY])
    assert main(["definitions", "icinga2", f"--config.file={file}"]) == 0
    icinga = capsys.readouterr().out
    names = re.findall(r'^object Service "(.*)" \{$', icinga, re.MULTILINE)
    assert len(names) > 3
    assert main([f"--config.file={file}", "definitions", "nagios"]) == 0
    assert re.findall(r"service_description +(.*)", capsys.readouterr().out) == names
    exporter.is_away = True
    assert main(["definitions", "icinga2", f"--config.file={file}"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("cln-feed: cannot read the license keys: request to the exporter at ")


def test_check(
    exporter: DemoExporter, write: Write, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """--check asks each receiver for the services, names those it would refuse, and sends nothing."""
    refused = Outcome(Delivery.REFUSED, "no service cln!status")
    sinks = {"checkmk": RecordingSink("checkmk"), "nagios": RecordingSink("nagios", lambda _: refused)}
    kinds = {name: SinkType(name, SINKS[name].settings, maker_of(sink)) for name, sink in sinks.items()}
    config = load_config(write())
    both: Any = dict.fromkeys(sinks, config.sinks["checkmk"])
    monkeypatch.setattr(
        module, "load_config", lambda _: FeedConfig(config.file, config.exporter, 60, both, config.services)
    )
    monkeypatch.setattr(module, "SINKS", kinds)
    assert main(["--check"]) == 1
    out, error = capsys.readouterr()
    assert out == "checkmk: ok, 1 service\n"
    assert error == "cln-feed: nagios: no service cln!status\n"
    assert not any(sink.sent for sink in sinks.values())
    assert all(sink.is_closed for sink in sinks.values())
    assert exporter.paths
    exporter.is_away = True
    assert main(["--check"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("cln-feed: exporter: request to the exporter at http://exporter.example.net:10099 failed: ")


def maker_of(sink: RecordingSink) -> Callable[[Any], RecordingSink]:
    """Return a function that makes ``sink`` of any settings."""
    return lambda _: sink


@contextmanager
def running(file: Path, *arguments: str) -> Iterator[Program]:
    """Run ``cln-feed`` with the configuration ``file``."""
    command = [sys.executable, "-m", "cln_monitor.feed", f"--config.file={file}", *arguments]
    program = Program(command, file.parent / "feed.log", {})
    try:
        yield program
    finally:
        program.stop()


@pytest.mark.processes
def test_life(write: Write, tmp_path: Path) -> None:
    """It delivers results, counts them, keeps its configuration when the new one is broken, and stops at once."""
    spool = tmp_path / "spool"
    spool.mkdir()
    port = free_port()
    kept = {"interval": "5s", "sinks": {"checkmk": {"spool_directory": str(spool)}}}
    with running_exporter(tmp_path, "--demo") as exporter:
        exporter.wait_ready()
        file = write(exporter=f"http://{exporter.address}", **kept)
        with running(file, f"--web.listen-address=127.0.0.1:{port}") as feed:
            wait_until(lambda: list(spool.iterdir()), "a spool file")
            assert "cln_feed_results_total" in ask(f"http://127.0.0.1:{port}/metrics").text
            feed.process.send_signal(signal.SIGUSR1)  # has no meaning, and does not end it
            file.write_text("exporter: [", encoding="utf-8")
            feed.process.send_signal(signal.SIGHUP)
            feed.wait_for_log("failed to reload the configuration; the previous one stays in use")
            before = delivered(port)
            wait_until(lambda: delivered(port) > before, "another result by the previous configuration")
            write(exporter=f"http://{exporter.address}", **kept)
            feed.process.send_signal(signal.SIGHUP)
            feed.wait_for_log("configuration reloaded")
            code, seconds = feed.stop()
    assert code == 0
    assert seconds < 5


def delivered(port: int) -> float:
    """Return the number of results delivered."""
    text = ask(f"http://127.0.0.1:{port}/metrics").text
    found = re.search(r'^cln_feed_results_total\{result="delivered",sink="checkmk"\} (.*)$', text, re.MULTILINE)
    assert found, text
    return float(found[1])


@pytest.mark.processes
def test_a_configuration_that_is_broken_at_the_start(write: Write) -> None:
    """The process ends with code 1 and names each problem."""
    with running(write(services=[])) as feed:
        assert feed.process.wait(60) == 1
        assert "cln-feed.yml: services: at least one is required" in feed.log
