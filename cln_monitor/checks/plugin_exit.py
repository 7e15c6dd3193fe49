"""The one exit of all plugins: whatever happens, one line on stdout and a code from 0 to 3, once."""

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

_SHORTEST = 4  # characters; to replace what is shorter would wreck every text and hide nothing
_MARGIN = 0.5  # seconds of --timeout that are kept to tell what was found
_PRINTING = 5.0  # seconds for output that has begun, once a deadline or a signal is to end the process


class CheckError(Exception):  # it is the check that cannot be made, not an error in the code
    """The check cannot be made, for a reason that a person can mend: a wrong option, a file that cannot be read."""


class NoResponseError(Exception):  # as above
    """Nobody answered: ``--unreachable-state`` says what that is."""


class PluginExit:
    """Ends the process. ``stage`` is what the check is doing; ``scrub`` takes secrets out of all that is printed.

    Without ``has_stdout`` nothing is printed, and the code is never that of OK.
    """

    def __init__(self, verbosity: int = 0, *, has_stdout: bool = True) -> None:
        self.stage = "starting"
        self.verbosity = verbosity
        self.scrub: Callable[[str], str] = str
        self._once = threading.RLock()  # the thread that is ending us may be interrupted, and then ends us by that
        self._code = State.UNKNOWN
        self._has_stdout = has_stdout
        self._hidden: dict[str, str] = {}
        self._ends_at = math.inf
        self._margin = 0.0

    def hide(self, secret: str, shown: str = "<secret>") -> None:
        """Print ``shown`` wherever ``secret`` would stand."""
        if len(secret) >= _SHORTEST and not shown.startswith(secret):  # else its mask has it anyway, and only once
            self._hidden[secret] = shown

    def finish(self, state: State, text: str, lines: Sequence[str] = (), perfdata: Sequence[str] = ()) -> NoReturn:
        """Print the result and end with the code of ``state``; of two that come here, the first ends the process."""
        self._end(state, lambda: render(state, text, lines, perfdata, self._without_secrets))

    def show(self, text: str) -> NoReturn:
        """Print what was asked for in place of a verdict, such as the help, and end as UNKNOWN."""
        self._end(State.UNKNOWN, lambda: text.rstrip() + "\n")

    def unusable(self, problem: str, lines: Sequence[str] = ()) -> NoReturn:
        """End as UNKNOWN, because of ``problem``."""
        self.finish(State.UNKNOWN, problem, lines)

    def failed(self, error: BaseException) -> NoReturn:
        """End as UNKNOWN, because of an ``error`` that nobody expected."""
        kind = type(error).__name__
        problem = {"KeyboardInterrupt": "interrupted", "MemoryError": "out of memory"}.get(kind)
        if isinstance(error, ImportError):
            problem = f"a module is missing, install cln-monitor again: {error}"
        self.unusable(
            problem or f"an error of the plugin while {self.stage}, see it with -vvv: {kind}: {error}",
            _trace(error) if self.verbosity >= 3 else (),
        )

    def end_after(self, seconds: float) -> None:
        """End as UNKNOWN once ``seconds`` have passed, whatever the check is doing then."""
        self._ends_at = time.monotonic() + seconds
        self._margin = min(_MARGIN, seconds / 2)
        try:
            # Which, unlike that of threading, does not wait for a thread that dies of lack of memory before it runs.
            _thread.start_new_thread(self._watch, (seconds,))
        except RuntimeError:  # there may be no more threads
            signal.signal(signal.SIGALRM, lambda *_: self._out_of_time(seconds))
            signal.setitimer(signal.ITIMER_REAL, seconds)

    def _watch(self, seconds: float) -> None:
        threading.Event().wait(seconds)
        self._out_of_time(seconds)

    def _out_of_time(self, seconds: float) -> NoReturn:
        self.unusable(f"no result within {seconds:g} s, it was still {self.stage}; see -t/--timeout")

    @property
    def left(self) -> float:
        """The seconds that are left to ask in, so that there is time to tell what came of it."""
        return max(0.0, self._ends_at - self._margin - time.monotonic())

    def _without_secrets(self, text: str) -> str:
        text = self.scrub(text)
        for secret in sorted(self._hidden, key=len, reverse=True):
            text = text.replace(secret, self._hidden[secret])
        return text

    def _end(self, state: State, make: Callable[[], str]) -> NoReturn:
        if not self._once.acquire(blocking=False):
            threading.Event().wait(_PRINTING)  # the other one is about to end us, unless nobody takes its output
            os._exit(self._code)
        code = self._code = state or State.UNKNOWN  # until it is told nobody may take it for fine
        try:
            try:
                text = make()
            except Exception as error:  # noqa: BLE001 # without a word it would be hard to find
                text = f"UNKNOWN - an error of the plugin while printing: {type(error).__name__}\n"
                code = state = State.UNKNOWN
            if self._has_stdout:
                data = text.encode(getattr(sys.stdout, "encoding", None) or "utf-8", "replace")
                while data:
                    data = data[os.write(1, data) :]
                code = state
        finally:
            # No teardown: it could print, hang on a thread that waits for CLN, or change the code.
            os._exit(code)


def _trace(error: BaseException) -> list[str]:
    import traceback  # noqa: PLC0415 # 3 ms that only an error of ours at -vvv needs

    return "".join(traceback.format_exception(error)).splitlines()
