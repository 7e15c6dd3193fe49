"""The servers of an ePortal load patches as time passes, and the ePortal knows it from their check-ins."""

from cln_monitor.simulator import Fixed, SimulatedKernel, Simulator, Stopped
from cln_monitor.simulator.model import Steady
from tests.simulator.asking import NOW

HOUR, DAY = 3600, 86400


def test_a_patch_is_known_at_the_next_check_in(simulator: Simulator) -> None:
    """A patch that a server has loaded after its last check-in is not known to the ePortal."""
    kernel, eportal = SimulatedKernel("almalinux8", "4.18.0-553.el8.x86_64"), simulator.eportal
    loads: list[tuple[float, int]] = [(NOW - DAY, 1), (NOW - HOUR, 2)]
    server = eportal.add_server(
        kernel, eportal.add_key("web"), registered=NOW - 9 * DAY, loads=loads, checkins=Fixed(NOW - 2 * HOUR)
    )
    assert server.loaded(NOW) == (NOW - DAY, 1)
    server.checkins = Fixed(NOW)
    assert server.loaded(NOW) == (NOW - HOUR, 2)
    server.checkins = Stopped(Steady(1, NOW - 9 * DAY), NOW - 2 * DAY)
    assert server.loaded(NOW) == (None, 0)


def test_up_to_date(simulator: Simulator) -> None:
    """A server is up to date with the newest patch of its feed, with a newer one, and without any patch to load."""
    kernel, eportal = SimulatedKernel("almalinux8", "4.18.0-553.el8.x86_64"), simulator.eportal
    eportal.add_feed("delayed", deploy_after=24)
    keys = eportal.add_key("web"), eportal.add_key("late", "delayed")

    def add(key: str, level: int) -> bool:
        server = eportal.add_server(
            kernel, key, registered=NOW - DAY, loads=[(NOW - HOUR, level)], checkins=Fixed(NOW - HOUR)
        )
        return eportal.is_updated(server, NOW)

    assert add(keys[0], 0)
    kernel.add_patch(NOW - 3 * DAY)
    kernel.add_patch(NOW - 3 * HOUR)
    assert [add(keys[0], level) for level in (0, 1, 2, 3)] == [False, False, True, True]
    assert [add(keys[1], level) for level in (0, 1, 2, 3)] == [False, True, True, True]


def test_names(simulator: Simulator) -> None:
    """Servers have names and addresses of their own, and can be removed."""
    kernel, eportal = SimulatedKernel("almalinux8", "4.18.0-553.el8.x86_64"), simulator.eportal
    key = eportal.add_key("web")
    servers = [eportal.add_server(kernel, key, registered=NOW, loads=[]) for _ in range(300)]
    assert len({server.server_id for server in servers}) == len({server.ip for server in servers}) == 300
    eportal.remove_server(servers[0].server_id)
    assert len(eportal.servers) == 299
