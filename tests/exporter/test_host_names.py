"""Host names: by server id, else by an address that one host and one server have, else none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from cln_monitor.cln import KernelCareServer, PatchedHost
from cln_monitor.exporter.host_names import HostIndex
from cln_monitor.probes import Observation, Part
from cln_monitor.probes.els import ElsProduct, ElsServerState
from cln_monitor.probes.groups import GroupMember, GroupState
from cln_monitor.probes.ip_licenses import IpLicenseList, LicenseState
from cln_monitor.probes.kernelcare import KernelCareKeyServers
from cln_monitor.probes.patch_status import PatchState

ONE, TWO = "192.0.2.1", "192.0.2.2"


def observed(probe: str, *values: object) -> Observation[Any]:
    """Return an observation of a part for each value."""
    parts = tuple(Part(str(number), 0.0, value) for number, value in enumerate(values))
    return Observation(probe, "acme", "cln.example.net", 0.0, parts)


def fleet(*servers: tuple[str, str]) -> Observation[Any]:
    """Return a KernelCare key with servers, each of an id and an address."""
    rows = [KernelCareServer(server_id=server_id, ip=ip, last_checkin=None, created=None) for server_id, ip in servers]
    return observed("kernelcare", KernelCareKeyServers("k", "", enabled=True, limit=0, servers=rows))


def group(name: str, *members: tuple[str, str, str]) -> GroupState:
    """Return a group of KernelCare servers, each of an id, a host name and an address."""
    return GroupState(name, [GroupMember(server_id, "KERNELCARE", host, ip) for server_id, host, ip in members])


def patched(*hosts: tuple[str, str]) -> Observation[Any]:
    """Return patch states that name hosts and their addresses."""
    named = [PatchedHost(host, ip, "outofdate") for host, ip in hosts]
    return observed("patch_status", PatchState("key", "k", ok=False, counts=None, hosts=named))


def named(seen: Observation[Any], *sources: Observation[Any]) -> dict[str, str]:
    """Return the host names of what was seen."""
    return HostIndex({source.probe: source for source in sources}).names_of(seen)


def test_without_a_source_nothing_has_a_name() -> None:
    """A probe that is off, or whose data are too old, has no observation."""
    assert named(fleet(("a", ONE))) == {}


def test_by_server_id() -> None:
    """The address does not matter where the id is known."""
    source = observed("groups", group("web", ("a", "web1", TWO), ("z", "other", ONE)))
    assert named(fleet(("a", ONE), ("b", TWO)), source)["a"] == "web1"


def test_by_address() -> None:
    """The patch status and ELS tell no id."""
    assert named(fleet(("a", ONE), ("b", TWO)), patched(("web1", ONE))) == {"a": "web1"}
    els = observed("els", ElsProduct("CELS", [], [ElsServerState("k", "x", TWO, "db1")]))
    assert named(fleet(("a", ONE), ("b", TWO)), patched(("web1", ONE)), els) == {"a": "web1", "b": "db1"}


def test_the_same_server_in_two_groups() -> None:
    """It is one server."""
    source = observed("groups", group("web", ("a", "web1", ONE)), group("all", ("a", "web1", ONE)))
    assert named(fleet(("a", ONE)), source) == {"a": "web1"}


AMBIGUOUS: dict[str, tuple[Observation[Any], Iterable[Observation[Any]]]] = {
    "two servers hold the name": (
        fleet(("a", ONE), ("b", TWO)),
        [observed("groups", group("web", ("a", "web1", ONE), ("b", "web1", TWO)))],
    ),
    "a server has two names": (
        fleet(("a", ONE)),
        [observed("groups", group("web", ("a", "web1", ONE)), group("all", ("a", "web2", ONE)))],
    ),
    "two hosts have the address": (fleet(("a", ONE)), [patched(("web1", ONE), ("web2", ONE))]),
    "two addresses have the name": (fleet(("a", ONE)), [patched(("web1", ONE), ("web1", TWO))]),
    "two servers have the address": (fleet(("a", ONE), ("b", ONE)), [patched(("web1", ONE))]),
    "the name is the address": (fleet(("a", ONE)), [observed("groups", group("web", ("a", ONE, ONE)))]),
    "neither has an address": (fleet(("a", "")), [patched(("web1", ""))]),
}


@pytest.mark.parametrize(("seen", "sources"), AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_what_is_ambiguous_is_no_name(seen: Observation[Any], sources: Iterable[Observation[Any]]) -> None:
    """A wrong name sends somebody to the wrong machine."""
    assert named(seen, *sources) == {}


def test_a_server_with_two_products() -> None:
    """It has a registration of each product, and one host name."""
    members = [GroupMember("a", "KERNELCARE", "web1", ONE), GroupMember("b", "IMUNIFY", "web1", ONE)]
    assert named(fleet(("a", ONE)), observed("groups", GroupState("web", members))) == {"a": "web1"}


def test_ip_licenses_go_by_address() -> None:
    """Several licenses of an address are one server."""
    licenses = [LicenseState(ONE, name, registered=True, created=None) for name in ("CloudLinux OS", "KernelCare")]
    assert named(observed("ip_licenses", IpLicenseList(licenses)), patched(("web1", ONE))) == {ONE: "web1"}
