"""The probe of CLN itself: the flags of its services."""

from __future__ import annotations

import msgspec

from .probe import Plan, ProbeContext, Reading
from .settings import MINUTE, Duration, ProbeSettings


class StatusFlag(msgspec.Struct, frozen=True):
    """A flag of CLN's status: its ``value`` as reported, and whether that is its ``good`` state."""

    name: str
    value: bool
    good: bool


class StatusSettings(ProbeSettings, frozen=True, kw_only=True):
    """Settings of the probe ``status``."""

    interval: Duration = Duration(MINUTE)
    max_age: Duration = Duration(5 * MINUTE)


class StatusProbe:
    """Reads the flags of CLN's services, which do not belong to an account."""

    name = "status"
    settings = StatusSettings
    per_account = False
    is_sharded = False

    def plan(self, context: ProbeContext) -> Plan[list[StatusFlag]]:
        """Return the only part, ``flags``."""
        return Plan({"flags": lambda: _read(context)})


def _read(context: ProbeContext) -> Reading[list[StatusFlag]]:
    status = context.client.status.flags()
    scrub = context.client.scrub
    return Reading([StatusFlag(scrub(name), value, status.is_good(name)) for name, value in status.flags.items()])
