"""The newest result of each service that a sink has not delivered yet: never a backlog."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, islice
from typing import NamedTuple

from .result import FeedResult
from .sinks import Delivery, Outcome

BATCH = 100
"""Maximum number of results that a sink is given at a time, so that new ones do not wait long."""
_FIRST_DELAY = 1.0  # seconds

_Name = tuple[str, str]


class _Pending(NamedTuple):
    result: FeedResult
    judged_at: float


class Outbox:
    """The results for one sink; times are in seconds of any monotonic clock. Not thread-safe.

    A result that is older than ``ttl`` is dropped: the receiver has set the service to UNKNOWN by then. While nothing
    can be delivered, the delay between attempts doubles up to ``longest_delay``.
    """

    def __init__(self, ttl: float, longest_delay: float) -> None:
        self._ttl = ttl
        self._longest_delay = longest_delay
        self._pending: dict[_Name, _Pending] = {}
        self._urgent: dict[_Name, None] = {}
        self._delivered: dict[_Name, int] = {}
        self._refused: dict[_Name, str] = {}
        self._delay = 0.0
        self._not_before = 0.0

    def __len__(self) -> int:
        """Return the number of results that are not delivered."""
        return len(self._pending)

    def put(self, results: Iterable[FeedResult], now: float) -> None:
        """Replace the results of their services; those whose state is not the delivered one are sent first."""
        new = {(result.host, result.service): _Pending(result, now) for result in results}
        self._pending = {**self._pending, **new}  # the last result of a key that CLN no longer has stays
        self._urgent = {name: None for name, one in new.items() if self._delivered.get(name) != one.result.state}
        for known in (self._delivered, self._refused):
            for name in [name for name in known if name not in self._pending]:
                del known[name]

    def clear(self) -> None:
        """Forget all results, as their services may no longer be configured."""
        self._pending, self._urgent = {}, {}

    def wait(self, now: float) -> float | None:
        """Return the seconds until the next attempt, or None if there is nothing to send."""
        return max(0.0, self._not_before - now) if self._pending else None

    def take(self, now: float) -> list[FeedResult]:
        """Return the results to send now, at most ``BATCH``; they stay pending until :meth:`record`."""
        for name in [name for name, one in self._pending.items() if now - one.judged_at > self._ttl]:
            self._remove(name)
        names = chain(self._urgent, (name for name in self._pending if name not in self._urgent))
        return [self._pending[name].result for name in islice(names, BATCH)]

    def record(
        self, results: Sequence[FeedResult], outcomes: Sequence[Outcome], now: float
    ) -> list[tuple[FeedResult, str]]:
        """Take the outcome of each of ``results``; return those refused for a reason that is new for the service.

        A result that failed stays pending, unless a newer one has replaced it, and others are sent before it.
        """
        news = []
        for result, outcome in zip(results, outcomes, strict=True):
            name = result.host, result.service
            is_current = name in self._pending and self._pending[name].result is result
            if outcome.delivery is Delivery.FAILED:
                if is_current:
                    self._pending[name] = self._pending.pop(name)
                    self._urgent.pop(name, None)
                continue
            if is_current:
                self._remove(name)
            if outcome.delivery is Delivery.DELIVERED:
                self._delivered[name] = result.state
                self._refused.pop(name, None)
            elif self._refused.get(name) != outcome.reason:
                self._refused[name] = outcome.reason
                news.append((result, outcome.reason))
        if results and all(outcome.delivery is Delivery.FAILED for outcome in outcomes):
            self._delay = min(self._longest_delay, self._delay * 2 or _FIRST_DELAY)
        else:
            self._delay = 0.0
        self._not_before = now + self._delay
        return news

    def _remove(self, name: _Name) -> None:
        del self._pending[name]
        self._urgent.pop(name, None)
