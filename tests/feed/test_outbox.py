"""The outbox of a sink: the newest result of each service, changed states first, and no backlog."""

from __future__ import annotations

from cln_monitor.feed.outbox import BATCH, Outbox
from cln_monitor.feed.sinks import Delivery, Outcome

from .recording_sink import DELIVERED, FAILED, result

REFUSED = Outcome(Delivery.REFUSED, "404 unknown object")


def test_nothing_to_send() -> None:
    """An empty outbox has nothing to wait for."""
    outbox = Outbox(180, 60)
    assert outbox.wait(0) is None
    assert outbox.take(0) == []


def test_the_newest_result_replaces_an_older_one() -> None:
    """While nothing is delivered, a service has one result, the newest."""
    outbox = Outbox(180, 60)
    for round_ in range(5):
        outbox.put([result("a", 2, f"round {round_}"), result("b", 0, f"round {round_}")], round_)
        sent = outbox.take(round_)
        assert [one.output for one in sent] == [f"round {round_}"] * 2
        outbox.record(sent, [FAILED, FAILED], round_)
        assert len(outbox) == 2


def test_changed_states_come_first() -> None:
    """Services whose state is not the delivered one are sent before the others."""
    outbox = Outbox(180, 60)
    results = [result(str(number)) for number in range(3 * BATCH)]
    outbox.put(results, 0)
    while sent := outbox.take(0):
        assert len(sent) <= BATCH
        outbox.record(sent, [DELIVERED] * len(sent), 0)
    assert outbox.wait(0) is None
    changed = [result(str(number), 1 if number == 299 else 0) for number in range(3 * BATCH)]
    outbox.put(changed, 60)
    assert outbox.take(60)[0] == changed[299]
    assert len(outbox) == 3 * BATCH


def test_a_result_that_fails_does_not_hold_up_the_others() -> None:
    """A failed result is sent again after all others, and a batch of failed ones alone after a delay."""
    outbox = Outbox(180, 60)
    outbox.put([result("a"), result("b")], 0)
    outbox.record(outbox.take(0), [FAILED, DELIVERED], 0)
    assert outbox.wait(0) == 0
    assert [one.service for one in outbox.take(0)] == ["a"]


def test_the_delay_doubles() -> None:
    """While everything fails, the delay doubles up to its limit; a delivery ends it."""
    outbox = Outbox(10_000, 20)
    outbox.put([result("a")], 0)
    now, delays = 0.0, []
    for _ in range(7):
        outbox.record(outbox.take(now), [FAILED], now)
        delay = outbox.wait(now)
        assert delay is not None
        delays.append(delay)
        now += delay
    assert delays == [1, 2, 4, 8, 16, 20, 20]
    outbox.record(outbox.take(now), [DELIVERED], now)
    outbox.put([result("a")], now)
    assert outbox.wait(now) == 0


def test_a_new_round_does_not_shorten_the_delay() -> None:
    """New results wait like those that failed."""
    outbox = Outbox(180, 60)
    outbox.put([result("a")], 0)
    outbox.record(outbox.take(0), [FAILED], 0)
    outbox.put([result("a", 2)], 0.5)
    assert outbox.wait(0.5) == 0.5


def test_an_old_result_is_dropped() -> None:
    """A result older than its validity is never sent: the receiver has the service at UNKNOWN by then."""
    outbox = Outbox(180, 60)
    outbox.put([result("a")], 0)
    assert outbox.take(180) == [result("a")]
    assert outbox.take(181) == []
    assert outbox.wait(181) is None


def test_a_result_replaced_while_it_is_sent() -> None:
    """The outcome of a result that was replaced meanwhile does not concern the newer one."""
    outbox = Outbox(180, 60)
    outbox.put([result("a", 0)], 0)
    sent = outbox.take(0)
    outbox.put([result("a", 2)], 1)
    outbox.record(sent, [DELIVERED], 1)
    assert outbox.take(1) == [result("a", 2)]


def test_the_last_result_of_a_service_waits_for_its_delivery() -> None:
    """A service that the next round no longer has keeps its last result until it is delivered."""
    outbox = Outbox(180, 60)
    outbox.put([result("gone", 3), result("a")], 0)
    outbox.record(outbox.take(0), [FAILED, FAILED], 0)
    outbox.put([result("a")], 60)
    assert {one.service for one in outbox.take(60)} == {"gone", "a"}
    outbox.clear()
    assert len(outbox) == 0


def test_a_refusal_is_news_once() -> None:
    """A refusal is returned once for each service and reason, again after a delivery, and is not sent again."""
    outbox = Outbox(180, 60)
    news = []
    for outcome in (REFUSED, REFUSED, Outcome(Delivery.REFUSED, "401"), DELIVERED, REFUSED):
        outbox.put([result("a")], 0)
        news.append(outbox.record(outbox.take(0), [outcome], 0))
        assert outbox.wait(0) is None
    assert [len(one) for one in news] == [1, 0, 1, 0, 1]
    assert news[0] == [(result("a"), "404 unknown object")]


def test_memory_of_services_that_are_gone() -> None:
    """What is known about services that no longer exist is forgotten."""
    outbox = Outbox(180, 60)
    for number in range(100):
        outbox.put([result(str(number))], number)
        outbox.record(outbox.take(number), [DELIVERED if number % 2 else REFUSED], number)
    assert len(outbox._delivered) + len(outbox._refused) <= 1
