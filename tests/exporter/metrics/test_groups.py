"""Tests of the metrics of server groups."""

from __future__ import annotations

from cln_monitor.exporter.metrics.groups import render
from cln_monitor.probes.groups import GroupMember, GroupsSettings, GroupState

from .rendering import observed, text_of

GROUP = GroupState(
    "web",
    [GroupMember("a", "KERNELCARE", "web1", "192.0.2.1"), GroupMember("b", "IMUNIFY"), GroupMember("c", "IMUNIFY")],
)


def test_groups_and_their_servers() -> None:
    """Servers of a group are counted by product, and an empty group has a count of 0."""
    assert (
        text_of(render, observed({"web": GROUP, "none": GroupState("none", [])}), GroupsSettings())
        == """\
cln_group_servers{account="acme",group="web",product="KERNELCARE"} 1
cln_group_servers{account="acme",group="web",product="IMUNIFY"} 2
cln_group_servers{account="acme",group="none",product=""} 0
cln_group_server_info{account="acme",group="web",product="KERNELCARE",server_id="a",hostname="web1",ip="192.0.2.1"} 1
cln_group_server_info{account="acme",group="web",product="IMUNIFY",server_id="b",hostname="",ip=""} 1
cln_group_server_info{account="acme",group="web",product="IMUNIFY",server_id="c",hostname="",ip=""} 1
"""
    )


def test_server_series_off() -> None:
    """With server_series: false there are counts but no per-server series."""
    text = text_of(render, observed({"web": GROUP}), GroupsSettings(server_series=False))
    assert text.count("cln_group_servers{") == 2
    assert "server_id" not in text
