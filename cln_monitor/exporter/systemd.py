"""Tells systemd how the exporter stands, as sd_notify(3) has it, and pings its watchdog.

Without systemd, or under a unit that is not ``Type=notify``, nothing is sent and nobody is asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterator, MutableMapping
from typing import Protocol

_PINGS = 3  # in the time after which the watchdog bites, so that one or two that come late cost nothing
_STATUS_EVERY = 15.0  # seconds, where no watchdog sets the pace


class Schedule(Protocol):
    """What calls a function again and again, and shows by it that it still works."""

    def beat(self, every: float, heartbeat: Callable[[], object]) -> None:
        """Call ``heartbeat`` now, and each ``every`` seconds from now on."""


class Notifier:
    """Sends to the socket ``address``; ``watchdog`` is the seconds after which silence counts as a hang."""

    def __init__(self, address: str = "", watchdog: float | None = None) -> None:
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._watchdog = watchdog
        self._status = ""

    @classmethod
    def take(cls, environment: MutableMapping[str, str] = os.environ) -> Notifier:
        """Take from the ``environment`` what systemd has put there for this process alone."""
        address = environment.pop("NOTIFY_SOCKET", "")
        microseconds = environment.pop("WATCHDOG_USEC", "")
        pid = environment.pop("WATCHDOG_PID", str(os.getpid()))
        is_ours = (
            pid == str(os.getpid()) and microseconds.isascii() and microseconds.isdecimal() and int(microseconds) > 0
        )
        return cls(address, int(microseconds) / 1e6 if is_ours else None)

    def ready(self, loop: asyncio.AbstractEventLoop, schedule: Schedule, status: Callable[[], str]) -> None:
        """Say that the exporter serves, and from now on that it lives: ``status`` gives how it stands, in words.

        Each ping goes through the schedule first and the event ``loop`` then. Where either hangs no ping is sent, and
        systemd starts the exporter anew.
        """
        if not self._address:
            return
        self._send("READY=1", self._changed(status()))

        def live() -> None:
            self._send("WATCHDOG=1" if self._watchdog else "", self._changed(status()))

        def beat() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and the schedule is about to
                loop.call_soon_threadsafe(live)

        schedule.beat(self._watchdog / _PINGS if self._watchdog else _STATUS_EVERY, beat)

    @contextlib.contextmanager
    def reloading(self) -> Iterator[None]:
        """Say that the configuration is loaded anew, and then that this is over."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")
        try:
            yield
        finally:
            self._send("READY=1")

    def stopping(self) -> None:
        """Say that the exporter ends because it was told to."""
        self._send("STOPPING=1", self._changed("stopping"))

    def _changed(self, status: str) -> str:
        if status == self._status:
            return ""
        self._status = status
        return f"STATUS={status}"

    def _send(self, *assignments: str) -> None:
        text = "\n".join(filter(None, assignments))
        if not self._address or not text:
            return
        # A message that is lost is no reason to serve less; nor may a systemd that does not read hold us up.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.sendto(text.encode(), self._address)
