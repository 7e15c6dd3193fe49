"""Signals that would end a plugin without output: each ends it as UNKNOWN, with the usual line."""

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
    """End by ``exit_`` on each signal whose default action ends a process; call it before threads are started.

    A thread waits for them, so that they end a check at once whatever its main thread is waiting for. A write to a
    closed connection and a crash go to the thread that caused them, and so stay what they are: an error, and a crash.
    What whoever started the plugin ignores, as nohup does SIGHUP, stays ignored.
    """
    waited = {
        number
        for number in signal.valid_signals() - _HARMLESS - _NOT_CAUGHT
        if number in _IGNORED_BY_PYTHON or signal.getsignal(number) is not signal.SIG_IGN
    }
    signal.pthread_sigmask(signal.SIG_BLOCK, waited)
    try:
        _thread.start_new_thread(_wait, (exit_, waited))
    except (RuntimeError, MemoryError):  # no thread can be started: the main thread handles them, between two steps
        for number in waited - _CRASHES - _IGNORED_BY_PYTHON:
            signal.signal(number, lambda number, _: _end(exit_, number))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, waited)


def _wait(exit_: PluginExit, waited: Collection[int]) -> None:
    _end(exit_, signal.sigwait(waited))


def _end(exit_: PluginExit, number: int) -> None:
    if number == signal.SIGINT:
        exit_.unusable(f"interrupted while {exit_.stage}")
    exit_.unusable(f"ended by a signal while {exit_.stage} ({_name(number)})")


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # most real-time signals have none
        return f"SIGRTMIN+{number - signal.SIGRTMIN}"
