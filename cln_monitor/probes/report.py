"""Reports of probes: the JSON of the exporter's API, which the checks evaluate."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from cln_monitor import __version__

from .observation import Failure, Gap, Observation
from .progress import FirstPoll
from .runner import Run
from .settings import ProbeSettings, stale_after_of

FORMAT = 1
"""Version of the report format; incremented when readers of the previous version would misread a report.

Readers ignore fields that they do not know, so a field can be added, but not removed, without incrementing it.
``tests/versions`` has reports of earlier versions.
"""


class Ages(msgspec.Struct, frozen=True):
    """Seconds since the last run started, since the last success, and since the oldest part was read; None for never.

    The process that ran the probe measures them by its monotonic clock, so wrong system clocks do not matter.
    """

    last_run: float | None = None
    last_success: float | None = None
    oldest_part: float | None = None


class ProbeReport(msgspec.Struct, frozen=True, kw_only=True):
    """The status and the last data of a probe. Times are in Unix seconds; ``interval`` and ``max_age`` in seconds.

    ``stale_after`` is the number of seconds after which a server counts as silent; None if servers do not check in.
    ``last_run`` is the start of the last run, and ``duration`` its length in seconds; None before the first run.
    ``failure`` is that of the last run. ``observation`` may have parts of earlier runs, each with its own time.
    ``parts_ok`` and ``parts_missing`` are the numbers of parts with and without data (``read`` and ``lacking`` in
    JSON); ``missing`` lists all parts that the last run could not read. ``host_names`` are those of the servers, by
    server id, or by address if servers have no id; they come from other probes. ``shard``, such as ``0/3``, is set if
    other exporters read further parts of the account. ``ages`` are those at the time of the report. ``first_poll`` is
    set while a poll is in progress and there are no data of a finished one. ``exporter_version`` is the version of
    cln-monitor, which readers name when they do not understand a report.
    """

    format: int = FORMAT
    exporter_version: str = __version__
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
    parts_ok: int = msgspec.field(name="read")
    parts_missing: int = msgspec.field(name="lacking")
    missing: list[Gap]
    shard: str | None = None
    observation: Observation[Any] | None
    host_names: dict[str, str] = {}
    ages: Ages | UnsetType = UNSET
    first_poll: FirstPoll | UnsetType = UNSET

    @classmethod
    def of_run(cls, run: Run[Any], settings: ProbeSettings) -> ProbeReport:
        """Return the report of a single ``run``."""
        observation = run.observation
        return cls(
            probe=observation.probe,
            account=observation.account,
            api=observation.api,
            interval=settings.interval,
            max_age=settings.max_age,
            stale_after=stale_after_of(settings),
            last_run=run.started_at,
            duration=run.duration,
            last_success=None if run.failure else observation.observed_at,
            failure=run.failure,
            parts_ok=len(observation.parts),
            parts_missing=len(observation.parts_missing),
            missing=observation.gaps,
            observation=observation.undated(),
            ages=Ages(run.duration, None if run.failure else 0.0, run.duration if observation.has_data else None),
        )
