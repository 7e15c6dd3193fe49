"""One run at a time: who asks for it meanwhile waits, and gets the same."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Lets one thread do a work that several ask for at the same time. Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: Future[T] | None = None

    @property
    def is_running(self) -> bool:
        """Whether the work is under way."""
        return self._running is not None

    def do(self, work: Callable[[], T]) -> T:
        """Do the ``work`` and return what it returns, or wait for the one under way and return that; so with errors."""
        with self._lock:
            running = self._running
            if running is None:
                mine = self._running = Future[T]()
        if running is not None:
            return running.result()
        try:
            result = work()
        except BaseException as error:
            mine.set_exception(error)
            raise
        else:
            mine.set_result(result)
            return result
        finally:
            self._running = None
