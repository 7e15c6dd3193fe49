"""The semaphore that limits concurrent calls."""

from __future__ import annotations

import threading

from cln_monitor.cln.http.fair_semaphore import FairSemaphore
from tests.helpers.running import wait_until


def test_as_many_as_there_are() -> None:
    """A thread beyond the limit times out, and takes no slot."""
    places = FairSemaphore(2)
    assert [places.acquire(0), places.acquire(0), places.acquire(0.01)] == [True, True, False]
    places.release()
    assert [places.acquire(0), places.acquire(0)] == [True, False]


def test_who_waits_longest_comes_next() -> None:
    """A released slot is passed to the longest waiting thread, before the releasing thread."""
    places = FairSemaphore(1)
    assert places.acquire(0)
    came: list[str] = []

    def come(name: str) -> None:
        assert places.acquire(5)
        came.append(name)
        places.release()

    others = []
    for name in ("first", "second"):
        others.append(threading.Thread(target=come, args=(name,)))
        others[-1].start()
        wait_until(lambda: len(places._waiting) == len(others), "the other to wait")
    places.release()
    come("who left")
    for other in others:
        other.join(5)
    assert came == ["first", "second", "who left"]
