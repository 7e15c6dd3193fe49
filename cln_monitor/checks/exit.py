"""The one exit of all plugins: whatever happens, one line on stdout and a code from 0 to 3, once."""

from __future__ import annotations

import os
import sys
import threading
import traceback
from collections.abc import Callable
from typing import NoReturn

from .output import render
from .states import State


class Unusable(Exception):  # it is the check that cannot be made, not an error in the code
    """The check cannot be made, for a reason that a person can mend: a wrong option, a file that cannot be read."""


class Unreached(Exception):  # as above
    """Nobody answered: ``--unreachable-state`` says what that is."""


class Exit:
    """Ends the process. ``stage`` is what the check is doing; ``scrub`` takes secrets out of all that is printed."""

    def __init__(self) -> None:
        self.stage = "starting"
        self.verbosity = 0
        self.scrub: Callable[[str], str] = str
        self._once = threading.Lock()
        self._hidden: dict[str, str] = {}

    def hide(self, secret: str, shown: str = "<secret>") -> None:
        """Print ``shown`` wherever ``secret`` would stand."""
        if secret:
            self._hidden[secret] = shown

    def finish(self, state: State, text: str) -> NoReturn:
        """Print ``text`` and end with the code of ``state``; of two that come here, the first ends the process."""
        if not self._once.acquire(blocking=False):
            threading.Event().wait()  # the other one is about to end us
        code = int(state)
        try:
            encoding = sys.stdout.encoding or "utf-8"
            text = self.scrub(text)
            for secret, shown in self._hidden.items():
                text = text.replace(secret, shown)
            data = text.encode(encoding, "replace")
            while data:
                data = data[os.write(1, data) :]
        except (OSError, LookupError):
            code = code if code != State.OK else int(State.UNKNOWN)  # nobody reads it, so nobody may take it for fine
        # No teardown: it could print, hang on a thread that waits for CLN, or change the code.
        os._exit(code)

    def unusable(self, problem: str, lines: tuple[str, ...] = ()) -> NoReturn:
        """End as UNKNOWN, because of ``problem``."""
        self.finish(State.UNKNOWN, render(State.UNKNOWN, problem, lines))

    def failed(self, error: BaseException) -> NoReturn:
        """End as UNKNOWN, because of an ``error`` that nobody expected."""
        kind = type(error).__name__
        problem = {"KeyboardInterrupt": "interrupted", "MemoryError": "out of memory"}.get(kind)
        if isinstance(error, ImportError):
            problem = f"a module is missing, install cln-monitor again: {error}"
        trace = tuple("".join(traceback.format_exception(error)).splitlines()) if self.verbosity >= 3 else ()
        self.unusable(problem or f"an error of the plugin while {self.stage}, see it with -vvv: {kind}: {error}", trace)

    def end_after(self, seconds: float) -> None:
        """End as UNKNOWN once ``seconds`` have passed, whatever the check is doing then."""

        def watch() -> None:
            threading.Event().wait(seconds)
            self.unusable(f"no result within {seconds:g} s, it was still {self.stage}; see -t/--timeout")

        threading.Thread(target=watch, daemon=True).start()
