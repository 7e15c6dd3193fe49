"""Tests of host names: by server id, or else by an unambiguous address."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from cln_monitor.cln import KernelCareServer, PatchedHost
from cln_monitor.probes import HostIndex, Observation, Part
from cln_monitor.probes.els import ElsProduct, ElsServerState
from cln_monitor.probes.groups import GroupMember, GroupState
from cln_monitor.probes.ip_licenses import IpLicenseList, LicenseState
from cln_monitor.probes.kernelcare import KernelCareKeyServers
from cln_monitor.probes.patch_status import PatchState

ONE, TWO = "192.0.2.1", "192.0.2.2"


def observed(probe: str, *values: object) -> Observation[Any]:
    """Return an observation with one part per value."""
    parts = tuple(Part(str(number), 0.0, value) for number, value in enumerate(values))
    return Observation(probe, "acme", "cln.example.net", 0.0, parts)


def fleet(*servers: tuple[str, str]) -> Observation[Any]:
    """Return an observation of a KernelCare key with servers, each an id and an address."""
    rows = [KernelCareServer(server_id=server_id, ip=ip, last_checkin=None, created=None) for server_id, ip in servers]
    return observed("kernelcare", KernelCareKeyServers("k", "", enabled=True, limit=0, servers=rows))


def group(name: str, *members: tuple[str, str, str]) -> GroupState:
    """Return a group of KernelCare servers, each an id, a host name and an address."""
    return GroupState(name, [GroupMember(server_id, "KERNELCARE", host, ip) for server_id, host, ip in members])


def patched(*hosts: tuple[str, str]) -> Observation[Any]:
    """Return an observation of the patch status with hosts, each a name and an address."""
    named = [PatchedHost(host, ip, "outofdate") for host, ip in hosts]
    return observed("patch_status", PatchState("key", "k", ok=False, counts=None, hosts=named))


def named(observation: Observation[Any], *sources: Observation[Any]) -> dict[str, str]:
    """Return the host names of the servers in ``observation`` from ``sources``."""
    return HostIndex({source.probe: source for source in sources}).names_of(observation)


def test_without_sources() -> None:
    """Without an observation of another probe servers have no host names."""
    assert named(fleet(("a", ONE))) == {}


def test_by_server_id() -> None:
    """A host name is found by server id even if the address differs."""
    source = observed("groups", group("web", ("a", "web1", TWO), ("z", "other", ONE)))
    assert named(fleet(("a", ONE), ("b", TWO)), source)["a"] == "web1"


def test_by_address() -> None:
    """Host names of the patch status and ELS are found by address."""
    assert named(fleet(("a", ONE), ("b", TWO)), patched(("web1", ONE))) == {"a": "web1"}
    els = observed("els", ElsProduct("CELS", [], [ElsServerState("k", "x", TWO, "db1")]))
    assert named(fleet(("a", ONE), ("b", TWO)), patched(("web1", ONE)), els) == {"a": "web1", "b": "db1"}


def test_els_servers_have_their_own() -> None:
    """An ELS server has the host name of its own row, and else that of another source."""
    rows = (("x", TWO, "db1"), ("y", ONE, ""), ("z", "", ""))
    servers = [ElsServerState("k", server_id, ip, host) for server_id, ip, host in rows]
    els = observed("els", ElsProduct("CELS", [], servers))
    assert named(els) == {"x": "db1"}
    assert named(els, patched(("web1", ONE), ("other", TWO))) == {"x": "db1", "y": "web1"}


def test_the_same_server_in_two_groups() -> None:
    """A server in two groups has one host name."""
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


@pytest.mark.parametrize(("observation", "sources"), AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_ambiguous_names(observation: Observation[Any], sources: Iterable[Observation[Any]]) -> None:
    """Ambiguous host names are left out."""
    assert named(observation, *sources) == {}


def test_a_server_with_two_products() -> None:
    """A machine with servers of two products has one host name."""
    members = [GroupMember("a", "KERNELCARE", "web1", ONE), GroupMember("b", "IMUNIFY", "web1", ONE)]
    assert named(fleet(("a", ONE)), observed("groups", GroupState("web", members))) == {"a": "web1"}


def test_ip_licenses() -> None:
    """Several IP licenses of an address have one host name."""
    licenses = [LicenseState(ONE, name, registered=True, created=None) for name in ("CloudLinux OS", "KernelCare")]
    assert named(observed("ip_licenses", IpLicenseList(licenses)), patched(("web1", ONE))) == {ONE: "web1"}
