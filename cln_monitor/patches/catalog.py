"""What is known about patches: what a patch fixes never changes and is read once; the newest level is read again."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping

import msgspec

from cln_monitor.cln.errors import ClnError, RateLimitedError, TimedOutError, UnreachableError
from cln_monitor.cln.http.deadline import Deadline

from .live_patch import LivePatch
from .server import PatchServer

_MOST_REQUESTS = 1000  # of one reading; a fleet has tens of patches, and the next reading continues
_ABSENT_MAX_AGE = 3600.0  # seconds until a patch is requested again that the server did not know

_OUTAGE = (RateLimitedError, TimedOutError, UnreachableError)
_MOST_SERVER_ERRORS = 3  # in a row, of three attempts each: then the server is down, and not one of its files broken


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
        self._absent: dict[tuple[str, int], float] = {}
        self._newest: dict[str, tuple[float, int | None]] = {}

    def remember(self, known: Iterable[LivePatch]) -> None:
        """Add patches that were read earlier, such as before a restart."""
        with self._lock:
            for patch in known:
                self._patches.setdefault((patch.kernel_id, patch.level), patch)

    def read(
        self, loaded: Collection[tuple[str, int]], deadline: Deadline, *, newest_max_age: float = 0.0
    ) -> PatchReading:
        """Return what is known about the patches ``loaded``, by kernel id and level, and about their kernels.

        Patches that are not known yet are read, except those of level 0, which means no patch, and those that the
        server did not know in the last hour; and so are newest levels older than ``newest_max_age`` seconds. A failure
        is a problem of the result and is never raised; after one that the next request would share, such as a timeout,
        no more requests are sent.
        """
        wanted = sorted((kernel_id, level) for kernel_id, level in set(loaded) if level > 0)
        # One reading at a time: another one of the same kernels then finds them here.
        if not self._lock.acquire(timeout=min(deadline.left(), threading.TIMEOUT_MAX)):
            known = {patch: self._patches[patch] for patch in wanted if patch in self._patches}
            return PatchReading(known, {}, ("timed out waiting for another reading of the patch server",))
        try:
            self._forget(newest_max_age)
            requests = _Requests()
            patches = {
                (kernel_id, level): patch
                for kernel_id, level in wanted
                if (patch := self._patch(kernel_id, level, requests, deadline)) is not None
            }
            newest = {
                kernel_id: level
                for kernel_id in sorted({kernel_id for kernel_id, _ in loaded})
                if (level := self._newest_level(kernel_id, requests, deadline)) is not None
            }
        finally:
            self._server.close()  # no connection is kept until the next reading
            self._lock.release()
        return PatchReading(patches, newest, tuple(requests.problems))

    def _patch(self, kernel_id: str, level: int, requests: _Requests, deadline: Deadline) -> LivePatch | None:
        patch = self._patches.get((kernel_id, level))
        if patch is not None or (kernel_id, level) in self._absent:
            return patch
        with requests.sending() as is_sent:
            if is_sent:
                patch = self._server.patch(kernel_id, level, deadline)
                if patch is None:
                    self._absent[kernel_id, level] = self._server.clock.monotonic()
                else:
                    self._patches[kernel_id, level] = patch
        return patch

    def _newest_level(self, kernel_id: str, requests: _Requests, deadline: Deadline) -> int | None:
        if kernel_id not in self._newest:
            with requests.sending() as is_sent:
                if is_sent:
                    level = self._server.newest_level(kernel_id, deadline)
                    self._newest[kernel_id] = (self._server.clock.monotonic(), level)
        _, level = self._newest.get(kernel_id, (0.0, None))
        return level

    def _forget(self, newest_max_age: float) -> None:
        """Forget what is to be requested again: servers can report any number of kernels that do not exist."""
        now = self._server.clock.monotonic()
        self._absent = {patch: at for patch, at in self._absent.items() if now - at < _ABSENT_MAX_AGE}
        self._newest = {kernel: found for kernel, found in self._newest.items() if now - found[0] < newest_max_age}


class _Requests:
    """The requests of one reading, up to a maximum, and the ``problems`` of those that failed."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._is_out = False
        self._sent = 0
        self._server_errors = 0  # in a row

    @contextlib.contextmanager
    def sending(self) -> Iterator[bool]:
        """Yield whether to send a request: not if an earlier one failed in a way that this one would, too.

        A ClnError of the request is a problem, and is not raised.
        """
        if not self._is_out and self._sent == _MOST_REQUESTS:
            self.problems.append(f"{_MOST_REQUESTS} requests were sent to the patch server; the next poll continues")
            self._is_out = True
        if self._is_out:
            yield False
            return
        self._sent += 1
        try:
            yield True
        except ClnError as error:
            self.problems.append(str(error))
            self._server_errors = self._server_errors + 1 if error.transient else 0
            self._is_out = isinstance(error, _OUTAGE) or self._server_errors == _MOST_SERVER_ERRORS
        else:
            self._server_errors = 0
