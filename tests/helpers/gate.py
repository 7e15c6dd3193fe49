"""A gate before the calls that a simulator answers, so that a poll proceeds key by key."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from cln_monitor.simulator import Simulator

SERVER_LISTS = ("/kcare/key/servers.json", "/im/srv/list.json", "/ipl/server.json", "/group/servers/list.json")
"""The paths of the calls for the servers of one key, of up to a hundred addresses, or of a group."""


class Gate:
    """Holds the calls for the servers of a key at ``simulator``, and lets as many through as are allowed."""

    def __init__(self, simulator: Simulator) -> None:
        self._allowed = threading.Semaphore(0)
        self._is_open = threading.Event()
        answer: Callable[..., Any] = simulator.answer

        def held(method: str, at: str, *rest: Any) -> Any:
            while at in SERVER_LISTS and not self._is_open.is_set() and not self._allowed.acquire(timeout=0.05):
                pass  # held for longer, unless the gate has been opened meanwhile
            return answer(method, at, *rest)

        simulator.answer = held  # type: ignore[method-assign, assignment] # replaces the method

    def allow(self, number: int) -> None:
        """Let ``number`` further calls through."""
        self._allowed.release(number)

    def open(self) -> None:
        """Let all calls through from now on."""
        self._is_open.set()

    def shut(self) -> None:
        """Hold calls again."""
        self._is_open.clear()
