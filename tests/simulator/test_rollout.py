"""The fleet of the demo behind an ePortal: half of it has the newest patch, and the rest follows."""

from collections import Counter
from random import Random

import pytest

from cln_monitor.simulator import SimulatedEportalServer, Simulator
from cln_monitor.simulator.rollout import NEW_CVE, populate_rollout
from tests.simulator.asking import NOW

DAY = 86400


def _fixes(server: SimulatedEportalServer, now: float) -> bool:
    patch = server.kernel.patch(server.loaded(now)[1])
    return patch is not None and any(NEW_CVE in cves for _, cves in patch.fixes)


@pytest.mark.parametrize("seed", range(5))
def test_half_of_the_demo_has_the_newest_fix(seed: int) -> None:
    """In the demo about half of the servers have the newest fix, all of them but the delayed and silent ones later."""
    simulator = Simulator.demo(seed, clock=lambda: NOW)
    servers = list(simulator.eportal.servers.values())
    share = sum(_fixes(server, NOW) for server in servers) / len(servers)
    assert 0.4 < share < 0.6
    before = share
    for days, least in ((1, 0.6), (4, 0.65), (10, 0.8)):
        share = sum(_fixes(server, NOW + days * DAY) for server in servers) / len(servers)
        assert share >= max(before, least)
        before = share


def test_rare_kinds() -> None:
    """The demo has servers of one name, silent ones, and patches that are unknown, newer, missing or not reported."""
    simulator = Simulator.demo(clock=lambda: NOW)
    servers = list(simulator.eportal.servers.values())
    assert max(Counter(server.hostname for server in servers).values()) == 2
    checkins = [server.last_checkin(NOW) for server in servers]
    assert checkins.count(None) == 1
    assert sum(at is not None and NOW - at > 2 * DAY for at in checkins) == 2
    assert sum(server.kernel.kernel_id not in simulator.patches.kernels for server in servers) == 1
    assert sum(not server.reports_level for server in servers) == 1
    newest = {server: server.kernel.newest(NOW) for server in servers}
    assert sum(patch is not None and server.loaded(NOW)[1] > patch.level for server, patch in newest.items()) == 1


@pytest.mark.parametrize("servers", [0, 1, 11, 12, 500])
def test_any_number_of_servers(simulator: Simulator, servers: int) -> None:
    """A fleet may be of any size; a small one has no rare kinds."""
    populate_rollout(simulator.eportal, simulator.patches, servers, Random(1), NOW)
    assert len(simulator.eportal.servers) == servers + (servers >= 12)
