"""The exit of plugins: once, with all output and without secrets."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cln_monitor.checks.plugin_exit import PluginExit
from cln_monitor.checks.states import State
from tests.helpers.clock import FakeClock
from tests.helpers.running import PATIENCE

from .inside import InProcessExit, result_of
from .running import bare_environment


def ended(script: str) -> tuple[int, str, str]:
    """Return code, stdout, and stderr of a process that runs ``script`` with an exit named ``exit_``."""
    prelude = (
        "import os, signal, sys, threading, time\n"
        "from cln_monitor.checks.plugin_exit import PluginExit\n"
        "from cln_monitor.checks.states import State\n"
        "exit_ = PluginExit()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", prelude + script],
        env=bare_environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.measured
@pytest.mark.processes
def test_of_two_the_first_ends_the_process() -> None:
    """A timeout during printing neither prints a second result nor hangs."""
    script = (
        "def slow(text):\n"
        "    threading.Thread(target=exit_.unknown, args=('late',), daemon=True).start()\n"
        "    time.sleep(0.2)\n"
        "    return text\n"
        "exit_.scrub = slow\n"
        "exit_.finish(State.WARNING, 'first')\n"
    )
    assert ended(script) == (1, "WARNING - first\n", "")


@pytest.mark.measured
@pytest.mark.processes
def test_what_comes_after_the_first_waits_for_it() -> None:
    """The checking thread does not continue while the timeout ends the process."""
    script = (
        "def slow(text):\n"
        "    held.set()\n"
        "    time.sleep(0.2)\n"
        "    return text\n"
        "held = threading.Event()\n"
        "exit_.scrub = slow\n"
        "threading.Thread(target=exit_.unknown, args=('first',), daemon=True).start()\n"
        "held.wait()\n"
        "exit_.finish(State.OK, 'late')\n"
    )
    assert ended(script) == (3, "UNKNOWN - first\n", "")


@pytest.mark.measured
@pytest.mark.processes
def test_an_interrupt_while_it_ends() -> None:
    """An interrupt during the exit ends the process, and a result without output is not OK."""
    interrupted = "def interrupted(*_):\n    os.kill(os.getpid(), signal.SIGINT)\n    time.sleep(5)\n"
    assert ended(f"{interrupted}exit_.scrub = interrupted\nexit_.finish(State.OK, 'fine')\n") == (3, "", "")
    assert ended(f"{interrupted}os.write = interrupted\nexit_.finish(State.OK, 'fine')\n") == (3, "", "")
    assert ended(f"{interrupted}os.write = interrupted\nexit_.finish(State.CRITICAL, 'bad')\n") == (2, "", "")


@pytest.mark.measured
@pytest.mark.processes
def test_an_interrupt_of_whoever_waits_for_the_end() -> None:
    """An interrupt while another thread ends the process is the result."""
    script = (
        "try:\n"
        "    exit_._once.acquire()\n"
        "    raise KeyboardInterrupt\n"
        "except KeyboardInterrupt as error:\n"
        "    exit_.failed(error)\n"
    )
    assert ended(script) == (3, "UNKNOWN - interrupted\n", "")


@pytest.mark.measured
@pytest.mark.processes
def test_an_error_in_the_printing_itself() -> None:
    """An error while printing is reported on one line."""
    script = "exit_.scrub = lambda text: text.nonsense\nexit_.finish(State.OK, 'fine')\n"
    assert ended(script) == (3, "UNKNOWN - internal error while printing the result: AttributeError\n", "")


@pytest.mark.measured
@pytest.mark.processes
def test_output_in_pieces() -> None:
    """Output is complete even if a pipe accepts only a part at a time."""
    script = (
        "write = os.write\n"
        "os.write = lambda fd, data: write(fd, data[:3])\n"
        "exit_.finish(State.OK, 'fine', ['a line'])\n"
    )
    assert ended(script) == (0, "OK - fine\na line\n", "")


@pytest.mark.measured
@pytest.mark.processes
def test_a_deadline_that_is_over() -> None:
    """A timeout is UNKNOWN with the stage."""
    assert ended("exit_.stage = 'dreaming'\nexit_.end_after(0.1)\ntime.sleep(30)\n") == (
        3,
        "UNKNOWN - timed out after 0.1 s (-t/--timeout) while dreaming\n",
        "",
    )


def test_secrets_are_hidden_by_their_value() -> None:
    """Secrets are replaced in text and lines, the longest first, but not in the state."""
    exit_ = InProcessExit()
    exit_.hide("s3cret")
    exit_.hide("s3cret|and more", "<both>")
    exit_.hide("WARNING", "WA-1234")
    exit_.scrub = lambda text: text.replace("token", "<token>")
    outcome = result_of(lambda: exit_.finish(State.WARNING, "s3cret|and more, a token WARNING", ["xs3cretx"], ["a=1"]))
    assert outcome.output == "WARNING - <both>, a <token> WA-1234 | a=1\nx<secret>x\n"


@pytest.mark.parametrize("secret", ["", "O", "OK", "UNK"])
def test_what_is_too_short_to_be_a_secret(secret: str) -> None:
    """A secret of fewer than four characters is not replaced."""
    exit_ = InProcessExit()
    exit_.hide(secret, "X")
    assert result_of(lambda: exit_.unknown("OK, UNKNOWN")).output == "UNKNOWN - OK, UNKNOWN\n"


def test_what_begins_its_own_mask_is_not_masked_again() -> None:
    """A key that is the beginning of its own mask is not masked again."""
    exit_ = InProcessExit()
    exit_.hide("WsTs", "WsTs-1234abcd")
    exit_.hide("WsTs821n", "WsTs-8c7994d7")
    outcome = result_of(lambda: exit_.unknown("WsTs-1234abcd, WsTs821n"))
    assert outcome.output == "UNKNOWN - WsTs-1234abcd, WsTs-8c7994d7\n"


def test_what_is_asked_for_is_shown_as_it_is() -> None:
    """The help is printed unchanged, without a state."""
    exit_ = InProcessExit()
    assert result_of(lambda: exit_.show("usage: check_cln\n\n  -h\n\n")).output == "usage: check_cln\n\n  -h\n"


def test_errors_in_words() -> None:
    """Expected errors have a remedy, and unexpected ones a type and a stage, with a traceback at -vvv."""
    exit_ = InProcessExit()
    exit_.stage = "thinking"
    error = ZeroDivisionError("a|b\nc")
    text = "UNKNOWN - internal error while thinking (use -vvv for the traceback): ZeroDivisionError: a¦b c\n"
    assert result_of(lambda: exit_.failed(error)).output == text
    exit_.verbosity = 2
    assert result_of(lambda: exit_.failed(error)).output == text
    assert result_of(lambda: exit_.failed(KeyboardInterrupt())).output == "UNKNOWN - interrupted\n"
    assert result_of(lambda: exit_.failed(MemoryError())).output == "UNKNOWN - out of memory\n"
    assert (
        "cannot import a module: no x; reinstall cln-monitor"
        in result_of(lambda: exit_.failed(ImportError("no x"))).output
    )


def test_time_is_kept_to_tell_what_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second, or half of a shorter timeout, is reserved for the output."""
    monkeypatch.setattr("cln_monitor.checks.plugin_exit.time", FakeClock())
    exit_ = PluginExit()
    assert exit_.left == float("inf")
    exit_._ends_at, exit_._margin = 0.0, 0.0
    assert exit_.left == 0
    for seconds, left in ((100.0, 99.5), (0.8, 0.4)):
        exit_ = InProcessExit()
        exit_.end_after(seconds)
        assert exit_.left == left
