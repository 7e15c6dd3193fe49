"""Tests of the notifications to systemd; pings of the watchdog stop if the schedule or the event loop hangs."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cln_monitor.daemon.systemd import Notifier
from tests.helpers.running import running_exporter, wait_until


class NotifySocket:
    """A socket that receives notifications in place of systemd."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{address[1:]}" if address.startswith("@") else address)
        self._socket.settimeout(10)

    def next(self) -> str:
        """Wait for the next message and return it."""
        return self._socket.recv(4096).decode()

    def all(self) -> list[str]:
        """Return all messages that have not been read."""
        self._socket.setblocking(False)
        messages = []
        try:
            while True:
                messages.append(self.next())
        except BlockingIOError:
            self._socket.settimeout(10)
            return messages

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def received(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NotifySocket]:
    """A notification socket at a path or an abstract address."""
    received = NotifySocket(str(tmp_path / "notify") if request.param == "path" else f"@cln-monitor-test-{os.getpid()}")
    yield received
    received.close()


class ManualSchedule:
    """A schedule whose heartbeat is called by the test."""

    def __init__(self) -> None:
        self.interval = 0.0
        self.beat_now: Callable[[], object] = lambda: None

    def add_heartbeat(self, interval: float, heartbeat: Callable[[], object]) -> None:
        """Record the heartbeat and its interval."""
        self.interval, self.beat_now = interval, heartbeat


def test_variables_are_removed() -> None:
    """The variables of systemd are removed from the environment, so that child processes do not use them."""
    environment = {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "6000000", "WATCHDOG_PID": str(os.getpid()), "A": "b"}
    notifier = Notifier.from_environment(environment)
    assert environment == {"A": "b"}
    assert (notifier._address, notifier._watchdog) == ("/run/x", 6.0)


@pytest.mark.parametrize(
    "environment",
    [{}, {"WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "soon"}],
    ids=["none", "of-another-process", "off", "nonsense"],
)
def test_no_watchdog(environment: dict[str, str]) -> None:
    """Without a valid watchdog for this process there are no pings."""
    assert Notifier.from_environment(environment)._watchdog is None


def test_without_systemd() -> None:
    """Without systemd there are no notifications and no heartbeat."""
    schedule, notifier = ManualSchedule(), Notifier()
    asyncio.run(_ready(notifier, schedule))
    with notifier.reloading():
        notifier.stopping()
    assert schedule.interval == 0


def test_a_ping_passes_the_schedule_and_the_loop(received: NotifySocket) -> None:
    """A ping is sent by the event loop after a heartbeat of the schedule, with the status if that has changed."""
    schedule, notifier, status = ManualSchedule(), Notifier(received.address, 6), ["all OK"]

    async def serve() -> None:
        notifier.ready(asyncio.get_running_loop(), schedule, lambda: status[0])
        assert received.all() == ["READY=1\nSTATUS=all OK"]
        assert schedule.interval == 2
        with ThreadPoolExecutor() as pool:
            pool.submit(schedule.beat_now).result()
            assert received.all() == []  # the event loop is blocked by this function
            await asyncio.sleep(0)
            assert received.all() == ["WATCHDOG=1"]
            status[0] = "1 failing"
            pool.submit(schedule.beat_now).result()
        await asyncio.sleep(0)
        assert received.all() == ["WATCHDOG=1\nSTATUS=1 failing"]
        await asyncio.sleep(0.01)
        assert received.all() == []  # there was no further heartbeat

    asyncio.run(serve())
    schedule.beat_now()  # after the loop has ended, before the schedule has
    assert received.all() == []


def test_without_a_watchdog(received: NotifySocket) -> None:
    """Without a watchdog only changes of the status are sent."""
    schedule, notifier, status = ManualSchedule(), Notifier(received.address), ["all OK"]

    async def serve() -> None:
        notifier.ready(asyncio.get_running_loop(), schedule, lambda: status[0])
        for status[0] in ("all OK", "1 failing"):
            schedule.beat_now()
            await asyncio.sleep(0)

    asyncio.run(serve())
    assert (schedule.interval, received.all()) == (15, ["READY=1\nSTATUS=all OK", "STATUS=1 failing"])


def test_a_reload(received: NotifySocket) -> None:
    """A reload is sent with its time, and followed by READY=1 even if it fails."""
    with pytest.raises(ZeroDivisionError), Notifier(received.address).reloading():
        _ = 1 / 0
    began, ended = received.all()
    assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+", began)
    assert ended == "READY=1"


def test_a_systemd_that_does_not_read(received: NotifySocket) -> None:
    """A systemd that does not read does not block the exporter; further messages are dropped."""
    notifier = Notifier(received.address)

    def send() -> None:
        for _ in range(2000):
            with notifier.reloading():
                pass

    sending = threading.Thread(target=send, daemon=True)
    sending.start()
    sending.join(10)
    assert not sending.is_alive()
    assert 0 < len(received.all()) < 4000


def test_a_missing_socket() -> None:
    """A missing notification socket is not an error."""
    Notifier("/nowhere/notify").stopping()


@pytest.mark.processes
def test_the_program(received: NotifySocket, tmp_path: Path) -> None:
    """The program notifies systemd when it is ready, reloads and stops, and pings the watchdog in between."""
    environment = {"NOTIFY_SOCKET": received.address, "WATCHDOG_USEC": "600000"}
    with running_exporter(tmp_path, "--demo", environment=environment) as exporter:
        first = received.next()
        assert re.fullmatch(r"READY=1\nSTATUS=10 probes of 1 account and 1 ePortal: .*", first)
        if not first.endswith(": all OK"):  # a status is sent again only after a change
            _wait_for(received, r"WATCHDOG=1\nSTATUS=10 probes of 1 account and 1 ePortal: all OK")
        _wait_for(received, r"WATCHDOG=1")
        exporter.process.send_signal(signal.SIGHUP)
        _wait_for(received, r"RELOADING=1\nMONOTONIC_USEC=\d+")
        _wait_for(received, r"READY=1")
        exporter.stop()
        _wait_for(received, r"STOPPING=1\nSTATUS=stopping")


async def _ready(notifier: Notifier, schedule: ManualSchedule) -> None:
    notifier.ready(asyncio.get_running_loop(), schedule, lambda: "")


def _wait_for(received: NotifySocket, pattern: str) -> None:
    """Read messages until one matches ``pattern``."""
    wait_until(lambda: re.fullmatch(pattern, received.next()) is not None, f"a message such as {pattern}")
