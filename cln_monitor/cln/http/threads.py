"""A thread pool that works with fewer threads: if none can be started, the existing ones do the work, only slower.

``threading.Thread.start`` waits until the new thread signals that it runs. A thread that runs out of memory before that
never does, and its starter, an event loop or a scheduler, would wait forever. Here each wait for a start has a timeout.
"""

from __future__ import annotations

import _thread
import contextlib
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_START = 5.0  # seconds within which a started thread must run, or it counts as dead
_FIRST_START = 30.0  # seconds to wait for the first threads
_IDLE = 10.0  # seconds after which an idle thread ends


class ThreadError(RuntimeError):
    """No thread can be started, and none exists to do the work."""

    def __init__(self) -> None:
        super().__init__("cannot start a thread; check the limits of processes (ulimit -u, TasksMax) and memory")


def start_thread(run: Callable[[], object]) -> bool:
    """Call ``run`` in a new daemon thread, without waiting for it; return False if no thread can be started."""
    try:
        _thread.start_new_thread(_traced, (run,))
    except (RuntimeError, MemoryError):
        return False
    return True


def _traced(run: Callable[[], object]) -> None:
    trace = threading.gettrace()
    if trace is not None:  # as threading.Thread does, for debuggers and coverage
        sys.settrace(trace)
    run()


class _Task:
    def __init__(self, future: Future[Any], run: Callable[[], object]) -> None:
        self._future, self._run = future, run

    def cancel(self) -> None:
        self._future.cancel()

    def run(self) -> Callable[[], object]:
        """Run the task, and return a function that reports its result to the future."""
        if not self._future.set_running_or_notify_cancel():
            return self._future.cancelled
        try:
            return partial(self._future.set_result, self._run())
        except BaseException as error:  # noqa: BLE001 # raised where the result is awaited
            return partial(self._future.set_exception, error)


class Threads(Executor):
    """An executor of up to ``most`` threads, which are started on demand and end after being idle.

    If no thread can be started, a task waits for an existing one. Thread-safe.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        self._lock = threading.Condition(threading.Lock())
        self._started_at: deque[float] = deque()  # of started threads that do not run yet
        self._running = self._idle = self._kept = 0
        # Tasks that no thread has claimed. This is not the size of the queue: a thread that has just taken a task
        # still counts as idle, and the next task would wait for it.
        self._pending = 0
        self._is_shut_down = self._cancels = False

    def keep(self, count: int) -> None:
        """Start ``count`` threads that run until the shutdown. Raises ThreadError if none can be started."""
        with self._lock:
            self._kept = count
            for _ in range(count):
                self._start()
            self._lock.wait_for(lambda: self._running >= count or not self._started_at, _FIRST_START)
            if count and not self._running:
                raise ThreadError

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Return the future of ``fn(*args, **kwargs)``.

        Raises ThreadError if there is no thread and none can be started, and RuntimeError after the shutdown.
        """
        future: Future[T] = Future()
        with self._lock:
            if self._is_shut_down:
                raise RuntimeError("cannot take a task after the shutdown")
            if self._pending >= self._idle:
                self._start()
            if not self._running and not self._started_at:
                raise ThreadError
            self._pending += 1
            self._tasks.put(_Task(future, lambda: fn(*args, **kwargs)))
        return future

    def shutdown(self, wait: bool = False, *, cancel_futures: bool = False) -> None:  # noqa: ARG002 # the signature of executors
        """Accept no more tasks; threads end after the submitted ones. This does not wait for them.

        ``cancel_futures``: cancel the tasks that have not begun.
        """
        with self._lock:
            if not self._is_shut_down:
                self._tasks.put(None)  # wakes one thread after the other
            self._is_shut_down = True
            self._cancels = self._cancels or cancel_futures

    def _start(self) -> None:
        """Start one more thread, if the maximum and the system allow it."""
        now = time.monotonic()
        while self._started_at and now - self._started_at[0] > _START:
            self._started_at.popleft()
        if self._running + len(self._started_at) < self._most and start_thread(self._work):
            self._started_at.append(now)

    def _work(self) -> None:
        with self._lock:
            self._running += 1
            self._idle += 1
            if self._started_at:
                self._started_at.popleft()
            self._lock.notify_all()
        while True:
            task = self._next()
            if task is None:
                return
            report = task.run()
            with self._lock:
                self._idle += 1  # before the report, after which the next task may come and would start another thread
            report()
            del task, report  # an idle thread must not keep the arguments or the result alive

    def _next(self) -> _Task | None:
        """Return the next task, or None if the thread has to end."""
        while True:
            task, is_woken = None, False
            with contextlib.suppress(Empty):
                task, is_woken = self._tasks.get(timeout=_IDLE), True
            with self._lock:
                if task is not None:
                    self._idle -= 1
                    self._pending -= 1
                    if self._cancels:
                        task.cancel()
                    return task
                is_over = self._tasks.empty() and (self._is_shut_down or self._running > self._kept)
                if is_woken:
                    self._tasks.put(None)  # for the next thread
                if is_over:
                    self._idle -= 1
                    self._running -= 1
                    return None
