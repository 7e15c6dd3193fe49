"""What a probe saw as others read it: the JSON of the exporter's API, and what the checks judge."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from .observation import Failure, Gap, Observation
from .runner import Run
from .settings import ProbeSettings, stale_after_of

FORMAT = 1
"""Grows when a reader of the former form would misread a view."""


class Ages(msgspec.Struct, frozen=True):
    """How many seconds ago the last run began, the last success was, and the oldest part was read; None for never.

    Whoever told them measured them by a clock that nobody sets: times of day, theirs or the reader's, may be wrong.
    """

    last_run: float | None = None
    last_success: float | None = None
    oldest_part: float | None = None


class ProbeReport(msgspec.Struct, frozen=True, kw_only=True):
    """How a probe stands, and what it has seen. Times are Unix seconds, ``interval`` and ``max_age`` seconds.

    ``stale_after``: seconds after which a server counts as silent, None where none check in.
    ``last_run`` is when the last run began, and ``duration`` how many seconds it took, None before the first;
    ``failure`` is that of the last run; ``observation`` may hold parts that an earlier run saw, each with its time.
    ``read`` and ``lacking`` are the numbers of parts that are there and that are not; ``missing`` names those that the
    last run could not read, be they shown from an earlier one or not. ``host_names`` are those of the servers, by
    server id, or by address where servers have no id; the answers of other probes tell them. ``shard``, such as
    ``0/3``, is set where other exporters read parts of the account that are not here. ``ages`` are those at the time it
    is told.
    """

    format: int = FORMAT
    probe: str
    account: str
    api: str
    interval: float
    max_age: float
    stale_after: float | None = None
    last_run: float | None
    duration: float | None
    last_success: float | None
    failure: Failure | None
    read: int
    lacking: int
    missing: list[Gap]
    shard: str | None = None
    observation: Observation[Any] | None
    host_names: dict[str, str] = {}
    ages: Ages | UnsetType = UNSET

    @classmethod
    def of_run(cls, run: Run[Any], settings: ProbeSettings) -> ProbeReport:
        """Return the view of a single ``run``."""
        seen = run.observation
        return cls(
            probe=seen.probe,
            account=seen.account,
            api=seen.api,
            interval=settings.interval,
            max_age=settings.max_age,
            stale_after=stale_after_of(settings),
            last_run=run.started_at,
            duration=run.duration,
            last_success=None if run.failure else seen.observed_at,
            failure=run.failure,
            read=len(seen.parts),
            lacking=len(seen.lacking),
            missing=seen.gaps,
            observation=seen.undated(),
            ages=Ages(run.duration, None if run.failure else 0.0, run.duration if seen.has_data else None),
        )
