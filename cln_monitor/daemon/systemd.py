"""Notifies systemd of the status of the exporter (see sd_notify(3)), and pings its watchdog.

Without systemd, or in a unit that is not ``Type=notify``, nothing is sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterator, MutableMapping
from typing import Protocol

_PINGS = 3  # per watchdog timeout, so that one or two may be late
_STATUS_INTERVAL = 15.0  # seconds, if there is no watchdog


class Schedule(Protocol):
    """A schedule that calls a function periodically, which shows that the schedule still works."""

    def add_heartbeat(self, interval: float, heartbeat: Callable[[], object]) -> None:
        """Call ``heartbeat`` now, and every ``interval`` seconds from now on."""


class Notifier:
    """Sends notifications to the socket ``address``; ``watchdog`` is the timeout of the watchdog in seconds, if any."""

    def __init__(self, address: str = "", watchdog: float | None = None) -> None:
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._watchdog = watchdog
        self._status = ""

    @classmethod
    def from_environment(cls, environment: MutableMapping[str, str] = os.environ) -> Notifier:
        """Return a notifier configured by the variables of systemd, and remove them from ``environment``."""
        address = environment.pop("NOTIFY_SOCKET", "")
        microseconds = environment.pop("WATCHDOG_USEC", "")
        pid = environment.pop("WATCHDOG_PID", str(os.getpid()))
        is_watched = (
            pid == str(os.getpid()) and microseconds.isascii() and microseconds.isdecimal() and int(microseconds) > 0
        )
        return cls(address, int(microseconds) / 1e6 if is_watched else None)

    def ready(self, loop: asyncio.AbstractEventLoop, schedule: Schedule, status: Callable[[], str]) -> None:
        """Notify systemd that the exporter is ready, and from now on ping the watchdog and send changes of ``status``.

        Each ping passes through the schedule and then the event ``loop``. If either hangs, no ping is sent, and systemd
        restarts the exporter.
        """
        if not self._address:
            return
        self.started(status())

        def ping() -> None:
            self.alive(status())

        def heartbeat() -> None:
            with contextlib.suppress(RuntimeError):  # the event loop is closed, and the schedule will stop as well
                loop.call_soon_threadsafe(ping)

        schedule.add_heartbeat(self.interval, heartbeat)

    @property
    def interval(self) -> float:
        """The number of seconds between two pings, or between two looks at the status if there is no watchdog."""
        return self._watchdog / _PINGS if self._watchdog else _STATUS_INTERVAL

    def started(self, status: str) -> None:
        """Notify systemd that the program is ready."""
        self._send("READY=1", self._changed(status))

    def alive(self, status: str) -> None:
        """Ping the watchdog, if there is one, and send a change of ``status``."""
        self._send("WATCHDOG=1" if self._watchdog else "", self._changed(status))

    @contextlib.contextmanager
    def reloading(self) -> Iterator[None]:
        """Notify systemd that the configuration is being reloaded, and on exit that this has ended."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")
        try:
            yield
        finally:
            self._send("READY=1")

    def stopping(self) -> None:
        """Notify systemd that the exporter is stopping."""
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
        # Neither a lost message nor a systemd that does not read may affect the exporter.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.sendto(text.encode(), self._address)
