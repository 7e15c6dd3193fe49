"""Carries results to one sink, in a thread of its own, so that a slow receiver does not delay the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import structlog

from .outbox import Outbox
from .result import FeedResult
from .self_metrics import FeedMetrics
from .sinks import Delivery, Outcome, Sink

_log = structlog.get_logger(__name__)


class Courier:
    """Delivers the newest result of each service to ``sink``, in which it is valid for ``ttl`` seconds.

    ``longest_delay`` is the maximum number of seconds between attempts while the receiver is away. ``monotonic`` and
    ``wall`` are the clocks.
    """

    def __init__(
        self,
        sink: Sink,
        metrics: FeedMetrics,
        *,
        ttl: float,
        longest_delay: float,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.sink = sink
        self._metrics = metrics
        self._ttl = ttl
        self._outbox = Outbox(ttl, longest_delay)
        self._monotonic = monotonic
        self._wall = wall
        self._changed = threading.Condition()
        self._is_stopped = False
        self._is_failing = False
        self.beat_at = monotonic()
        """The time by ``monotonic`` at which the thread last showed that it does not hang."""

    def start(self) -> None:
        """Start the thread. It is a daemon: when the process ends, nothing more is sent."""
        threading.Thread(target=self._run, name=f"sink-{self.sink.name}", daemon=True).start()

    def stop(self) -> None:
        """Let the thread end after the results that it is sending, and close the sink."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify()

    def put(self, results: Sequence[FeedResult]) -> None:
        """Replace the results to deliver."""
        with self._changed:
            self._outbox.put(results, self._monotonic())
            self._changed.notify()

    def clear(self) -> None:
        """Forget the results that are not delivered."""
        with self._changed:
            self._outbox.clear()

    @property
    def pending(self) -> int:
        """The number of results that are not delivered."""
        with self._changed:
            return len(self._outbox)

    def wait(self) -> float | None:
        """Return the seconds until the next attempt, or None if there is nothing to send."""
        with self._changed:
            return self._outbox.wait(self._monotonic())

    def deliver(self) -> None:
        """Send one batch of results, and take note of what became of them."""
        with self._changed:
            results = self._outbox.take(self._monotonic())
        if not results:
            return
        try:
            outcomes = self.sink.send(results, now=self._wall(), ttl=self._ttl)
        except Exception as error:  # noqa: BLE001 # the other results and sinks must not suffer
            _log.exception("internal error", sink=self.sink.name)
            outcomes = [Outcome(Delivery.FAILED, f"internal error: {type(error).__name__}")] * len(results)
        with self._changed:
            news = self._outbox.record(results, outcomes, self._monotonic())
        self._metrics.count(self.sink.name, outcomes, self._wall())
        for result, reason in news:
            _log.warning("result refused", sink=self.sink.name, host=result.host, service=result.service, reason=reason)
        self._log_failures(outcomes)

    def _log_failures(self, outcomes: Sequence[Outcome]) -> None:
        """Log that the sink fails once, and once that it works again."""
        failed = [outcome.reason for outcome in outcomes if outcome.delivery is Delivery.FAILED]
        if failed and not self._is_failing:
            _log.warning(
                "sink failed; sending the newest results again until it works", sink=self.sink.name, reason=failed[0]
            )
        elif self._is_failing and not failed:
            _log.info("sink works again", sink=self.sink.name)
        self._is_failing = bool(failed)

    def _run(self) -> None:
        while True:
            with self._changed:
                self.beat_at = self._monotonic()
                if self._is_stopped:
                    break
                delay = self._outbox.wait(self.beat_at)
                if delay != 0:
                    self._changed.wait(_BEAT if delay is None else min(delay, _BEAT))
                    continue
            self.deliver()
        self.sink.close()


_BEAT = 10.0  # seconds
