"""Signals that would terminate a process end a plugin as UNKNOWN with a line; others do not."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cln_monitor.simulator import Fault
from tests.helpers.running import PATIENCE, wait_until

from .conftest import Cln
from .running import PLUGINS, Outcome, bare_environment, checked

pytestmark = pytest.mark.processes

ENDING = [
    *("ABRT", "ALRM", "BUS", "FPE", "HUP", "ILL", "INT", "IO", "PIPE", "PROF", "PWR", "QUIT", "SEGV", "STKFLT", "SYS"),
    *("TERM", "TRAP", "USR1", "USR2", "VTALRM", "XCPU", "XFSZ", "RTMIN", "RTMAX"),
]
"""The signals of Linux that can be caught and whose default action ends a process; see signal(7)."""

_DREAMING = """
from cln_monitor.checks.plugin_exit import PluginExit
from cln_monitor.checks.signals import end_on_signals
exit_ = PluginExit()
exit_.stage = "dreaming"
end_on_signals(exit_)
print("asleep", flush=True)
exit_.end_after(15)
while True:
    exit_._once  # busy, as a check that judges
"""


@pytest.mark.parametrize("name", ENDING)
def test_each_signal_that_ends_a_process_is_unknown(name: str) -> None:
    """A terminating signal is UNKNOWN with its name and the stage."""
    process = subprocess.Popen([sys.executable, "-c", _DREAMING], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "asleep\n"
    process.send_signal(getattr(signal, f"SIG{name}"))
    output, _ = process.communicate(timeout=PATIENCE)
    told = "interrupted while dreaming" if name == "INT" else f"terminated by SIG{name} while dreaming"
    assert (process.returncode, output) == (3, f"UNKNOWN - {told}\n")


def _interrupted(cln: Cln, *signals: int, prefix: tuple[str, ...] = ()) -> Outcome:
    """Return the outcome of a plugin that gets ``signals`` while CLN does not respond."""
    cln.simulator.faults.add(Fault("hang", "/kcare/key/servers.json"))
    process = subprocess.Popen(
        [*prefix, sys.executable, str(PLUGINS / "check_cln_kernelcare"), *cln.login, "-t", "15"],
        env=bare_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    wait_until(lambda: len(cln.simulator.requests) == 3, "the calls that hang")
    started = time.monotonic()
    for number in signals:
        process.send_signal(number)
    output, errors = process.communicate(timeout=PATIENCE)
    assert errors == b""
    return checked(process.returncode, output, time.monotonic() - started, ())


@pytest.mark.parametrize("name", ["ALRM", "HUP", "INT", "PIPE", "SEGV", "USR1"])
def test_a_signal_ends_a_plugin_that_waits_for_cln(name: str, cln: Cln) -> None:
    """A signal ends a plugin that waits for CLN immediately."""
    outcome = _interrupted(cln, getattr(signal, f"SIG{name}"))
    assert (outcome.state, outcome.lines) == ("UNKNOWN", [])
    assert "while reading kernelcare from CLN at 127.0.0.1" in outcome.text
    assert (
        outcome.text.startswith("interrupted")
        if name == "INT"
        else outcome.text.startswith(f"terminated by SIG{name} ")
    )
    assert outcome.seconds < 5


def test_a_real_time_signal_without_a_name_goes_by_its_number(cln: Cln) -> None:
    """A real-time signal without a name is reported by number."""
    assert _interrupted(cln, signal.SIGRTMIN + 5).text.startswith("terminated by SIGRTMIN+5 ")


def test_of_many_signals_the_first_is_told(cln: Cln) -> None:
    """Several signals cause only one line."""
    outcome = _interrupted(cln, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)
    assert (outcome.state, outcome.lines) == ("UNKNOWN", [])


def test_signals_that_do_not_end_a_process_do_not_end_a_plugin(cln: Cln) -> None:
    """Signals that do not terminate a process do not end a plugin."""
    outcome = _interrupted(cln, signal.SIGSTOP, signal.SIGCONT, signal.SIGWINCH, signal.SIGURG, signal.SIGTERM)
    assert outcome.text.startswith("terminated by SIGTERM ")


def test_an_ignored_signal_stays_ignored(cln: Cln) -> None:
    """A signal that the parent ignores, as nohup ignores SIGHUP, does not end a plugin."""
    ignoring = ("/bin/sh", "-c", "trap '' HUP; exec \"$@\"", "sh")
    assert _interrupted(cln, signal.SIGHUP, signal.SIGTERM, prefix=ignoring).text.startswith("terminated by SIGTERM ")


_SLOW_LIBRARY = """
import ctypes, os, signal, socket, threading
from cln_monitor.checks import entry, options
def stuck(*_):
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()
    while True:
        ctypes.CDLL(None).sleep(60)
options.parse = stuck
entry.run("check_cln_kernelcare")
"""


def test_a_signal_ends_a_plugin_whose_main_thread_is_in_a_library() -> None:
    """A signal ends a plugin that hangs in C code."""
    done = subprocess.run(
        [sys.executable, "-c", _SLOW_LIBRARY],
        env=bare_environment(),
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert checked(done.returncode, done.stdout, 0, ()).text.startswith("terminated by SIGTERM ")


def test_a_broken_connection_is_no_signal(cln: Cln) -> None:
    """A broken connection is an error of the call and not a SIGPIPE."""
    code = (
        "import os, sys\nfrom cln_monitor.checks import entry\n"
        "from cln_monitor.checks.plugins import status\nreal = status.judge\n"
        "def judge(*arguments):\n"
        "    reading, writing = os.pipe()\n    os.close(reading)\n"
        "    try:\n        os.write(writing, b'x')\n    except BrokenPipeError:\n        return real(*arguments)\n"
        "status.judge = judge\nentry.run('check_cln_status')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "--api-url", cln.url],
        env=bare_environment(),
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert checked(done.returncode, done.stdout, 0, ()).state == "OK"


def test_a_crash_is_a_crash() -> None:
    """A crash in C code terminates the process immediately."""
    code = (
        "import ctypes\nfrom cln_monitor.checks import entry\nfrom cln_monitor.checks import options\n"
        "options.parse = lambda *_: ctypes.string_at(0)\nentry.run('check_cln_status')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=bare_environment(), capture_output=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == -signal.SIGSEGV


def test_output_that_nobody_takes_does_not_keep_a_plugin(cln: Cln) -> None:
    """A signal ends a plugin whose output blocks, with the code of its result."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while os.write(writing, b"x" * 4096):
            pass
    os.set_blocking(writing, True)
    process = subprocess.Popen(
        [sys.executable, str(PLUGINS / "check_cln_kernelcare"), *cln.login, "-c", "1d"],
        env=bare_environment(),
        stdout=writing,
    )
    try:
        wait_until(lambda: _is_writing(process.pid), "the output to begin")
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 2
    finally:
        process.kill()
        process.wait()
        os.close(reading)
        os.close(writing)


def _is_writing(pid: int) -> bool:
    """Return whether the main thread of a process waits for a pipe to accept its output."""
    try:
        return "pipe_w" in Path(f"/proc/{pid}/wchan").read_text(encoding="ascii")
    except OSError:
        return False
