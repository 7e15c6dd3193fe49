"""Handling of signals that would terminate a plugin without output: it ends as UNKNOWN, with a first line."""

from __future__ import annotations

import _thread
import signal
from collections.abc import Collection

from .plugin_exit import PluginExit

_HARMLESS = frozenset(
    getattr(signal, f"SIG{name}") for name in ("CHLD", "CONT", "TSTP", "TTIN", "TTOU", "URG", "WINCH")
)
_NOT_CAUGHT = frozenset({signal.SIGKILL, signal.SIGSTOP})
_CRASHES = frozenset(getattr(signal, f"SIG{name}") for name in ("ABRT", "BUS", "FPE", "ILL", "SEGV", "SYS", "TRAP"))
_IGNORED_BY_PYTHON = frozenset({signal.SIGPIPE, signal.SIGXFSZ})


def end_on_signals(exit_: PluginExit) -> None:
    """End the process through ``exit_`` on each signal that would terminate it; call this before starting threads.

    A thread waits for the signals, so that they end a check immediately even while its main thread is blocked. SIGPIPE
    and crashes are delivered to the thread that caused them, and remain an error or a crash. Signals ignored by the
    parent process, as nohup ignores SIGHUP, stay ignored.
    """
    waited = {
        number
        for number in signal.valid_signals() - _HARMLESS - _NOT_CAUGHT
        if number in _IGNORED_BY_PYTHON or signal.getsignal(number) is not signal.SIG_IGN
    }
    signal.pthread_sigmask(signal.SIG_BLOCK, waited)
    try:
        _thread.start_new_thread(_wait, (exit_, waited))
    except (RuntimeError, MemoryError):  # no thread can be started: the main thread handles them between bytecodes
        for number in waited - _CRASHES - _IGNORED_BY_PYTHON:
            signal.signal(number, lambda number, _: _end(exit_, number))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, waited)


def _wait(exit_: PluginExit, waited: Collection[int]) -> None:
    _end(exit_, signal.sigwait(waited))


def _end(exit_: PluginExit, number: int) -> None:
    if number == signal.SIGINT:
        exit_.unknown(f"interrupted while {exit_.stage}")
    exit_.unknown(f"terminated by {_name(number)} while {exit_.stage}")


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # most real-time signals have none
        return f"SIGRTMIN+{number - signal.SIGRTMIN}"
