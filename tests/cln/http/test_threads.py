"""The thread pool that works with fewer threads."""

from __future__ import annotations

import _thread
import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest

from cln_monitor.cln import ThreadError, Threads, start_thread
from cln_monitor.cln.http import threads
from tests.helpers.running import wait_until


@pytest.fixture
def pool() -> Iterator[Threads]:
    """A pool of three threads, which end after the test."""
    pool = Threads(3)
    yield pool
    pool.shutdown()


def none_left(*_: object) -> None:
    """Fail as the system does when no thread can be started."""
    raise RuntimeError("can't start new thread")


def stillborn(*_: object) -> None:
    """Start a thread that dies for lack of memory before it runs."""


def test_what_it_is_asked_comes_back(pool: Threads) -> None:
    """A submitted call returns its result, or raises its error."""
    assert pool.submit(divmod, 7, 2).result(5) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        pool.submit(divmod, 7, 0).result(5)
    assert pool.submit(int, "11", base=2).result(5) == 3


def test_as_many_at_a_time_as_there_may_be(pool: Threads) -> None:
    """The pool runs no more tasks at once than its maximum."""
    meeting, more = threading.Barrier(4), threading.Event()
    met = [pool.submit(meeting.wait, 5) for _ in range(3)]
    last = pool.submit(more.set)
    assert not more.wait(0.1)
    meeting.wait(5)
    assert sorted(each.result(5) for each in met) <= [0, 1, 2, 3]
    last.result(5)


def test_a_thread_that_is_idle_is_used_again(pool: Threads) -> None:
    """A task that follows another one reuses its thread."""
    pool.keep(1)
    idents = {pool.submit(threading.get_ident).result(5) for _ in range(5) if wait_until(lambda: pool._idle, "idle")}
    assert len(idents) == 1


def test_idle_threads_end(pool: Threads, monkeypatch: pytest.MonkeyPatch) -> None:
    """Idle threads end after a while, except those that are kept."""
    monkeypatch.setattr(threads, "_IDLE", 0.01)
    pool.keep(1)
    meeting = threading.Barrier(3)
    for each in [pool.submit(meeting.wait, 5) for _ in range(3)]:
        each.result(5)
    wait_until(lambda: pool._running == 1, "two threads to end")
    assert pool.submit(int).result(5) == 0


def test_an_idle_thread_holds_nothing(pool: Threads) -> None:
    """An idle thread keeps neither arguments nor results alive, which may be all servers of an account."""

    class Fleet:
        pass

    fleet = Fleet()
    gone = weakref.ref(fleet)
    assert pool.submit(lambda same: same, fleet).result(5) is fleet
    del fleet
    wait_until(lambda: (gc.collect(), gone() is None)[1], "the result to be forgotten")


