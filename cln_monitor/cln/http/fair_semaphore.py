"""A semaphore that serves waiting threads in order."""

from __future__ import annotations

import threading
from collections import deque


class FairSemaphore:
    """A semaphore with ``number`` slots; a released slot is passed to the thread that has waited longest.

    The semaphore of the standard library lets a thread that releases a slot acquire it again before all waiting ones.
    """

    def __init__(self, number: int) -> None:
        self._lock = threading.Lock()
        self._free = number
        self._waiting: deque[threading.Event] = deque()

    def acquire(self, longest_wait: float) -> bool:
        """Acquire a slot; return False if none was free within ``longest_wait`` seconds."""
        with self._lock:
            if self._free and not self._waiting:
                self._free -= 1
                return True
            mine = threading.Event()
            self._waiting.append(mine)
        if mine.wait(min(longest_wait, threading.TIMEOUT_MAX)):
            return True
        with self._lock:
            if mine.is_set():  # a slot was passed on at the last moment
                return True
            self._waiting.remove(mine)
            return False

    def release(self) -> None:
        """Release the slot."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1
