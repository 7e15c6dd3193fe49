"""The index of servers: each server is found by its address in any notation, and by its id."""

from __future__ import annotations

import pytest

from cln_monitor.cln import KernelCareServer
from cln_monitor.exporter.forms import server_index
from cln_monitor.exporter.forms.server_index import ServerIndex, packed
from cln_monitor.probes import KernelCareKeyServers, Observation, Part
from tests.helpers.clock import NOW


def index_of(*lists: list[tuple[str, str]]) -> ServerIndex:
    """Return the index of keys with servers of these ids and addresses."""
    parts = tuple(
        Part(
            f"k{number}",
            NOW,
            KernelCareKeyServers(
                f"k{number}", "", None, 0, [KernelCareServer(id_, ip, None, NOW) for id_, ip in servers]
            ),
        )
        for number, servers in enumerate(lists)
    )
    return ServerIndex(Observation("kernelcare", "acme", "cln.example.net", NOW, parts))


LISTS: tuple[list[tuple[str, str]], ...] = (
    [("a", "192.0.2.1"), ("b", "2001:DB8:0::1")],
    [],
    [("c", "192.0.2.1"), ("d", "fe80::1%eth0"), ("e", "")],
)


def test_places() -> None:
    """Servers are found by address and by id, those of keys without servers in between as well."""
    index = index_of(*LISTS)
    assert index.at_address("192.0.2.1") == [(0, 0), (2, 0)]
    assert index.at_address("2001:db8::1") == [(0, 1)]
    assert index.at_address("FE80::1%eth0") == [(2, 1)]
    assert index.with_id("d") == [(2, 1)]
    assert index.with_id("z") == index.at_address("192.0.2.9") == []
    assert index.parts_of_keys(["k2", "k0", "k9"]) == [0, 2]


def test_equal_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers whose hashes are equal are not mixed up."""
    monkeypatch.setattr(server_index, "hash", lambda _: 0, raising=False)
    index = index_of(*LISTS)
    assert index.at_address("192.0.2.1") == [(0, 0), (2, 0)]
    assert index.with_id("b") == [(0, 1)]


@pytest.mark.parametrize("ip", ["", "web1.example.net", "\ud800", "1.2.3"])
def test_what_is_not_an_address(ip: str) -> None:
    """Text that is not an address is compared as it is."""
    assert packed(ip) == ip.encode("utf-8", "surrogatepass")
