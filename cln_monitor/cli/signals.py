"""SIGTERM and SIGHUP in the middle of many changes: they end as Ctrl-C does, which tells what was done."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def ends_like_ctrl_c() -> Iterator[None]:
    """Raise KeyboardInterrupt for the first SIGTERM or SIGHUP; one that is ignored, as under nohup, stays ignored."""
    before = {each: signal.getsignal(each) for each in _SIGNALS}
    caught = [each for each in _SIGNALS if before[each] != signal.SIG_IGN]

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for each in caught:  # systemd sends both, and the second one would cut the report short
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    for each in caught:
        signal.signal(each, interrupt)
    try:
        yield
    finally:
        for each in caught:
            signal.signal(each, before[each])
