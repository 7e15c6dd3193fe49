"""Threads for what waits: no more of them than calls were ever under way at once."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from typing import Any


class Threads(Executor):
    """Runs calls ``most`` at a time, and never has more threads than calls that were under way at once.

    That of ``concurrent.futures`` forgets from Python 3.12 on that a thread is idle when a busy one is faster to take
    what was meant for it, and makes new ones for as long as it may: in an hour all that it is allowed.
    """

    def __init__(self, most: int, name: str) -> None:
        self._most, self._name = most, name
        self._changed = threading.Condition()
        self._waiting: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._threads: list[threading.Thread] = []
        self._free = 0  # threads that take a call that waits, now or as soon as they have told how the last one ended
        self._closed = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Return what ``fn`` will give. Raises RuntimeError after a shutdown, or when there can be no thread at all."""
        future: Future[Any] = Future()
        with self._changed:
            if self._closed:
                raise RuntimeError("nothing is run any more")
            if len(self._waiting) >= self._free and len(self._threads) < self._most:
                self._start()
            self._waiting.append((future, partial(fn, *args, **kwargs)))
            self._changed.notify()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls; with ``wait``, return when those taken have ended, else at once."""
        with self._changed:
            self._closed = True
            while cancel_futures and self._waiting:
                self._waiting.popleft()[0].cancel()
            self._changed.notify_all()
        for thread in self._threads if wait else ():
            thread.join()

    def _start(self) -> None:
        thread = threading.Thread(target=self._work, name=f"{self._name}-{len(self._threads)}", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the machine gives no more
            if not self._threads:
                raise
            return
        self._threads.append(thread)
        self._free += 1

    def _work(self) -> None:
        while taken := self._take():
            future, call = taken
            told: Callable[[], object] = future.cancelled
            if future.set_running_or_notify_cancel():
                try:
                    told = partial(future.set_result, call())
                except BaseException as error:  # noqa: BLE001 # it is for those who asked
                    told = partial(future.set_exception, error)
            with self._changed:
                self._free += 1
            told()
            del taken, future, call, told  # not kept while there is nothing to do

    def _take(self) -> tuple[Future[Any], Callable[[], Any]] | None:
        with self._changed:
            while not self._waiting:
                if self._closed:
                    return None
                self._changed.wait()
            self._free -= 1
            return self._waiting.popleft()
