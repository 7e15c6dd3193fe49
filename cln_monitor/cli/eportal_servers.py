"""The servers of the ePortals in the configuration, with what is known about their live patches."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, cast

from msgspec import UNSET

from cln_monitor.cln import ClnError, Deadline, SystemClock, mask_key
from cln_monitor.config import ClientFactory, EportalConfig
from cln_monitor.durations import format_age
from cln_monitor.eportal import EportalClient, EportalServer
from cln_monitor.patches import (
    CveState,
    LivePatch,
    PatchReading,
    is_behind,
    parse_cve,
    patch_age,
    reason_unknown,
    state_of_cve,
)
from cln_monitor.probes import stale_after_of
from cln_monitor.source_kinds import EPORTAL

from .output import Row, eprint
from .session import Session
from .usage import UsageError

_MOST_PROBLEMS = 5  # named on stderr


class ServerOfEportal(NamedTuple):
    """A server: its ``row`` for the output, and whether it ``is_behind`` and ``is_silent``, as far as known.

    ``is_behind`` is what the ePortal says about the feed of the server; if it says nothing, the patch is compared with
    the newest level of the default channel.
    ``reason_unknown`` says why ``cve_state`` is unknown, empty if it is not.
    """

    row: Row
    cve_state: CveState | None
    reason_unknown: str
    is_behind: bool | None
    is_silent: bool


class Eportals(NamedTuple):
    """The servers of several ePortals, and the ``errors`` of those that could not be read."""

    servers: list[ServerOfEportal]
    errors: list[ClnError]


def check_cve(name: str, text: str) -> str:
    """Return the CVE id in the argument ``name``, in capitals. Raises UsageError."""
    try:
        return parse_cve(text)
    except ValueError as error:
        raise UsageError(f"{name}: {error}") from None


def choose_eportals(session: Session) -> list[EportalConfig]:
    """Return the ePortal of ``--account``, or all of the configuration. Raises SelectionError without any."""
    session.selection = session.selection._replace(kind=EPORTAL)  # accounts of CLN are not read
    return session.selection.eportals_of(session.config)


def read_eportals(session: Session, eportals: Sequence[EportalConfig], cve: str | None) -> Eportals:
    """Return the servers of ``eportals``, with the state of ``cve`` if there is one.

    What could not be read from the patch server is reported on stderr.
    """
    clock = SystemClock()
    clients = ClientFactory(session.config, clock, session.redactor)
    servers: list[ServerOfEportal] = []
    errors: list[ClnError] = []
    problems: dict[str, None] = {}
    for eportal in eportals:
        context = clients.for_eportal(eportal)
        client = cast(EportalClient, context.client)
        try:
            rows = client.servers()
        except ClnError as error:
            errors.append(error)
            continue
        finally:
            client.close()
        loaded = {(row.kernel_id, row.patch_level) for row in rows if row.kernel_id and row.patch_level is not None}
        never = Deadline.never(clock)
        reading = PatchReading({}, {}) if context.catalog is None else context.catalog.read(loaded, never)
        problems |= dict.fromkeys(reading.problems)
        now = context.cln_now
        silent_before = now - (stale_after_of(session.config.probes["eportal"]) or math.inf)
        servers += _servers(eportal.name, rows, reading, cve=cve, now=now, silent_before=silent_before)
    for problem in list(problems)[:_MOST_PROBLEMS]:
        eprint(f"note: {session.redactor.scrub(problem)}")
    if (more := len(problems) - _MOST_PROBLEMS) > 0:
        eprint(f"note: {more} more {'request' if more == 1 else 'requests'} to the patch server failed")
    return Eportals(servers, errors)


def report_coverage(cve: str, servers: Sequence[ServerOfEportal]) -> None:
    """Print on stderr on how many of ``servers`` a CVE is fixed, and why that is unknown of some."""
    if not servers:
        return
    counts = Counter(server.cve_state for server in servers)
    total = f"{len(servers)} server{'s' * (len(servers) != 1)}"
    eprint(
        f"{cve}: fixed by the live patch of {counts['fixed']} of {total}, not fixed on {counts['not_fixed']}, "
        f"unknown on {counts['unknown']}"
    )
    for reason, number in Counter(server.reason_unknown for server in servers if server.reason_unknown).items():
        eprint(f"note: unknown on {number}: {reason}")


def _servers(
    account: str,
    rows: Sequence[EportalServer],
    reading: PatchReading,
    *,
    cve: str | None,
    now: float,
    silent_before: float,
) -> Iterator[ServerOfEportal]:
    for row in rows:
        level = row.patch_level
        patch = None if level is None else reading.patches.get((row.kernel_id, level))
        newest = reading.newest.get(row.kernel_id)
        state = None if cve is None else state_of_cve(cve, level, patch)
        is_silent = isinstance(row.last_checkin, float) and row.last_checkin < silent_before
        behind = is_behind(level, newest) if row.is_updated is None else not row.is_updated
        reason = reason_unknown(level, row.kernel_id, patch) if state == "unknown" else ""
        about = {"account": account, "cve": cve, "cve_state": state, "newest_level": newest, "behind": behind}
        about["cve_unknown_because"] = reason or None
        shown = {**_row(row, patch, now), **about, "silent": None if row.last_checkin is UNSET else is_silent}
        yield ServerOfEportal(shown, state, reason, behind, is_silent)


def _row(row: EportalServer, patch: LivePatch | None, now: float) -> dict[str, Any]:
    built = None if patch is None else patch.built_at
    age = patch_age(built, now)
    return {
        "id": row.server_id,
        "hostname": row.hostname,
        "ip": row.ip,
        "key": row.key,
        "mask": mask_key(row.key) if row.key else "",
        "feed": row.feed,
        "effective_kernel": row.effective_kernel,
        "running_kernel": row.running_kernel,
        "kernel_id": row.kernel_id,
        "patch_level": row.patch_level,
        "updated": row.is_updated,
        "patch_built": built,
        "patch_age_seconds": None if age is None else int(age),
        "patch_age": None if age is None else format_age(age),
        "patched": row.patched_at,
        "last_checkin": row.last_checkin,
        "distro": row.distro,
        "tags": list(row.tags),
    }
