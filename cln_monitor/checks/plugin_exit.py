"""The only exit of all plugins: in every case one first line on stdout and a code from 0 to 3, once."""

from __future__ import annotations

import _thread
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import NoReturn

from .output import render
from .states import State

_SHORTEST = 4  # characters; replacing shorter secrets would garble every text and hide nothing
_MARGIN = 0.5  # seconds of --timeout that are reserved for printing the result
_PRINTING = 5.0  # seconds for output in progress to finish after a deadline or a signal


class CheckError(Exception):
    """The check cannot run, for a reason that the user can fix: an invalid option, or a file that cannot be read."""


class NoResponseError(Exception):
    """CLN or the exporter did not respond; ``--unreachable-state`` sets the state of the check."""


class PluginExit:
    """Ends the process with an output and an exit code.

    ``stage`` is the current activity of the check, as in "reading the options"; ``scrub`` removes secrets from all
    output. Without ``has_stdout`` nothing is printed, and the exit code is never that of OK.
    """

    def __init__(self, verbosity: int = 0, *, has_stdout: bool = True) -> None:
        self.stage = "starting"
        self.verbosity = verbosity
        self.scrub: Callable[[str], str] = str
        self._once = threading.RLock()  # reentrant: a signal may interrupt the thread that ends the process
        self._code = State.UNKNOWN
        self._has_stdout = has_stdout
        self._hidden: dict[str, str] = {}
        self._ends_at = math.inf
        self._margin = 0.0

    def hide(self, secret: str, shown: str = "<secret>") -> None:
        """Print ``shown`` instead of ``secret`` in all output."""
        if len(secret) >= _SHORTEST and not shown.startswith(secret):  # else the mask contains it, and only once
            self._hidden[secret] = shown

    def finish(self, state: State, text: str, lines: Sequence[str] = (), perfdata: Sequence[str] = ()) -> NoReturn:
        """Print the result and exit with the code of ``state``; of several threads, the first ends the process."""
        self._end(state, lambda: render(state, text, lines, perfdata, self.redacted))

    def show(self, text: str) -> NoReturn:
        """Print a text such as the help instead of a result, and exit as UNKNOWN."""
        self._end(State.UNKNOWN, lambda: text.rstrip() + "\n")

    def unknown(self, problem: str, lines: Sequence[str] = ()) -> NoReturn:
        """Exit as UNKNOWN because of ``problem``."""
        self.finish(State.UNKNOWN, problem, lines)

    def failed(self, error: BaseException) -> NoReturn:
        """Exit as UNKNOWN because of an unexpected ``error``."""
        self.unknown(self.text_of(error), _trace(error) if self.verbosity >= 3 else ())

    def text_of(self, error: BaseException) -> str:
        """Return the first line for an unexpected ``error``."""
        kind = type(error).__name__
        problem = {"KeyboardInterrupt": "interrupted", "MemoryError": "out of memory"}.get(kind)
        if isinstance(error, ImportError):
            problem = f"cannot import a module: {error}; reinstall cln-monitor"
        return problem or f"internal error while {self.stage} (use -vvv for the traceback): {kind}: {error}"

    def end_after(self, seconds: float) -> None:
        """Exit as UNKNOWN after ``seconds``, even if the check is blocked at that time."""
        self._ends_at = time.monotonic() + seconds
        self._margin = min(_MARGIN, seconds / 2)
        try:
            # Unlike threading.Thread.start, this does not wait for a thread that fails for lack of memory.
            _thread.start_new_thread(self._watch, (seconds,))
        except RuntimeError:  # there may be no more threads
            signal.signal(signal.SIGALRM, lambda *_: self._out_of_time(seconds))
            signal.setitimer(signal.ITIMER_REAL, seconds)

    def _watch(self, seconds: float) -> None:
        threading.Event().wait(seconds)
        self._out_of_time(seconds)

    def _out_of_time(self, seconds: float) -> NoReturn:
        self.unknown(f"timed out after {seconds:g} s (-t/--timeout) while {self.stage}")

    @property
    def left(self) -> float:
        """The seconds left for requests, so that there is time to print their result before the timeout."""
        return max(0.0, self._ends_at - self._margin - time.monotonic())

    def redacted(self, text: str) -> str:
        """Return ``text`` without secrets."""
        text = self.scrub(text)
        for secret in sorted(self._hidden, key=len, reverse=True):
            text = text.replace(secret, self._hidden[secret])
        return text

    def _end(self, state: State, make: Callable[[], str]) -> NoReturn:
        if not self._once.acquire(blocking=False):
            threading.Event().wait(_PRINTING)  # another thread is ending the process, unless its output blocks
            os._exit(self._code)
        code = self._code = state or State.UNKNOWN  # not OK before the output is written
        try:
            try:
                text = make()
            except Exception as error:  # noqa: BLE001 # without output the error would be hard to find
                text = f"UNKNOWN - internal error while printing the result: {type(error).__name__}\n"
                code = state = State.UNKNOWN
            if self._has_stdout:
                data = text.encode(getattr(sys.stdout, "encoding", None) or "utf-8", "replace")
                while data:
                    data = data[os.write(1, data) :]
                code = state
        finally:
            # No cleanup: it could print, hang on a thread that waits for CLN, or change the exit code.
            os._exit(code)


def _trace(error: BaseException) -> list[str]:
    import traceback  # noqa: PLC0415 # takes 3 ms and is only needed for internal errors at -vvv

    return "".join(traceback.format_exception(error)).splitlines()
