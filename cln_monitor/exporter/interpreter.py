"""What is set of the interpreter for a process that holds a large fleet."""

from __future__ import annotations

import gc

_ALLOCATIONS = 10_000  # an observation has no cycles, and to look for some all the time takes a tenth of a poll


def set_up_interpreter() -> None:
    """Look for garbage less often, and not in what was imported; call it once all is."""
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS)
