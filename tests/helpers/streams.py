"""Programs with standard streams that are closed, full, or without a reader."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

SUBSETS = [set(subset) for count in range(1, 4) for subset in itertools.combinations(range(3), count)]
"""Each choice of one or more of the descriptors 0, 1 and 2."""


def without(streams: set[int], command: Sequence[str]) -> list[str]:
    """Return a command that runs ``command`` with the descriptors ``streams`` closed."""
    closed = " ".join(f"{number}>&-" for number in sorted(streams))
    return ["/bin/sh", "-c", f'exec "$@" {closed}', "sh", *command]


@contextlib.contextmanager
def unwritable(how: str) -> Iterator[IO[Any] | int]:
    """Yield a file that cannot be written: ``full``, as a disk, or ``gone``, as a pipe without a reader."""
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
