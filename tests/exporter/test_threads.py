"""Threads for polls: as many as there are calls at once, whatever becomes of the calls."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from cln_monitor.exporter.threads import Threads

PATIENCE = 20.0  # seconds for what shall succeed


@pytest.fixture
def threads() -> Iterator[Threads]:
    """Four of them at most, which end with the test."""
    threads = Threads(4, "poll")
    yield threads
    threads.shutdown()


def started(threads: Threads) -> int:
    """Return how many threads there are."""
    return len(threads._threads)


def test_results_and_errors(threads: Threads) -> None:
    """Who asked gets what the call gives, or what it raises; the thread goes on."""
    assert threads.submit(pow, 2, exp=5).result(PATIENCE) == 32
    for _ in range(6):
        with pytest.raises(ZeroDivisionError):
            threads.submit(divmod, 1, 0).result(PATIENCE)
    assert threads.submit(pow, 2, 3).result(PATIENCE) == 8


def test_one_after_the_other_takes_one_thread(threads: Threads) -> None:
    """However fast one follows the other."""
    names = {threads.submit(threading.get_ident).result(PATIENCE) for _ in range(2000)}
    assert (len(names), started(threads)) == (1, 1)


def test_no_more_threads_than_calls_at_once(threads: Threads) -> None:
    """Two who ask and ask, each anew as soon as it has an answer, never make a third thread."""

    def ask() -> None:
        for _ in range(2000):
            threads.submit(int).result(PATIENCE)

    asking = [threading.Thread(target=ask) for _ in range(2)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join(PATIENCE)
    assert started(threads) <= 2


def test_calls_at_once(threads: Threads) -> None:
    """As many as may run at once do so, the others wait for their turn and come in order."""
    go_on, begun, order = threading.Event(), threading.Semaphore(0), list[int]()

    def stay(number: int) -> int:
        order.append(number)
        begun.release()
        assert go_on.wait(PATIENCE)
        return number

    futures: list[Future[Any]] = [threads.submit(stay, number) for number in range(10)]
    for _ in range(4):
        assert begun.acquire(timeout=PATIENCE)
    assert (sorted(order), started(threads)) == ([0, 1, 2, 3], 4)
    assert futures[9].cancel()
    go_on.set()
    assert [future.result(PATIENCE) for future in futures[:9]] == [*range(9)]
    assert sorted(order) == [*range(9)]
    assert started(threads) == 4


def test_shutdown_ends_the_threads(threads: Threads) -> None:
    """Nothing is taken any more, what was taken is done, and no thread stays."""
    future = threads.submit(int)
    threads.shutdown()
    assert future.done()
    assert not any(thread.is_alive() for thread in threads._threads)
    with pytest.raises(RuntimeError):
        threads.submit(int)


def test_shutdown_that_does_not_wait(threads: Threads) -> None:
    """It returns while a call is under way; what had not begun is cancelled where that is asked for."""
    go_on, begun = threading.Event(), threading.Semaphore(0)

    def stay() -> None:
        begun.release()
        go_on.wait(PATIENCE)

    running = [threads.submit(stay) for _ in range(4)]
    for _ in range(4):
        assert begun.acquire(timeout=PATIENCE)
    waiting = threads.submit(int)
    threads.shutdown(wait=False, cancel_futures=True)
    assert waiting.cancelled()
    assert not any(future.done() for future in running)
    go_on.set()


def test_a_machine_without_threads(threads: Threads, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first call is refused; later ones make do with the threads that there are."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patching:
        patching.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError):
            threads.submit(int)
    go_on = threading.Event()
    first = threads.submit(go_on.wait, PATIENCE)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    second = threads.submit(int)
    go_on.set()
    assert (first.result(PATIENCE), second.result(PATIENCE)) == (True, 0)
