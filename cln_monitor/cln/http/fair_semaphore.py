"""Places for calls in flight, given in the order in which they were asked for."""

from __future__ import annotations

import threading
from collections import deque


class FairSemaphore:
    """``number`` places. Who leaves hands the place to who has waited longest.

    A semaphore of the standard library lets the thread that leaves come back at once, past all who wait.
    """

    def __init__(self, number: int) -> None:
        self._lock = threading.Lock()
        self._free = number
        self._waiting: deque[threading.Event] = deque()

    def take(self, longest_wait: float) -> bool:
        """Take a place, and tell whether there was one within ``longest_wait`` seconds."""
        with self._lock:
            if self._free and not self._waiting:
                self._free -= 1
                return True
            mine = threading.Event()
            self._waiting.append(mine)
        if mine.wait(min(longest_wait, threading.TIMEOUT_MAX)):
            return True
        with self._lock:
            if mine.is_set():  # it was handed over at the last moment
                return True
            self._waiting.remove(mine)
            return False

    def leave(self) -> None:
        """Give the place back."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1