def test_no_thread_can_be_started(pool: Threads, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any thread an error says so, and the pool works again once threads can be started."""
    with monkeypatch.context() as patch:
        patch.setattr(_thread, "start_new_thread", none_left)
        assert not start_thread(int)
        with pytest.raises(ThreadError, match=r"^cannot start a thread; check the limits of processes"):
            pool.submit(int)
        with pytest.raises(ThreadError):
            pool.keep(1)
    assert pool.submit(int).result(5) == 0


def test_no_further_thread_can_be_started(pool: Threads, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a further thread, tasks wait for the existing one."""
    pool.keep(1)
    monkeypatch.setattr(_thread, "start_new_thread", none_left)
    futures = [pool.submit(pow, 2, number) for number in range(5)]
    assert [each.result(5) for each in futures] == [1, 2, 4, 8, 16]


def test_a_thread_that_dies_before_it_runs(pool: Threads, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that dies early is not awaited, and is replaced after a while."""
    monkeypatch.setattr(threads, "_START", 0.02)
    monkeypatch.setattr(threads, "_FIRST_START", 0.02)
    with monkeypatch.context() as patch:
        patch.setattr(_thread, "start_new_thread", stillborn)
        with pytest.raises(ThreadError):
            pool.keep(1)
        waiting = [pool.submit(pow, 2, number) for number in range(5)]
    wait_until(lambda: pool.submit(int).done() or not pool._started_at, "the dead ones to be given up")
    assert [each.result(5) for each in waiting] == [1, 2, 4, 8, 16]


def test_a_task_that_is_cancelled(pool: Threads) -> None:
    """A task that is canceled before it begins does not run."""
    go_on = threading.Event()
    held = [pool.submit(go_on.wait, 5) for _ in range(3)]
    done: list[int] = []
    waiting = pool.submit(done.append, 1)
    assert waiting.cancel()
    go_on.set()
    assert all(each.result(5) for each in held)
    pool.submit(done.append, 2).result(5)
    assert done == [2]


@pytest.mark.parametrize("cancel", [False, True])
def test_a_shutdown(cancel: bool, pool: Threads) -> None:
    """At shutdown, submitted tasks run or are canceled, threads end, and no task is accepted."""
    go_on, done = threading.Event(), threading.Event()
    held = [pool.submit(go_on.wait, 5) for _ in range(3)]
    wait_until(lambda: all(each.running() for each in held), "all threads to be busy")
    last = pool.submit(done.set)
    pool.shutdown(cancel_futures=cancel)
    pool.shutdown()
    go_on.set()
    assert all(each.result(5) for each in held)
    wait_until(lambda: not pool._running, "all threads to end")
    assert (last.cancelled(), done.is_set()) == (cancel, not cancel)
    with pytest.raises(RuntimeError, match="after the shutdown"):
        pool.submit(int)


def test_a_shutdown_while_threads_are_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shutdown ends idle threads as well."""
    monkeypatch.setattr(threads, "_IDLE", 0.001)
    for _ in range(20):
        pool = Threads(3)
        pool.keep(3)
        pool.shutdown()
        wait_until(lambda pool=pool: not pool._running, "all threads to end")  # type: ignore[misc]


def test_debuggers_see_its_threads(pool: Threads) -> None:
    """Debuggers trace the threads of the pool, as those of the standard library."""
    traced: list[str] = []
    before: Any = threading.gettrace()

    def trace(frame: FrameType, *_: object) -> Callable[..., Any] | None:
        traced.append(frame.f_code.co_name)
        return None

    threading.settrace(trace)
    try:
        pool.submit(int).result(5)
    finally:
        threading.settrace(before)
    assert "_work" in traced


def test_one_task_after_the_other_takes_one_thread() -> None:
    """A task submitted when the previous one ends starts no further thread."""
    pool = Threads(4)
    assert len({pool.submit(threading.get_ident).result(20) for _ in range(2000)}) == 1
    assert pool._running == 1
    pool.shutdown()


def test_no_more_threads_than_tasks_at_once() -> None:
    """Two callers that submit tasks one after another never start a third thread."""
    pool = Threads(4)
    pool.keep(2)

    def ask() -> None:
        for _ in range(2000):
            pool.submit(int).result(20)

    callers = [threading.Thread(target=ask) for _ in range(2)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(20)
    assert pool._running <= 2
    pool.shutdown()


def test_a_task_does_not_wait_for_a_thread_that_has_just_taken_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that has just taken a task does not count as idle for the next task."""
    pool = Threads(2)
    taken, go_on, get = threading.Event(), threading.Event(), pool._tasks.get

    class Queue:
        """The queue of the pool, in which the first thread that takes a task stays for a while."""

        put, empty, qsize = pool._tasks.put, pool._tasks.empty, pool._tasks.qsize

        def get(self, timeout: float) -> Any:
            task = get(timeout=timeout)
            if not taken.is_set():
                taken.set()
                assert go_on.wait(20)
            return task

    monkeypatch.setattr(pool, "_tasks", Queue())
    first = pool.submit(int)
    assert taken.wait(20)
    assert pool.submit(int).result(20) == 0
    go_on.set()
    assert first.result(20) == 0
    pool.shutdown()
