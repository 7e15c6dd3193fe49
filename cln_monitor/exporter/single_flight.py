"""Deduplicates concurrent calls: callers during a run wait for it and get the same result."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Runs a function once for all threads that call it at the same time. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: Future[T] | None = None

    @property
    def is_running(self) -> bool:
        """Whether a run is in progress."""
        return self._running is not None

    def do(self, work: Callable[[], T]) -> T:
        """Call ``work``, or wait for the call in progress; return its result or raise its exception."""
        with self._lock:
            running = self._running
            if running is None:
                own = self._running = Future[T]()
        if running is not None:
            return running.result()
        try:
            result = work()
        except BaseException as error:
            own.set_exception(error)
            raise
        else:
            own.set_result(result)
            return result
        finally:
            self._running = None
