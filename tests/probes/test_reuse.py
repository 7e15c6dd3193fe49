"""Servers of the previous observation: equal objects are kept, and nothing else changes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace

from cln_monitor.cln import ImunifyServer, KernelCareServer
from cln_monitor.probes.groups import GroupState
from cln_monitor.probes.imunify import ImunifyKeyServers
from cln_monitor.probes.kernelcare import KernelCareKeyServers
from cln_monitor.probes.reuse import reuse_servers
from tests.helpers.clock import NOW

CHECKINS = st.sampled_from([NOW, NOW + 60, None, UNSET])
KERNELCARE = st.builds(
    KernelCareServer, st.sampled_from("abc"), st.sampled_from("xy"), st.sampled_from([None, NOW, 0.0]), CHECKINS
)
IMUNIFY = st.builds(ImunifyServer, st.sampled_from("abc"), st.sampled_from("xy"), CHECKINS)


@given(st.lists(KERNELCARE), st.lists(KERNELCARE))
def test_a_kernelcare_key_is_unchanged(new: list[KernelCareServer], old: list[KernelCareServer]) -> None:
    """The servers of a KernelCare key are equal to those that were read, with any earlier servers."""
    value = KernelCareKeyServers("k", "", enabled=True, limit=0, servers=new)
    assert reuse_servers(value, replace(value, note="old", servers=old)) == value


@given(st.lists(IMUNIFY), st.lists(IMUNIFY))
def test_an_imunify_key_is_unchanged(new: list[ImunifyServer], old: list[ImunifyServer]) -> None:
    """The servers of an Imunify key are equal to those that were read, with any earlier servers."""
    value = ImunifyKeyServers("k", "360", 0, None, new)
    assert reuse_servers(value, replace(value, note="old", servers=old)) == value


def test_what_is_reused() -> None:
    """An unchanged server is the same object as before, and a changed one has the same texts."""
    old = [KernelCareServer(f"id-{number}", f"192.0.2.{number}", NOW + number, NOW) for number in range(2)]
    new = [KernelCareServer(f"id-{number}", f"192.0.2.{number}", NOW + number, NOW + number) for number in range(3)]
    assert new[0].server_id is not old[0].server_id
    value = KernelCareKeyServers("k", "", enabled=True, limit=0, servers=new)
    first, second, third = reuse_servers(value, replace(value, servers=old)).servers
    assert first is old[0]
    assert (second.server_id, second.ip, second.created) == (old[1].server_id, old[1].ip, old[1].created)
    assert second.server_id is old[1].server_id
    assert second.ip is old[1].ip
    assert second.created is old[1].created
    assert third is new[2]


def test_other_values() -> None:
    """The values of other probes are returned as they are."""
    group = GroupState("web", [])
    assert reuse_servers(group, group) is group
    assert reuse_servers(True, False) is True  # the value of a part
