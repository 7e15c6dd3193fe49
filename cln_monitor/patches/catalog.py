"""What is known about patches: what a patch fixes never changes and is read once; the newest level is read again."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TypeVar

import msgspec

from cln_monitor.cln.errors import ClnError, RateLimitedError, TimedOutError, UnreachableError
from cln_monitor.cln.http.deadline import Deadline

from .live_patch import LivePatch
from .server import PatchServer

T = TypeVar("T")

_MOST_REQUESTS = 1000  # of one reading; a fleet has tens of patches, and the next reading continues

_OUTAGE = (RateLimitedError, TimedOutError, UnreachableError)


class PatchReading(msgspec.Struct, frozen=True):
    """What is known about the patches of a fleet after a reading.

    ``patches`` is by kernel id and level, without those that are unknown; ``newest`` is the newest level by kernel id.
    ``problems`` say what could not be read, one text each.
    """

    patches: Mapping[tuple[str, int], LivePatch]
    newest: Mapping[str, int]
    problems: tuple[str, ...] = ()


class PatchCatalog:
    """Reads patches from ``server`` and remembers them; ``known`` are those that were read earlier. Thread-safe."""

    def __init__(self, server: PatchServer, known: Iterable[LivePatch] = ()) -> None:
        self._server = server
        self._lock = threading.Lock()
        self._patches = {(patch.kernel_id, patch.level): patch for patch in known}
        self._newest: dict[str, tuple[float, int]] = {}

    def remember(self, known: Iterable[LivePatch]) -> None:
        """Add patches that were read earlier, such as before a restart."""
        with self._lock:
            for patch in known:
                self._patches.setdefault((patch.kernel_id, patch.level), patch)

    def read(
        self, loaded: Collection[tuple[str, int]], deadline: Deadline, *, newest_max_age: float = 0.0
    ) -> PatchReading:
        """Return what is known about the patches ``loaded``, by kernel id and level, and about their kernels.

        Patches that are not known yet are read, except those of level 0, which means no patch; and so are newest levels
        older than ``newest_max_age`` seconds. A failure is a problem of the result and is never raised; after one that
        the next request would share, such as a timeout, no more requests are sent.
        """
        # One reading at a time: another one of the same kernels then finds them here.
        if not self._lock.acquire(timeout=min(deadline.left(), threading.TIMEOUT_MAX)):
            return PatchReading({}, {}, ("timed out waiting for another reading of the patch server",))
        try:
            requests = _Requests()
            patches = {
                (kernel_id, level): patch
                for kernel_id, level in sorted(set(loaded))
                if level > 0 and (patch := self._patch(kernel_id, level, requests, deadline)) is not None
            }
            newest = {
                kernel_id: level
                for kernel_id in sorted({kernel_id for kernel_id, _ in loaded})
                if (level := self._newest_level(kernel_id, newest_max_age, requests, deadline)) is not None
            }
        finally:
            self._server.close()  # no connection is kept until the next reading
            self._lock.release()
        return PatchReading(patches, newest, tuple(requests.problems))

    def _patch(self, kernel_id: str, level: int, requests: _Requests, deadline: Deadline) -> LivePatch | None:
        patch = self._patches.get((kernel_id, level))
        if patch is None:
            patch = requests.send(lambda: self._server.patch(kernel_id, level, deadline))
            if patch is not None:
                self._patches[kernel_id, level] = patch
        return patch

    def _newest_level(self, kernel_id: str, max_age: float, requests: _Requests, deadline: Deadline) -> int | None:
        now = self._server.clock.monotonic()
        read_at, level = self._newest.get(kernel_id, (-math.inf, 0))
        if now - read_at < max_age:
            return level
        newest = requests.send(lambda: self._server.newest_level(kernel_id, deadline))
        if newest is not None:
            self._newest[kernel_id] = (now, newest)
        return newest


class _Requests:
    """The requests of one reading, up to a maximum, and the ``problems`` of those that failed."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._is_out = False
        self._sent = 0

    def send(self, read: Callable[[], T | None]) -> T | None:
        """Return ``read()``, or None if it fails, or if an earlier one failed in a way that this one would, too."""
        if not self._is_out and self._sent == _MOST_REQUESTS:
            self.problems.append(f"{_MOST_REQUESTS} requests were sent to the patch server; the next poll continues")
            self._is_out = True
        if self._is_out:
            return None
        self._sent += 1
        try:
            return read()
        except ClnError as error:
            self.problems.append(str(error))
            self._is_out = isinstance(error, _OUTAGE)
            return None
