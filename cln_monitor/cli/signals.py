"""SIGTERM and SIGHUP during a series of changes: they act as Ctrl-C does, which reports what was done."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def ends_like_ctrl_c() -> Iterator[None]:
    """Raise KeyboardInterrupt for the first SIGTERM or SIGHUP; an ignored signal, as under nohup, stays ignored."""
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    caught = [number for number in _SIGNALS if before[number] != signal.SIG_IGN]

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for number in caught:  # systemd sends both, and the second one would cut the report short
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in caught:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number in caught:
            signal.signal(number, before[number])
