"""A fleet behind an ePortal in the middle of a rollout: half of its servers have loaded the newest patch."""

from random import Random

from .model import (
    DAY,
    HOUR,
    Never,
    SimulatedEportal,
    SimulatedEportalServer,
    SimulatedKernel,
    SimulatedPatchServer,
    Steady,
    Stopped,
)

NEW_CVE = "CVE-2026-11111"
"""The CVE that the newest patches fix, and so half of the servers."""
OLD_CVE = "CVE-2026-22222"
"""A CVE that all patches since some weeks fix."""
DEMO_CVES = (NEW_CVE, OLD_CVE)
"""The CVEs of the demo's configuration."""

_ROLLED_OUT = 2 * DAY  # the time that a rollout takes
_BUILT = DAY  # ago


def populate_rollout(
    eportal: SimulatedEportal, patches: SimulatedPatchServer, servers: int, random: Random, now: float
) -> None:
    """Add kernels, feeds, keys and `servers` servers, which load patches before and after `now` (Unix seconds).

    Half of the servers have the newest patch, and the others load it later. Of 12 servers or more, the last eight are
    of rarer kinds: two of the same name, two silent for days, a kernel that the patch server does not know, a patch
    above the newest one, no patch at all, and a level that is not reported. One more has never checked in.
    """
    kernels = [patches.add_kernel(kernel) for kernel in _kernels(now)]
    eportal.add_feed("delayed", deploy_after=7 * 24)
    fast, slow = eportal.add_key("webservers-2026"), eportal.add_key("databases-2026", "delayed")
    for number in range(servers):
        key = slow if number % 5 == 4 else fast
        kernel = kernels[number % len(kernels)]
        _add_server(eportal, kernel, key, place=number / servers, random=random, now=now)
    if servers >= 12:
        _make_rare(eportal, list(eportal.servers.values())[-8:], now)


def _kernels(now: float) -> list[SimulatedKernel]:
    alma = SimulatedKernel("almalinux8", "4.18.0-553.el8.x86_64", distro="AlmaLinux", distro_version="8.10")
    alma.add_patch(now - 60 * DAY, ("skbuff-overflow", "cve-2026-33333"), effective_kernel="4.18.0-553.70.1.el8")
    alma.add_patch(
        now - 30 * DAY,
        ("netfilter-use-after-free", f"{OLD_CVE}, CVE-2026-44444"),
        ("workqueue-warning", "N/A"),
        effective_kernel="4.18.0-553.84.1.el8",
    )
    alma.add_patch(now - _BUILT, ("io-uring-race", f"{NEW_CVE} CVE-2026-55555"), effective_kernel="4.18.0-553.90.1.el8")
    rocky = SimulatedKernel("rockylinux9", "5.14.0-503.11.1.el9_5.x86_64", distro="Rocky Linux", distro_version="9.5")
    rocky.add_patch(now - 40 * DAY, ("netfilter-use-after-free", OLD_CVE), effective_kernel="5.14.0-503.40.1.el9_5")
    rocky.add_patch(now - _BUILT, ("io-uring-race", NEW_CVE), effective_kernel="5.14.0-570.17.1.el9_6")
    return [alma, rocky]


def _add_server(
    eportal: SimulatedEportal, kernel: SimulatedKernel, key: str, *, place: float, random: Random, now: float
) -> None:
    """Add a server that loads each patch some time after its feed has it; `place` in the rollout is from 0 to 1."""
    registered = now - random.randrange(100 * DAY, 500 * DAY)
    checkins = Steady(random.getrandbits(32), registered)
    delay = eportal.feeds[eportal.keys[key]].delay
    loads = [(patch.built_at + delay + random.randrange(DAY), patch.level) for patch in kernel.patches[:-1]]
    newest = kernel.patches[-1]
    # Before the last check-in of a steady agent, which may be 5 hours ago, or after `now`.
    share = place / 0.6  # a fifth of the servers is delayed
    wait = share * (_BUILT - 6 * HOUR) if share < 1 else _BUILT + (share - 1) * (_ROLLED_OUT - _BUILT) + HOUR
    loads.append((newest.built_at + delay + wait, newest.level))
    eportal.add_server(kernel, key, registered=registered, loads=loads, checkins=checkins)


def _make_rare(eportal: SimulatedEportal, servers: list[SimulatedEportalServer], now: float) -> None:
    one, other, silent, longer, unknown, above, bare, unreported = servers
    other.hostname = one.hostname
    silent.checkins = Stopped(silent.checkins, now - 3 * DAY)
    longer.checkins = Stopped(longer.checkins, now - 9 * DAY)
    unknown.kernel = SimulatedKernel("ubuntu-focal", "5.4.0-216-custom", distro="Ubuntu", distro_version="20.04")
    unknown.kernel.add_patch(now - 20 * DAY, level=5)
    unknown.loads = [(now - 19 * DAY, 5)]
    newest = above.kernel.patches[-1].level
    above.loads = [*above.loads[:-1], (now - 2 * DAY, newest + 1)]
    bare.loads = []
    unreported.reports_level = False
    never = eportal.add_server(bare.kernel, bare.key, registered=now - 2 * DAY, loads=[], checkins=Never())
    never.tags = "new"
