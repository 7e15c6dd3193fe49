"""A sink that keeps the results it receives, with configurable outcomes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cln_monitor.feed.result import FeedResult
from cln_monitor.feed.sinks import Delivery, Outcome

DELIVERED = Outcome(Delivery.DELIVERED)
FAILED = Outcome(Delivery.FAILED, "connection refused")


def result(service: str, state: int = 0, output: str = "OK - fine") -> FeedResult:
    """Return a result of ``service``."""
    return FeedResult("cln", service, state, output, "", "check_cln_status")


class RecordingSink:
    """``sent`` has the results of each call, ``times`` their times; ``answer`` returns the outcome of a result."""

    def __init__(self, name: str = "checkmk", answer: Callable[[FeedResult], Outcome] = lambda _: DELIVERED) -> None:
        self.name = name
        self.answer = answer
        self.sent: list[list[FeedResult]] = []
        self.times: list[tuple[float, float]] = []
        self.is_closed = False

    def send(self, results: Sequence[FeedResult], *, now: float, ttl: float) -> list[Outcome]:
        """Keep ``results``, and return their outcomes."""
        self.sent.append(list(results))
        self.times.append((now, ttl))
        return [self.answer(one) for one in results]

    def check(self, results: Sequence[FeedResult]) -> list[str]:
        """Return a problem for each result that would be refused."""
        return [self.answer(one).reason for one in results if self.answer(one).delivery is Delivery.REFUSED]

    def close(self) -> None:
        """Note that it is closed."""
        self.is_closed = True
