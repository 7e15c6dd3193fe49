"""The memory allocator of the C library, set up for a process that replaces large objects on each poll."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # of mallopt(3)
_LARGE = 2 << 20  # bytes; the pieces of a response are smaller, and each page of a new mapping costs a fault
_SPARE = 8 << 20  # bytes at the end of the heap that stay until `release_free_memory`
_ARENAS = 2


def set_up_allocator() -> None:
    """Let memory of large objects go back to the system as soon as they are freed.

    By default, the GNU C library raises its limit for such objects each time one is freed, up to 32 MiB. The next ones
    then share the heap with small objects, which keep it from shrinking. Other C libraries are left as they are.
    """
    if mallopt := _function("mallopt"):
        mallopt(_M_MMAP_THRESHOLD, _LARGE)
        mallopt(_M_TRIM_THRESHOLD, _SPARE)
        mallopt(_M_ARENA_MAX, _ARENAS)


def release_free_memory() -> None:
    """Return free memory of the heap to the system; call this after much has been freed."""
    if malloc_trim := _function("malloc_trim"):
        malloc_trim(0)


def _function(name: str) -> Callable[..., int] | None:
    """Return a function of the C library, or None if it has none of this name, as musl does not."""
    function: Callable[..., int] | None = getattr(_libc, name, None)
    return function


_libc = ctypes.CDLL(None)
