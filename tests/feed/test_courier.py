"""The thread of a sink: what it sends, counts and logs."""

from __future__ import annotations

import threading
from typing import NoReturn

import pytest
from structlog.testing import capture_logs

from cln_monitor.feed.courier import Courier
from cln_monitor.feed.self_metrics import FeedMetrics
from cln_monitor.feed.sinks import Delivery, Outcome
from tests.helpers.clock import FakeClock
from tests.helpers.running import wait_until

from .recording_sink import DELIVERED, FAILED, RecordingSink, result


def courier_of(sink: RecordingSink, clock: FakeClock) -> tuple[Courier, FeedMetrics]:
    """Return a courier of ``sink`` by ``clock``, and its metrics."""
    metrics = FeedMetrics([sink.name])
    courier = Courier(sink, metrics, ttl=180, longest_delay=60, monotonic=clock.monotonic, wall=clock.time)
    return courier, metrics


def samples(metrics: FeedMetrics) -> dict[str, float]:
    """Return the results counted, by result."""
    names = [delivery.value for delivery in Delivery]
    value = metrics.registry.get_sample_value
    return {name: value("cln_feed_results_total", {"sink": "checkmk", "result": name}) or 0 for name in names} | {
        "last": value("cln_feed_last_success_timestamp_seconds", {"sink": "checkmk"}) or 0
    }


def test_results_are_sent_and_counted() -> None:
    """Results are sent with the current time and their validity, and counted by what became of them."""
    clock, sink = FakeClock(), RecordingSink()
    courier, metrics = courier_of(sink, clock)
    assert samples(metrics) == {"delivered": 0, "refused": 0, "failed": 0, "last": 0}
    courier.put([result("a"), result("b")])
    clock.advance(5)
    courier.deliver()
    assert sink.sent == [[result("a"), result("b")]]
    assert sink.times == [(clock.time(), 180)]
    assert samples(metrics) == {"delivered": 2, "refused": 0, "failed": 0, "last": clock.time()}
    courier.deliver()
    assert len(sink.sent) == 1


def test_refusals_are_logged_once() -> None:
    """A refused result is counted each time, and logged once with its object and reason."""
    clock = FakeClock()
    sink = RecordingSink(answer=lambda one: Outcome(Delivery.REFUSED, f"404 cln!{one.service}"))
    courier, metrics = courier_of(sink, clock)
    with capture_logs() as logs:
        for _ in range(3):
            courier.put([result("a")])
            courier.deliver()
    assert samples(metrics)["refused"] == 3
    assert samples(metrics)["last"] == 0
    assert [(log["event"], log["service"], log["reason"]) for log in logs] == [("result refused", "a", "404 cln!a")]


def test_failures_are_logged_once_and_their_end() -> None:
    """A receiver that is away is logged once, with the reason, and once when it is back."""
    clock, sink = FakeClock(), RecordingSink(answer=lambda _: FAILED)
    courier, metrics = courier_of(sink, clock)
    with capture_logs() as logs:
        courier.put([result("a")])
        for _ in range(3):
            courier.deliver()
            clock.advance(courier.wait() or 0)
        sink.answer = lambda _: DELIVERED
        courier.deliver()
    assert [log["event"] for log in logs] == [
        "sink failed; sending the newest results again until it works",
        "sink works again",
    ]
    assert logs[0]["reason"] == "connection refused"
    assert samples(metrics) == {"delivered": 1, "refused": 0, "failed": 3, "last": clock.time()}


def test_an_error_of_the_sink_itself() -> None:
    """An exception in a sink is logged, and its results are sent again."""

    def broken(_: object) -> NoReturn:
        raise ZeroDivisionError

    clock, sink = FakeClock(), RecordingSink(answer=broken)
    courier, metrics = courier_of(sink, clock)
    courier.put([result("a")])
    with capture_logs() as logs:
        courier.deliver()
    assert logs[0]["event"] == "internal error"
    assert samples(metrics)["failed"] == 1
    assert courier.pending == 1


@pytest.mark.usefixtures("call_clock")
def test_a_sink_that_hangs_does_not_hold_up_another() -> None:
    """Each sink has a thread: the results of one arrive while another blocks; stopping closes the sink."""
    release, clock = threading.Event(), FakeClock()

    def hanging(_: object) -> Outcome:
        release.wait(60)
        return DELIVERED

    slow, fast = RecordingSink("icinga2", hanging), RecordingSink("nagios")
    couriers = [courier_of(sink, clock)[0] for sink in (slow, fast)]
    for courier in couriers:
        courier.start()
        courier.put([result("a")])
    wait_until(lambda: fast.sent, "the results of the fast sink")
    assert couriers[0].pending == 1
    release.set()
    wait_until(lambda: not couriers[0].pending, "the results of the slow sink")
    for courier in couriers:
        courier.stop()
    wait_until(lambda: slow.is_closed and fast.is_closed, "both sinks to be closed")
