"""The servers in a report of an ePortal: their names, their patches, and their order."""

from __future__ import annotations

from typing import Any

from cln_monitor.checkin_groups import UNKNOWN
from cln_monitor.checks.eportal_servers import EportalServer, lines_about, oldest_first, servers_in
from tests.helpers.clock import NOW

from .eportal_reports import PATCHES, patch, server
from .views import DAY


def read(*servers: dict[str, Any], patches: tuple[dict[str, Any], ...] = PATCHES) -> list[EportalServer]:
    """Return the servers of a fleet."""
    return servers_in({"servers": list(servers), "patches": list(patches)})


def test_names() -> None:
    """A server is named by host name and address, so that two of one name are two; without either by its id."""
    servers = read(server("app"), server("app", ip="10.0.4.8"), server(""), server("", ip=""))
    assert [one.name for one in servers] == ["app 10.0.4.7", "app 10.0.4.8", "10.0.4.7", "id-of-"]


def test_patches() -> None:
    """A patch is that of the kernel and level; a level that is unknown or not described has none."""
    servers = read(server("a", 31), server("b", 30, kernel_id="2b" * 20), server("c", None), server("d", 0))
    assert [one.patch is not None for one in servers] == [True, False, False, False]
    assert [one.described(NOW).partition(" (")[2] for one in servers] == [
        "patch 31, built 2d ago)",
        "patch 30)",
        "unknown patch)",
        "no patch)",
    ]
    assert servers[0].patch_age(NOW) == 2 * DAY
    assert servers[0].line(NOW) == "a 10.0.4.7 (patch 31, built 2d ago), kernel 4.18.0-553.90.1.el8"


def test_a_patch_built_after_now() -> None:
    """A patch that was built in the future by the local clock is new."""
    (one,) = read(server("a"), patches=(patch(31, age=-60),))
    assert one.patch_age(NOW) == 0


def test_a_checkin_that_is_not_reported() -> None:
    """A last check-in that the report leaves out is unknown, and not never."""
    row = server("a")
    del row["last_checkin"]
    assert [one.last_checkin for one in read(row, server("b", age=None))] == [UNKNOWN, None]


def test_order() -> None:
    """Servers without a patch come first, then the oldest patches, then those of unknown age."""
    patches = (patch(1, age=9 * DAY), patch(2, age=3 * DAY), patch(3, age=None))
    servers = read(*(server(str(level), level) for level in (3, 2, 0, 1)), patches=patches)
    assert [one.level for one in oldest_first(servers, NOW)] == [0, 1, 2, 3]


def test_lines() -> None:
    """The first hundred servers have a line each."""
    servers = read(*[server("a")] * 102)
    assert len(lines_about("x", servers, NOW)) == 101
    assert lines_about("x", servers, NOW)[-1] == "x: … and 2 more servers"
    assert len(lines_about("x", servers[:100], NOW)) == 100
