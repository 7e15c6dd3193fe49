"""The probe of an ePortal: its servers, the patch that each has loaded, and what these patches fix."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import cast

import msgspec
from msgspec import UNSET

from cln_monitor import facts
from cln_monitor.cln import LastCheckin
from cln_monitor.eportal import EportalClient, EportalServer
from cln_monitor.patches import LivePatch, PatchReading

from .caution import Caution, address_cautions, checkin_cautions
from .checkins import without_ahead
from .probe import Plan, ProbeContext, Reading
from .redaction import redact_rows
from .settings import HOUR, CheckinSettings, Duration

SERVERS = "servers"
"""The name of the only part."""


class EportalServerState(msgspec.Struct, frozen=True):
    """A server of an ePortal; ``key`` is the label of its key. Times are Unix seconds; the rest as in EportalServer."""

    server_id: str
    key: str
    feed: str
    ip: str
    hostname: str
    last_checkin: LastCheckin = UNSET
    patched_at: float | None = None
    effective_kernel: str = ""
    running_kernel: str = ""
    kernel_id: str = ""
    patch_level: int | None = None
    kcare_version: str = ""
    distro: str = ""
    is_updated: bool | None = None


class EportalFleet(msgspec.Struct, frozen=True):
    """The servers of an ePortal, and what is known about their patches.

    ``patches`` are the loaded ones that the patch server describes, ``newest`` the newest levels of the default channel
    by kernel id. ``cves`` are those of the configuration.
    """

    servers: list[EportalServerState]
    patches: list[LivePatch] = []
    newest: dict[str, int] = {}
    cves: list[str] = []

    def patches_by_level(self) -> dict[tuple[str, int], LivePatch]:
        """Return the patches by kernel id and level."""
        return {(patch.kernel_id, patch.level): patch for patch in self.patches}


class EportalSettings(CheckinSettings, frozen=True, kw_only=True):
    """Settings of the probe ``eportal``.

    An ePortal behind another one, or behind CLN, passes check-ins on once a day, so ``stale_after`` is two days.
    """

    stale_after: Duration = Duration(48 * HOUR)


class EportalProbe:
    """Reads the servers of an ePortal, and, from the patch server, each patch that is not known yet."""

    name = "eportal"
    settings = EportalSettings
    per_account = True
    is_sharded = False

    def plan(self, context: ProbeContext) -> Plan[EportalFleet]:
        """Return one part with all servers."""
        return Plan({SERVERS: partial(_read, context)})


def _read(context: ProbeContext) -> Reading[EportalFleet]:
    client = cast(EportalClient, context.client)  # which offers the runner what a client of CLN does
    rows = client.servers()
    scrub = cache(client.scrub)  # versions, of which a fleet has few, and of which many have spaces
    states = [_state(context, row, scrub) for row in rows]
    redacted = redact_rows(context.client, states, "server_id", "feed", "ip", "hostname")
    servers, ahead = without_ahead(redacted, context.cln_now)
    patches = _read_patches(context, client, rows)
    owner = "of the ePortal"
    cautions = (
        *address_cautions(servers, owner),
        *checkin_cautions(servers, ahead, owner, field="checkin"),
        *Caution.for_names(facts.PATCHES_UNREADABLE, patches.problems),
    )
    fleet = EportalFleet(servers, list(patches.patches.values()), dict(patches.newest), list(context.cves))
    return Reading(fleet, cautions)


def _state(context: ProbeContext, server: EportalServer, scrub: Callable[[str], str]) -> EportalServerState:
    return EportalServerState(
        server.server_id,
        context.key_label(server.key) if server.key else "",
        server.feed,
        server.ip,
        server.hostname,
        server.last_checkin,
        server.patched_at,
        scrub(server.effective_kernel),
        scrub(server.running_kernel),
        server.kernel_id,
        server.patch_level,
        scrub(server.kcare_version),
        scrub(server.distro),
        server.is_updated,
    )


def _read_patches(context: ProbeContext, client: EportalClient, servers: Sequence[EportalServer]) -> PatchReading:
    if context.catalog is None:
        return PatchReading({}, {})
    loaded = {(row.kernel_id, row.patch_level) for row in servers if row.kernel_id and row.patch_level is not None}
    # Two ePortals ask for the same kernels, but not at the same moment of their intervals.
    return context.catalog.read(loaded, client.deadline, newest_max_age=context.settings.interval / 2)
