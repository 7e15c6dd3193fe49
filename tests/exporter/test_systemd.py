"""What systemd is told, and that the pings for its watchdog end with the schedule or the event loop."""

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

from cln_monitor.exporter.systemd import Notifier
from tests.helpers.running import running_exporter


class Told:
    """What systemd would hear at a socket of its kind."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{address[1:]}" if address.startswith("@") else address)
        self._socket.settimeout(10)

    def next(self) -> str:
        """Return the next message, when it comes."""
        return self._socket.recv(4096).decode()

    def all(self) -> list[str]:
        """Return what has come and was not read."""
        self._socket.setblocking(False)
        messages = []
        try:
            while True:
                messages.append(self.next())
        except BlockingIOError:
            self._socket.settimeout(10)
            return messages

    def close(self) -> None:
        """Hear nothing more."""
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def told(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Told]:
    """A systemd that listens, at a path or at a name that no file has."""
    told = Told(str(tmp_path / "notify") if request.param == "path" else f"@cln-monitor-test-{os.getpid()}")
    yield told
    told.close()


class ByHand:
    """A schedule that is kept when a test says so."""

    def __init__(self) -> None:
        self.every = 0.0
        self.beat_now: Callable[[], object] = lambda: None

    def beat(self, every: float, heartbeat: Callable[[], object]) -> None:
        """Keep what is to be called."""
        self.every, self.beat_now = every, heartbeat


def test_what_systemd_sets_is_taken_once() -> None:
    """So that no process the exporter might start speaks in its place."""
    environment = {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "6000000", "WATCHDOG_PID": str(os.getpid()), "A": "b"}
    notifier = Notifier.take(environment)
    assert environment == {"A": "b"}
    assert (notifier._address, notifier._watchdog) == ("/run/x", 6.0)


@pytest.mark.parametrize(
    "environment",
    [{}, {"WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "soon"}],
    ids=["none", "of-another-process", "off", "nonsense"],
)
def test_no_watchdog(environment: dict[str, str]) -> None:
    """Where none watches this process, none is pinged."""
    assert Notifier.take(environment)._watchdog is None


def test_without_systemd_nothing_is_done() -> None:
    """No message and no heartbeat: the schedule is for polls."""
    schedule, notifier = ByHand(), Notifier()
    asyncio.run(_ready(notifier, schedule))
    with notifier.reloading():
        notifier.stopping()
    assert schedule.every == 0


def test_a_ping_goes_through_the_schedule_and_the_loop(told: Told) -> None:
    """It is sent by the loop, and only when the schedule has asked for it; the status goes with it when it changes."""
    schedule, notifier, status = ByHand(), Notifier(told.address, 6), ["all well"]

    async def serve() -> None:
        notifier.ready(asyncio.get_running_loop(), schedule, lambda: status[0])
        assert told.all() == ["READY=1\nSTATUS=all well"]
        assert schedule.every == 2
        with ThreadPoolExecutor() as pool:
            pool.submit(schedule.beat_now).result()
            assert told.all() == []  # the loop has had no time for it: it hangs in this function
            await asyncio.sleep(0)
            assert told.all() == ["WATCHDOG=1"]
            status[0] = "1 failing"
            pool.submit(schedule.beat_now).result()
        await asyncio.sleep(0)
        assert told.all() == ["WATCHDOG=1\nSTATUS=1 failing"]
        await asyncio.sleep(0.01)
        assert told.all() == []  # the schedule did not ask again

    asyncio.run(serve())
    schedule.beat_now()  # after the end of the loop, before that of the schedule
    assert told.all() == []


def test_without_a_watchdog_only_the_status_is_told(told: Told) -> None:
    """And only when it has changed."""
    schedule, notifier, status = ByHand(), Notifier(told.address), ["all well"]

    async def serve() -> None:
        notifier.ready(asyncio.get_running_loop(), schedule, lambda: status[0])
        for status[0] in ("all well", "1 failing"):
            schedule.beat_now()
            await asyncio.sleep(0)

    asyncio.run(serve())
    assert (schedule.every, told.all()) == (15, ["READY=1\nSTATUS=all well", "STATUS=1 failing"])


def test_a_reload_is_told_with_its_time_and_its_end(told: Told) -> None:
    """Which comes also when the reload breaks."""
    with pytest.raises(ZeroDivisionError), Notifier(told.address).reloading():
        _ = 1 / 0
    began, ended = told.all()
    assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+", began)
    assert ended == "READY=1"


def test_a_systemd_that_does_not_read_holds_nobody_up(told: Told) -> None:
    """Messages that find no room are lost."""
    notifier = Notifier(told.address)

    def send() -> None:
        for _ in range(2000):
            with notifier.reloading():
                pass

    sending = threading.Thread(target=send, daemon=True)
    sending.start()
    sending.join(10)
    assert not sending.is_alive()
    assert 0 < len(told.all()) < 4000


def test_a_systemd_that_is_gone_is_no_error() -> None:
    """The exporter serves on."""
    Notifier("/nowhere/notify").stopping()


@pytest.mark.processes
def test_the_program_tells_systemd(told: Told, tmp_path: Path) -> None:
    """From ready over a reload to the stop, with pings in between."""
    watched = {"NOTIFY_SOCKET": told.address, "WATCHDOG_USEC": "600000"}
    with running_exporter(tmp_path, "--demo", environment=watched) as exporter:
        assert re.fullmatch(r"READY=1\nSTATUS=8 probes of 1 account: .*", told.next())
        exporter.wait_ready()
        _wait_for(told, r"WATCHDOG=1\nSTATUS=8 probes of 1 account: all well")
        _wait_for(told, r"WATCHDOG=1")
        exporter.process.send_signal(signal.SIGHUP)
        _wait_for(told, r"RELOADING=1\nMONOTONIC_USEC=\d+")
        _wait_for(told, r"READY=1")
        exporter.stop()
        _wait_for(told, r"STOPPING=1\nSTATUS=stopping")


async def _ready(notifier: Notifier, schedule: ByHand) -> None:
    notifier.ready(asyncio.get_running_loop(), schedule, lambda: "")


def _wait_for(told: Told, pattern: str) -> None:
    """Read until that message has come; the socket's patience ends a wait in vain."""
    while not re.fullmatch(pattern, told.next()):
        pass
