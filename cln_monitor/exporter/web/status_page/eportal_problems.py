"""The problems of an ePortal: servers that are out of date or silent, and CVEs that their loaded patches do not fix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cln_monitor import policy
from cln_monitor.durations import format_age
from cln_monitor.patches import CveState, state_of_cve
from cln_monitor.probes import EportalFleet, EportalServerState

from . import formatting
from .probe_status import ProbeStatus
from .problem import Details, Problem, problem_of

_KIND = "eportals"
_CVE_ALERT = "ClnCveNotFixed"


def eportal_problems(status: ProbeStatus, now: float) -> Iterator[Problem]:
    """Yield the problems at ``now`` of ``status``, if it is that of an ePortal."""
    observation = status.view.observation
    if observation is None or observation.probe != "eportal":
        return
    for part in observation.parts:
        yield from _of_fleet(part.value, status, now)


def _of_fleet(fleet: EportalFleet, status: ProbeStatus, now: float) -> Iterator[Problem]:
    for cve in fleet.cves:
        yield from _of_cve(cve, fleet, status)
    if outdated := [server for server in fleet.servers if server.is_updated is False]:
        text = f"{_servers(outdated, status)} {'does' if len(outdated) == 1 else 'do'} not have the newest patch"
        yield from problem_of(
            policy.EPORTAL_OUTDATED, _KIND, text, "ClnServersBehind", details=_details(outdated, status)
        )
    silent_before = now - status.stale_after
    if silent := [server for server in fleet.servers if server.last_checkin and server.last_checkin < silent_before]:
        text = f"{_servers(silent, status)} silent for longer than {format_age(status.stale_after)}"
        yield from problem_of(
            policy.EPORTAL_SILENT, _KIND, text, "ClnEportalServersSilent", details=_details(silent, status)
        )


def _of_cve(cve: str, fleet: EportalFleet, status: ProbeStatus) -> Iterator[Problem]:
    """Yield a problem if a server is known not to have the fix in its patch, or else if that is unknown of one."""
    by_state: dict[CveState, list[EportalServerState]] = {"fixed": [], "not_fixed": [], "unknown": []}
    patches = fleet.patches_by_level()
    for server in fleet.servers:
        patch = None if server.patch_level is None else patches.get((server.kernel_id, server.patch_level))
        by_state[state_of_cve(cve, server.patch_level, patch)].append(server)
    unfixed, unknown = by_state["not_fixed"], by_state["unknown"]
    if unfixed:
        also = f", and unknown of {formatting.number(len(unknown))} more" if unknown else ""
        text = f"{cve} is not in the loaded live patch of {_servers(unfixed, status)}{also}"
        yield from problem_of(policy.CVE_NOT_FIXED, _KIND, text, _CVE_ALERT, details=_details(unfixed, status))
    elif unknown:
        text = f"Whether {cve} is in the loaded live patch of {_servers(unknown, status)} is unknown"
        yield from problem_of(policy.CVE_UNKNOWN, _KIND, text, _CVE_ALERT, details=_details(unknown, status))


def _servers(servers: Sequence[EportalServerState], status: ProbeStatus) -> str:
    return f"{formatting.count(len(servers), 'server')} of {status.view.account}"


def _details(servers: Sequence[EportalServerState], status: ProbeStatus) -> Details | None:
    items = [_name(server) for server in servers]
    return Details.from_items(items, len(items), status.json_path)


def _name(server: EportalServerState) -> str:
    name = formatting.short(server.hostname or server.ip or server.server_id)
    level = "an unknown patch" if server.patch_level is None else f"patch {server.patch_level}"
    kernel = formatting.short(server.effective_kernel)
    return f"{name}: {level if server.patch_level != 0 else 'no patch'}{f', {kernel}' if kernel else ''}"
