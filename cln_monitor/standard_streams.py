"""Open the standard streams of a process that was started without some of them."""

from __future__ import annotations

import os
import sys

_STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def open_missing() -> frozenset[int]:
    """Open ``/dev/null`` on each of the descriptors 0, 1 and 2 that is closed, and return their numbers.

    Otherwise the next file or socket would get such a number, and output would be written into it: call this before
    anything else is opened. ``sys.stdin``, ``sys.stdout`` and ``sys.stderr`` are files afterward, never None.
    """
    missing = frozenset(number for number in range(3) if not _is_open(number))
    for number in sorted(missing):
        opened = os.open(os.devnull, os.O_RDWR)  # gets the lowest free number
        os.set_inheritable(opened, True)
        name, mode = _STREAMS[number]
        setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 # open until the process ends
    return missing


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
