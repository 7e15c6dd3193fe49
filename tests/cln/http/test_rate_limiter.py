"""Concurrent calls, calls per second, and pauses."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from cln_monitor.cln import Deadline, RateLimitedError, RateLimiter, SystemClock, TimedOutError
from cln_monitor.cln.http.rate_limiter import _EARLY, LONGEST_PAUSE
from tests.helpers.clock import FakeClock
from tests.helpers.running import wait_until

HOST, OTHER = "cln.cloudlinux.com", "eportal.example.com"


@pytest.fixture
def never(clock: FakeClock) -> Deadline:
    """A deadline that never comes."""
    return Deadline.never(clock)


def send_times(limits: RateLimiter, clock: FakeClock, calls: int, host: str = HOST) -> list[float]:
    """Return when each of so many calls is sent."""
    times = []
    for _ in range(calls):
        with limits.slot(host, Deadline.never(clock)):
            times.append(clock.monotonic())
    return times


def test_calls_a_second(clock: FakeClock) -> None:
    """The first call is sent at once, each further one after a gap."""
    assert send_times(RateLimiter(8, 4, clock), clock, 5) == [0, 0.25, 0.5, 0.75, 1.0]


def test_no_limit_of_calls_a_second(clock: FakeClock) -> None:
    """With 0 requests per second there is no limit."""
    assert send_times(RateLimiter(8, 0, clock), clock, 5) == [0] * 5


def test_idle_time_is_not_saved_up(clock: FakeClock) -> None:
    """After a quiet hour calls are spaced as before, and not sent in a burst."""
    limits = RateLimiter(8, 2, clock)
    send_times(limits, clock, 1)
    clock.advance(3600)
    assert send_times(limits, clock, 3) == [3600, 3600.5, 3601]


def test_hosts_are_limited_each(clock: FakeClock) -> None:
    """The limit of requests per second applies to each host."""
    limits = RateLimiter(8, 1, clock)
    assert send_times(limits, clock, 1, HOST) == [0]
    assert send_times(limits, clock, 1, OTHER) == [0]
    assert send_times(limits, clock, 1, HOST) == [1]


def test_no_turn_before_the_deadline(clock: FakeClock) -> None:
    """A call whose turn is after the deadline fails at once."""
    limits = RateLimiter(8, 0.1, clock)
    send_times(limits, clock, 1)
    with (
        pytest.raises(
            TimedOutError, match=r"timed out waiting for the rate limit \(requests_per_second\); request not sent"
        ),
        limits.slot(HOST, Deadline(9, clock)),
    ):
        pytest.fail("it had a turn")
    assert clock.slept == []


def test_deadline_has_passed(clock: FakeClock) -> None:
    """After the deadline a call fails even without other calls."""
    with (
        pytest.raises(TimedOutError, match="deadline exceeded; request not sent"),
        RateLimiter(8, 0, clock).slot(HOST, Deadline(0, clock)),
    ):
        pytest.fail("it had a turn")


def test_who_gives_up_takes_no_turn(clock: FakeClock, never: Deadline) -> None:
    """A hundred calls that cannot wait do not delay the one that can."""
    limits = RateLimiter(8, 1, clock)
    send_times(limits, clock, 1)
    for _ in range(100):
        with pytest.raises(TimedOutError), limits.slot(HOST, Deadline(0.5, clock)):
            pytest.fail("it had a turn")
    with limits.slot(HOST, never):
        assert clock.monotonic() == 1


def test_calls_in_flight() -> None:
    """Concurrent calls never exceed the limit over all hosts, and all complete."""
    limits = RateLimiter(3, 0, SystemClock())
    three = threading.Barrier(3)
    lock = threading.Lock()
    now = most = 0

    def call(host: str) -> None:
        nonlocal now, most
        with limits.slot(host, Deadline.never(SystemClock())):
            with lock:
                now += 1
                most = max(most, now)
            three.wait(10)
            with lock:
                now -= 1

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(call, [HOST, OTHER] * 12))
    assert (most, now) == (3, 0)


@contextmanager
def held_by_another(limits: RateLimiter, host: str = HOST) -> Iterator[Callable[[], None]]:
    """Hold one slot in another thread until released, at the latest at the end of the block."""
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with limits.slot(host, Deadline.never(SystemClock())):
            held.set()
            let_go.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(5)
    try:
        yield let_go.set
    finally:
        let_go.set()
        thread.join(5)


def test_all_places_taken_until_the_deadline(clock: FakeClock) -> None:
    """A call that gets no slot before its deadline says so."""
    limits = RateLimiter(1, 0, clock)
    started = time.monotonic()
    with (
        held_by_another(limits),
        pytest.raises(
            TimedOutError, match=r"timed out waiting for a free connection slot \(concurrency: 1\); request not sent"
        ),
        limits.slot(HOST, Deadline(0.05, clock)),
    ):
        pytest.fail("it had a turn")
    assert 0.05 <= time.monotonic() - started < 5


def test_place_comes_back_after_an_error(clock: FakeClock, never: Deadline) -> None:
    """A call that fails releases its slot."""
    limits = RateLimiter(1, 0, clock)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), limits.slot(HOST, never):
            1 / 0  # noqa: B018 # the error is what is wanted
    with limits.slot(HOST, Deadline(0.05, clock)):
        pass


def test_no_burst_behind_a_slow_call() -> None:
    """Calls whose turns passed while all slots were taken are still spaced afterward."""
    clock = SystemClock()
    limits = RateLimiter(1, 50, clock)
    sent = []

    def call() -> None:
        with limits.slot(HOST, Deadline.never(clock)):
            sent.append(clock.monotonic())

    with held_by_another(limits) as let_go, ThreadPoolExecutor(5) as pool:
        calls = [pool.submit(call) for _ in range(5)]
        time.sleep(0.15)
        free_at = clock.monotonic()
        let_go()
        for each in calls:
            each.result(5)
    # One that looks for its turn shortly before it is there goes at once, and those behind it are spaced from the turn.
    early = _EARLY + 0.001
    assert [at for place, at in enumerate(sorted(sent)) if at < free_at + place * 0.02 - early] == []


def test_one_host_does_not_hold_the_places_of_others() -> None:
    """A call that waits for its turn at one host holds no slot."""
    clock = SystemClock()
    limits = RateLimiter(1, 0.001, clock)

    def call(host: str, seconds: float) -> None:
        with limits.slot(host, Deadline(seconds, clock)):
            pass

    call(HOST, 20)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(call, HOST, 5000)  # its turn comes in 1000 s
        wait_until(lambda: limits._next_turn[HOST] > clock.monotonic() + 1500, "it to wait")
        call(OTHER, 20)
        assert not waiting.done()
        clock.stop()
        assert isinstance(waiting.exception(5), TimedOutError)


def test_short_pause_is_waited_out(clock: FakeClock, never: Deadline) -> None:
    """During a pause nothing is sent to its host, and calls to other hosts are not delayed."""
    limits = RateLimiter(8, 0, clock)
    limits.pause(HOST, 7)
    with limits.slot(OTHER, never):
        assert clock.monotonic() == 0
    with limits.slot(HOST, never):
        assert clock.monotonic() == 7
    with limits.slot(HOST, never):
        assert clock.monotonic() == 7


def test_calls_after_a_pause_are_spaced(clock: FakeClock) -> None:
    """After a pause calls are not sent in a burst."""
    limits = RateLimiter(8, 2, clock)
    limits.pause(HOST, 5)
    assert send_times(limits, clock, 3) == [5, 5.5, 6]


def test_longest_pause_counts(clock: FakeClock) -> None:
    """A shorter pause does not end a longer one."""
    limits = RateLimiter(8, 0, clock)
    limits.pause(HOST, 7)
    limits.pause(HOST, 2)
    assert send_times(limits, clock, 1) == [7]


@pytest.mark.parametrize(
    ("pause", "deadline"),
    [(LONGEST_PAUSE + 1, 1e9), (20, 10)],
    ids=["longer than is ever waited", "longer than the deadline"],
)
def test_long_pause_is_told_at_once(clock: FakeClock, pause: float, deadline: float) -> None:
    """A pause that is too long to wait for is reported at once, with the remaining time."""
    limits = RateLimiter(8, 0, clock)
    limits.pause(HOST, pause + 3)
    clock.advance(3)
    with pytest.raises(RateLimitedError) as raised, limits.slot(HOST, Deadline(deadline, clock)):
        pytest.fail("it had a turn")
    assert str(raised.value) == f"rate limited for another {pause:.0f} s; request not sent"
    assert raised.value.retry_after == pause
    assert not raised.value.transient
    assert clock.slept == []


def test_pause_of_an_hour_at_most(clock: FakeClock) -> None:
    """A wrong header does not stop calls for a year."""
    limits = RateLimiter(8, 0, clock)
    limits.pause(HOST, 31_536_000)
    clock.advance(3590)
    assert send_times(limits, clock, 1) == [3600]


def test_pause_that_comes_while_waiting_for_a_place(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that gets its slot during a pause releases it and waits."""
    limits = RateLimiter(1, 0, clock)
    sent = []
    go_on, sleep = threading.Event(), clock.sleep

    def sleep_until_told(seconds: float) -> None:
        assert not seconds or go_on.wait(20)
        sleep(seconds)

    monkeypatch.setattr(clock, "sleep", sleep_until_told)

    def call() -> None:
        with limits.slot(HOST, Deadline.never(clock)):
            sent.append(clock.monotonic())

    with held_by_another(limits) as let_go, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(call)
        wait_until(lambda: limits._slots._waiting, "it to wait for a place")
        limits.pause(HOST, 20)
        let_go()
        with limits.slot(OTHER, Deadline(10, clock)):
            assert not waiting.done()
        go_on.set()
        waiting.result(5)
    assert sent == [20]


def test_stop_ends_the_wait_for_a_turn() -> None:
    """After a stop, calls that wait for a turn fail instead of being sent."""
    clock = SystemClock()
    limits = RateLimiter(1, 0, clock)
    limits.pause(HOST, 20)
    clock.stop()
    started = time.thread_time()
    with (
        pytest.raises(TimedOutError, match="shutting down; request not sent"),
        limits.slot(HOST, Deadline.never(clock)),
    ):
        pytest.fail("it had a turn")
    assert time.thread_time() - started < 0.5
