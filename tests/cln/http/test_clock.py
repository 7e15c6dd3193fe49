"""The clock of the machine, deadlines, and the clock of the tests."""

from __future__ import annotations

import math
import threading
import time

from cln_monitor.cln import Clock, Deadline, SystemClock
from tests.helpers.clock import NOW, FakeClock


def test_system_clock_is_that_of_the_machine() -> None:
    """The system clock returns Unix seconds, and monotonic seconds."""
    clock: Clock = SystemClock()
    assert time.time() <= clock.time() <= time.time()
    assert time.monotonic() <= clock.monotonic() <= time.monotonic()


def test_system_clock_sleeps() -> None:
    """The system clock sleeps for the given time, and not at all for zero."""
    clock = SystemClock()
    started = time.monotonic()
    clock.sleep(0.02)
    clock.sleep(0)
    clock.sleep(-1)
    assert 0.02 <= time.monotonic() - started < 10


def test_stop_wakes_all_sleepers() -> None:
    """Stopping the system clock ends all sleeps, and later ones return at once."""
    clock = SystemClock()
    sleepers = [threading.Thread(target=clock.sleep, args=(60,)) for _ in range(3)]
    for sleeper in sleepers:
        sleeper.start()
    started = time.monotonic()
    clock.stop()
    for sleeper in sleepers:
        sleeper.join(30)
    clock.sleep(60)
    assert time.monotonic() - started < 30


def test_deadline_counts_down() -> None:
    """The remaining time of a deadline decreases to 0, and never below."""
    clock = FakeClock()
    deadline = Deadline(10, clock)
    assert deadline.left() == 10
    clock.advance(4)
    assert deadline.left() == 6
    clock.advance(100)
    assert deadline.left() == 0


def test_deadline_that_never_comes() -> None:
    """A deadline that never comes always has time left."""
    clock = FakeClock()
    deadline = Deadline.never(clock)
    clock.advance(1e9)
    assert deadline.left() == math.inf


def test_fake_clock_is_advanced_by_sleepers() -> None:
    """The clock of the tests advances only by sleeps."""
    clock: Clock = FakeClock()
    assert isinstance(clock, FakeClock)
    assert clock.time() == clock.time() == NOW
    clock.sleep(2.5)
    clock.sleep(0)
    assert (clock.time(), clock.monotonic(), clock.slept) == (NOW + 2.5, 2.5, [2.5])
