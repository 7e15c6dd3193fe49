"""The metrics of CLN's own status (API document, ``/status.json``)."""

from __future__ import annotations

from cln_monitor.exporter.metrics.families import POLLED, Family, Series
from cln_monitor.probes import Observation, StatusFlag, StatusSettings

FLAG = Family(
    "cln_status_flag",
    f"Flag of CLN's services as reported by /status.json; 1 for true. {POLLED}",
    ("api", "flag"),
)
OK = Family(
    "cln_status_ok",
    "Whether the flag of /status.json is in its good state: false for rhn_overloaded and rhn_queue_full, true for all "
    f"others. {POLLED}",
    ("api", "flag"),
)
FAMILIES = (FLAG, OK)
PER_SERVER: tuple[Family, ...] = ()


def render(observation: Observation[list[StatusFlag]], _: StatusSettings, series: Series) -> None:
    """Add the series of ``observation`` to ``series``."""
    for part in observation.parts:
        for flag in part.value:
            series.add(FLAG, (observation.api, flag.name), int(flag.value))
            series.add(OK, (observation.api, flag.name), int(flag.good))
