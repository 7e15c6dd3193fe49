"""What can be set of a probe."""

from __future__ import annotations

from typing import NewType

import msgspec

Duration = NewType("Duration", float)
"""Seconds; a configuration spells them ``90s``, ``15m``, ``24h``, ``1d``."""

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


class ProbeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What every probe has. ``interval``: seconds between polls; ``max_age``: how long its last good data count."""

    enabled: bool = True
    interval: Duration
    max_age: Duration


class CheckinSettings(ProbeSettings, frozen=True, kw_only=True):
    """Of a probe whose servers check in: stale after ``stale_after`` seconds; a series a server unless switched off."""

    interval: Duration = Duration(15 * MINUTE)
    max_age: Duration = Duration(HOUR)
    stale_after: Duration = Duration(24 * HOUR)
    server_series: bool = True
