"""Programs started with standard streams that are closed, full, or read by nobody."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

SUBSETS = [set(some) for count in range(1, 4) for some in itertools.combinations(range(3), count)]
"""Each choice of one or more of the descriptors 0, 1 and 2."""


def without(streams: set[int], command: Sequence[str]) -> list[str]:
    """Return a command that runs ``command`` with the descriptors ``streams`` closed."""
    closed = " ".join(f"{number}>&-" for number in sorted(streams))
    return ["/bin/sh", "-c", f'exec "$@" {closed}', "sh", *command]


@contextlib.contextmanager
def unwritable(how: str) -> Iterator[IO[Any] | int]:
    """Give a file that takes no output: ``full`` as a disk may be, or ``gone`` as the reader of a pipe may be."""
    if how == "full":
        with Path("/dev/full").open("wb") as full:
            yield full
        return
    reading, writing = os.pipe()
    os.close(reading)
    try:
        yield writing
    finally:
        os.close(writing)
