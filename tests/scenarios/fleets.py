"""Fleets for each row of the policy, and just below its thresholds, with the expected result on each surface."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from cln_monitor import facts
from cln_monitor.checks.states import State
from cln_monitor.cln import STATES, ImunifyServer, KernelCareServer, Limit
from cln_monitor.durations import months_at
from cln_monitor.patches import LivePatch
from cln_monitor.policy import Severity
from cln_monitor.probes import ALL_PROBES, EportalFleet, EportalServerState, Observation, stale_after_of
from cln_monitor.probes.awp import AwpCount, AwpMonth
from cln_monitor.probes.caution import Caution
from cln_monitor.probes.cloudlinux import CloudLinuxKeyState, CloudLinuxProduct, CloudLinuxServerState
from cln_monitor.probes.els import ElsKeyState, ElsProduct, ElsServerState
from cln_monitor.probes.imunify import ImunifyKeyServers
from cln_monitor.probes.patch_status import PatchState
from cln_monitor.probes.status import StatusFlag
from tests.exporter.metrics.rendering import observed
from tests.exporter.web.status_page.factories import DAY, HOUR, kernelcare, key, licensed, server
from tests.helpers.clock import NOW

CRITICAL, WARNING, INFO = Severity.CRITICAL, Severity.WARNING, Severity.INFO


class Fleet(NamedTuple):
    """An observation and its expected severity, None for none. ``stale_after``: seconds, by default a day."""

    name: str
    observation: Observation[Any]
    severity: Severity | None
    stale_after: float = DAY


def of_ages(*ages: float | None, of: str = "s") -> list[KernelCareServer]:
    """Return servers with these check-in ages, each with its own address."""
    return [
        server(f"{of}{place}", age, NOW - 90 * DAY, ip=f"10.{len(of)}.{place // 256}.{place % 256}")
        for place, age in enumerate(ages)
    ]


def used(number: int, limit: int, *, enabled: bool = True) -> Observation[Any]:
    """Return a key with ``number`` fresh servers."""
    return kernelcare(key("a", *of_ages(*[HOUR] * number), limit=limit, enabled=enabled))


def silent(newly: int, total: int, age: float = 2 * DAY) -> Observation[Any]:
    """Return an account with two keys, ``newly`` of whose servers checked in ``age`` ago."""
    servers = of_ages(*[age] * newly, *[HOUR] * (total - newly))
    return kernelcare(key("a", *servers[::2]), key("b", *servers[1::2]))


def one(age: float | None) -> Observation[Any]:
    """Return a key with a server that checked in ``age`` ago, and a fresh one."""
    return kernelcare(key("a", *of_ages(age, HOUR)))


def whole(*ages: float | None, enabled: bool = True) -> Observation[Any]:
    """Return a key with servers of these ages, and a fresh one."""
    return kernelcare(key("a", *of_ages(*ages), enabled=enabled), key("b", *of_ages(HOUR, of="other")))


def registered(age: float | None) -> Observation[Any]:
    """Return a server that never checked in and was registered ``age`` ago."""
    return kernelcare(key("a", server("1", None, None if age is None else NOW - age), *of_ages(HOUR)))


def anew(
    *others: tuple[float, float], enabled: bool = True, old: float = 5 * DAY, old_enabled: bool = True
) -> Observation[Any]:
    """Return a silent server, and ``others`` at its address, by check-in and registration, on another key."""
    new = [server(f"n{place}", age, NOW - created, ip="192.0.2.9") for place, (age, created) in enumerate(others)]
    before = server("old", old, NOW - 90 * DAY, ip="192.0.2.9")
    return kernelcare(key("a", before, enabled=old_enabled), key("b", *new, enabled=enabled))


def imunify(*ages: float | None, limit: int = 0, reported: int | None = None) -> Observation[Any]:
    """Return an Imunify key with servers of these ages."""
    servers = [
        ImunifyServer(str(place), f"192.0.2.{place}", None if age is None else NOW - age)
        for place, age in enumerate(ages)
    ]
    return observed({"i": ImunifyKeyServers("i", "AVP", limit, reported, servers)}, probe="imunify")


def els_of(number: int, limit: int | None) -> Observation[Any]:
    """Return an ELS key with ``number`` servers."""
    servers = [ElsServerState("a", str(place), "192.0.2.1", "") for place in range(number)]
    return observed({"ELS CELS": ElsProduct("ELS CELS", [ElsKeyState("a", limit)], servers)}, probe="els")


def cloudlinux_of(number: int, limit: Limit, *facts_: str) -> Observation[Any]:
    """Return a CloudLinux OS key with ``number`` servers, with cautions of these facts."""
    servers = [CloudLinuxServerState("a", str(place), "192.0.2.1", "") for place in range(number)]
    observation = observed(
        {"CL": CloudLinuxProduct("CL", [CloudLinuxKeyState("a", limit)], servers)}, probe="cloudlinux"
    )
    (part,) = observation.parts
    cautions = tuple(Caution(fact, ("a",)) for fact in facts_)
    return msgspec.structs.replace(observation, parts=(msgspec.structs.replace(part, cautions=cautions),))


def els_at(*ages: float | None) -> Observation[Any]:
    """Return an ELS key with servers of these check-in ages."""
    servers = [
        ElsServerState("a", str(place), f"192.0.2.{place}", f"db{place}", None if age is None else NOW - age)
        for place, age in enumerate(ages)
    ]
    return observed({"CELS": ElsProduct("CELS", [ElsKeyState("a", 0)], servers)}, probe="els")


def els_without_checkins(fact: str) -> Observation[Any]:
    """Return an ELS key whose check-ins CLN does not report, with a caution of this ``fact``."""
    observation = els_of(2, 0)
    (part,) = observation.parts
    cautions = (Caution(fact, ("lastCheckin of 2 servers of CELS",)),)
    return msgspec.structs.replace(observation, parts=(msgspec.structs.replace(part, cautions=cautions),))


def flags(*, good: bool) -> Observation[Any]:
    """Return the status flags of CLN."""
    return observed({"flags": [StatusFlag("xmlrpc", good, good)]}, probe="status", account="")


def kernels(*, ok: bool | None = None, **counts: int) -> Observation[Any]:
    """Return the patch states of an account."""
    is_ok = set(counts) == {"uptodate"} if ok is None else ok
    state = PatchState("reseller", "", is_ok, (counts and dict.fromkeys(STATES, 0) | counts) or None, [])
    return observed({"(reseller)": state}, probe="patch_status")


def kernels_of_keys(outofdate: int, *, is_disabled: bool) -> Observation[Any]:
    """Return the patch states of two keys, one of which has outdated servers."""
    counts = dict.fromkeys(STATES, 0)
    good = PatchState("key", "a", ok=True, counts=counts | {"uptodate": 3}, hosts=[])
    bad = PatchState("key", "b", ok=False, counts=counts | {"outofdate": outofdate}, hosts=[], is_disabled=is_disabled)
    return observed({"a": good, "b": bad}, probe="patch_status")


def bills(current: int, previous: int, other: int = 100) -> Observation[Any]:
    """Return the billing of an AccelerateWP product, and of another one with the same bill as last month."""
    months = zip(months_at(NOW), (current, previous), strict=True)
    return observed(
        {
            month: AwpMonth(month, [AwpCount("AWP_CDN", "", count), AwpCount("AWP_PREMIUM", "", other)])
            for month, count in months
        },
        probe="awp",
    )


def eportal(newest: tuple[float, ...] = (), older: tuple[float, ...] = ()) -> Observation[Any]:
    """Return an ePortal whose servers, of these check-in ages, have the newest patch or an older one."""
    servers = [
        EportalServerState(
            f"s{place}", "k", "main", "10.0.4.7", f"app{place}", NOW - age, patch_level=level, is_updated=level == 31
        )
        for place, (age, level) in enumerate([*((age, 31) for age in newest), *((age, 30) for age in older)])
    ]
    return observed({"servers": EportalFleet(servers)}, probe="eportal", account="dc1")


def covered(*levels: int | None) -> Observation[Any]:
    """Return an ePortal whose servers have the patches of ``levels``, of which 30 and 31 are known; 31 has the fix."""
    kernel, cve = "1a" * 20, "CVE-2026-11111"
    servers = [
        EportalServerState(
            f"s{place}", "k", "main", "10.0.4.7", "app", NOW, kernel_id=kernel, patch_level=level, is_updated=True
        )
        for place, level in enumerate(levels)
    ]
    patches = [LivePatch(kernel, 30, ()), LivePatch(kernel, 31, (cve,))]
    return observed({"servers": EportalFleet(servers, patches, {}, [cve])}, probe="eportal", account="dc1")


def odd(fact: str) -> Observation[Any]:
    """Return a healthy fleet with a caution."""
    observation = one(HOUR)
    (part,) = observation.parts
    return msgspec.structs.replace(
        observation, parts=(msgspec.structs.replace(part, cautions=(Caution(fact, ("a",)),)),)
    )


FLEETS = [
    Fleet("all is well", one(HOUR), None),
    Fleet("a flag is bad", flags(good=False), WARNING),
    Fleet("a flag is good", flags(good=True), None),
    Fleet("a key is full", used(10, 10), WARNING),
    Fleet("a key is more than full", used(11, 10), WARNING),
    Fleet("a key of 2 is full", used(2, 2), WARNING),
    Fleet("a key is nearly full", used(90, 100), WARNING),
    Fleet("a key has room", used(89, 100), None),
    Fleet("a key of 1 is full", used(1, 1), None),
    Fleet("a key has no limit", used(5, 0), None),
    Fleet("a disabled key is full", used(2, 2, enabled=False), INFO),
    Fleet("a disabled key is nearly full", used(9, 10, enabled=False), INFO),
    Fleet("a disabled key has room", used(8, 10, enabled=False), None),
    Fleet("an Imunify key is full", imunify(HOUR, HOUR, limit=2), WARNING),
    Fleet("an Imunify key is full as CLN counts", imunify(HOUR, limit=2, reported=2), WARNING),
    Fleet("an Imunify key has room", imunify(HOUR, limit=2, reported=0), None),
    Fleet("an ELS key is full", els_of(2, 2), WARNING),
    Fleet("an ELS key has room", els_of(1, 2), None),
    Fleet("an ELS key of 1 is full", els_of(1, 1), None),
    Fleet("a CloudLinux OS key is full", cloudlinux_of(2, 2), WARNING),
    Fleet("a CloudLinux OS key is nearly full", cloudlinux_of(9, 10), WARNING),
    Fleet("a CloudLinux OS key has room", cloudlinux_of(8, 10), None),
    Fleet("a CloudLinux OS key of 1 is full", cloudlinux_of(1, 1), None),
    Fleet("a CloudLinux OS key has no limit", cloudlinux_of(5, 0), None),
    Fleet("a CloudLinux OS limit is not told", cloudlinux_of(5, None, facts.LIMIT_NOT_TOLD), INFO),
    Fleet("a CloudLinux OS limit is unreadable", cloudlinux_of(5, "-1", facts.LIMIT_UNREADABLE), WARNING),
    Fleet("a limit is not told", odd("limit_not_told"), INFO),
    Fleet("a limit is unreadable", odd("limit_unreadable"), WARNING),
    Fleet("a field is missing", odd("field_missing"), WARNING),
    Fleet("a check-in is ahead", odd("checkin_ahead"), WARNING),
    Fleet("servers were lost", odd("servers_dropped"), WARNING),
    Fleet("all servers were lost", odd("servers_gone"), CRITICAL),
    Fleet("a server is silent", one(DAY + 1), WARNING),
    Fleet("a server is fresh", one(DAY), None),
    Fleet("a server is silent for 30 days", one(30 * DAY), WARNING),
    Fleet("a server is gone", one(30 * DAY + 1), INFO),
    Fleet("silent after 12 hours", one(12 * HOUR + 1), WARNING, 12 * HOUR),
    Fleet("fresh for 12 hours", one(12 * HOUR), None, 12 * HOUR),
    Fleet("fresh for 40 days", one(40 * DAY), None, 40 * DAY),
    Fleet("gone after 40 days", one(40 * DAY + 1), INFO, 40 * DAY),
    Fleet("26 fell silent", silent(26, 400), CRITICAL),
    Fleet("25 fell silent", silent(25, 400), WARNING),
    Fleet("26 fell silent a while ago", silent(26, 400, age=4 * DAY + 1), WARNING),
    Fleet("more than a tenth fell silent", silent(5, 49), CRITICAL),
    Fleet("a tenth fell silent", silent(5, 50), WARNING),
    Fleet("less than 5 fell silent", silent(4, 12), WARNING),
    Fleet("26 fell silent of 12 hours", silent(26, 400, age=84 * HOUR), CRITICAL, 12 * HOUR),
    Fleet("26 fell silent of 12 hours a while ago", silent(26, 400, age=84 * HOUR + 1), WARNING, 12 * HOUR),
    Fleet("26 fell silent of 40 days", silent(26, 400, age=43 * DAY), CRITICAL, 40 * DAY),
    Fleet("26 fell silent of 40 days a while ago", silent(26, 400, age=43 * DAY + 1), INFO, 40 * DAY),
    Fleet("a key fell silent", whole(2 * DAY, 9 * DAY), CRITICAL),
    Fleet("a key fell silent, just in time", whole(4 * DAY, 9 * DAY), CRITICAL),
    Fleet("a key fell silent a while ago", whole(4 * DAY + 1, 9 * DAY), WARNING),
    Fleet("a key fell silent but for one", whole(DAY, 9 * DAY), WARNING),
    Fleet("a key of one fell silent", whole(2 * DAY), WARNING),
    Fleet("a key fell silent of 2 of which one never checked in", whole(2 * DAY, None), WARNING),
    Fleet("a key fell silent of 40 days", whole(43 * DAY, 50 * DAY), CRITICAL, 40 * DAY),
    Fleet("a disabled key fell silent", whole(2 * DAY, 9 * DAY, enabled=False), INFO),
    Fleet("many of a disabled key fell silent", whole(*[2 * DAY] * 30, 31 * DAY, None, enabled=False), INFO),
    Fleet("a disabled key is fresh", whole(HOUR, enabled=False), None),
    Fleet("never checked in", registered(DAY + 1), WARNING),
    Fleet("not checked in yet", registered(DAY), None),
    Fleet("registered nobody knows when", registered(None), INFO),
    Fleet("an Imunify server never checked in", imunify(None, HOUR), INFO),
    Fleet("an Imunify server is silent", imunify(2 * DAY, HOUR), WARNING),
    Fleet("an Imunify key fell silent", imunify(2 * DAY, 2 * DAY), CRITICAL),
    Fleet("ELS servers check in", els_at(HOUR, HOUR), None),
    Fleet("an ELS server never checked in", els_at(None, HOUR), INFO),
    Fleet("an ELS server is silent", els_at(2 * DAY, HOUR), WARNING),
    Fleet("an ELS server is gone", els_at(40 * DAY, HOUR), INFO),
    Fleet("an ELS key fell silent", els_at(2 * DAY, 2 * DAY), CRITICAL),
    Fleet("check-ins of ELS were never reported", els_without_checkins(facts.CHECKIN_NOT_TOLD), INFO),
    Fleet("check-ins of ELS are no longer reported", els_without_checkins(facts.FIELD_MISSING), WARNING),
    Fleet("superseded", anew((HOUR, 4 * DAY)), INFO),
    Fleet("superseded though gone", anew((HOUR, 4 * DAY), old=40 * DAY), INFO),
    Fleet("registered anew, and silent again", anew((DAY + 1, 4 * DAY)), WARNING),
    Fleet("registered before the last check-in", anew((HOUR, 6 * DAY)), WARNING),
    Fleet("behind NAT", anew((HOUR, 4 * DAY), (HOUR, 3 * DAY)), WARNING),
    Fleet("superseded on a disabled key", anew((HOUR, 4 * DAY), enabled=False), INFO),
    Fleet("superseded of a disabled key", anew((HOUR, 4 * DAY), old_enabled=False), INFO),
    Fleet("kernels up to date", kernels(uptodate=3), None),
    Fleet("kernels out of date", kernels(uptodate=3, outofdate=1), WARNING),
    Fleet("kernels unsupported", kernels(uptodate=3, unsupported=1), WARNING),
    Fleet("servers inactive", kernels(uptodate=3, inactive=1), WARNING),
    Fleet("kernels not up to date, uncounted", kernels(ok=False), WARNING),
    Fleet("kernels up to date, uncounted", kernels(ok=True), None),
    Fleet("kernels of a key out of date", kernels_of_keys(2, is_disabled=False), WARNING),
    Fleet("kernels of a disabled key out of date", kernels_of_keys(2, is_disabled=True), INFO),
    Fleet("a license is unused", licensed(("A", False, None), ("A", True, HOUR), created=7 * DAY), INFO),
    Fleet("a license is new", licensed(("A", False, None), ("A", True, HOUR), created=7 * DAY - 1), None),
    Fleet("nobody knows of a license", licensed(("A", None, None), ("A", True, HOUR)), INFO),
    Fleet(
        "a licensed server never checked in", licensed(("A", True, None), ("A", True, HOUR), created=2 * DAY), WARNING
    ),
    Fleet(
        "a licensed server has time to check in", licensed(("A", True, None), ("A", True, HOUR), created=DAY - 1), None
    ),
    Fleet("a licensed server is silent", licensed(("A", True, 2 * DAY), ("A", True, HOUR)), WARNING),
    Fleet("a licensed server is gone", licensed(("A", True, 31 * DAY), ("A", True, HOUR)), INFO),
    Fleet("many licensed servers fell silent", licensed(*[("A", True, 2 * DAY)] * 5, ("A", True, HOUR)), CRITICAL),
    Fleet("the licensed servers are silent", licensed(*[("A", True, 2 * DAY)] * 4), WARNING),
    Fleet("an unused license is not silent", licensed(("A", False, 2 * DAY), ("A", True, HOUR)), None),
    Fleet("a bill jumped", bills(31, 20), INFO),
    Fleet("a bill rose by half", bills(30, 20), None),
    Fleet("a small bill rose by 9", bills(11, 2), None),
    Fleet("an ePortal is well", eportal(newest=(HOUR, 2 * DAY)), None, 2 * DAY),
    Fleet("an ePortal's server is outdated", eportal(newest=(HOUR,), older=(HOUR,)), WARNING, 2 * DAY),
    Fleet("an ePortal's server is silent", eportal(newest=(HOUR, 2 * DAY + 1)), WARNING, 2 * DAY),
    Fleet("an ePortal's server has been silent for long", eportal(newest=(HOUR, 90 * DAY)), WARNING, 2 * DAY),
    Fleet("what nobody knows of is silent", licensed(("A", None, 2 * DAY), ("A", True, HOUR)), WARNING),
]

COVERAGES = [
    (covered(31, 31), State.OK),
    (covered(31, 30), State.WARNING),
    (covered(31, 0), State.WARNING),
    (covered(30, None), State.WARNING),
    (covered(31, None), State.UNKNOWN),
    (covered(31, 7), State.UNKNOWN),
]
"""ePortals with a CVE, with the state of the plugin. The page has a warning for each that is not OK."""


def settings_of(fleet: Fleet) -> Any:
    """Return the settings of the probe of a fleet."""
    settings: Any = ALL_PROBES[fleet.observation.probe].settings
    fleet_settings = settings()
    return fleet_settings if stale_after_of(fleet_settings) is None else settings(stale_after=float(fleet.stale_after))
