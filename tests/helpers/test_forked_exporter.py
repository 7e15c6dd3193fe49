"""Tests of forked exporters: they do not differ from executed ones."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.helpers.forked_exporter import ForkedExporter, can_be_forked
from tests.helpers.running import CLN_EXPORTER, Exporter, running_exporter

EXECUTED = [str(CLN_EXPORTER)]


def state_of(exporter: Exporter) -> Mapping[str, object]:
    """Return what the system says of the process: its signals, directory, streams, limits and privileges."""
    process = Path("/proc") / str(exporter.process.pid)
    lines = (process / "status").read_text().splitlines()
    return {
        "status": [line for line in lines if re.match(r"Umask|Uid|Gid|Sig(Blk|Ign|Cgt)|Cap|NoNewPrivs|Seccomp:", line)],
        "directory": (process / "cwd").readlink(),
        "streams": [(process / "fd" / number).readlink() for number in "012"],
        "limits": (process / "limits").read_text(),
    }


def messages_of(exporter: Exporter) -> list[str]:
    """Return the messages of the log until the exporter listens."""
    messages: list[str] = re.findall(r"\bmsg=(\"[^\"]*\"|\S+)", exporter.log)
    return messages[: messages.index("listening") + 1]


@pytest.mark.processes
@pytest.mark.parametrize(("how", "code"), [(signal.SIGTERM, 0), (signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 0)])
def test_a_forked_exporter_is_like_an_executed_one(how: signal.Signals, code: int, tmp_path: Path) -> None:
    """The state of the process, its log, its pages and its exit codes are the same."""
    found = []
    for program in (None, EXECUTED):
        with running_exporter(tmp_path, "--demo", environment={"CLN_PLANTED": "1"}, program=program) as exporter:
            assert isinstance(exporter.process, subprocess.Popen if program else ForkedExporter)
            exporter.wait_ready()
            names = sorted(set(re.findall(r"^# TYPE .*", exporter.metrics(), re.MULTILINE)))
            found.append((state_of(exporter), messages_of(exporter), names, exporter.stop(how)[0]))
    forked, executed = found
    assert forked == executed
    assert executed[-1] == code


@pytest.mark.processes
@pytest.mark.parametrize("program", [None, EXECUTED], ids=["forked", "executed"])
def test_a_wrong_option(program: Sequence[str] | None, tmp_path: Path) -> None:
    """An exporter that ends at once fails with its exit code and its output."""
    with pytest.raises(AssertionError, match=r"it ended with 1 before .*\n.*no-such-file"):
        Exporter(tmp_path / "exporter.log", "--config.file=no-such-file.yml", program=program)


@pytest.mark.parametrize("name", ["LD_PRELOAD", "PYTHONDEVMODE", "LANG", "LC_ALL", "MALLOC_ARENA_MAX"])
def test_what_is_read_at_the_start(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exporter with a variable that is read when a program is executed is not forked; nor is a measured one."""
    assert can_be_forked({"CLN_API_URL": "x"})
    assert not can_be_forked({name: "x"})
    monkeypatch.setenv("COVERAGE_PROCESS_CONFIG", "x")
    assert not can_be_forked({})
