"""Tests of the metrics of the patch status."""

from __future__ import annotations

from cln_monitor.cln import PatchedHost
from cln_monitor.exporter.metrics.patch_status import render
from cln_monitor.probes.patch_status import PatchState, PatchStatusSettings

from .rendering import observed, text_of

COUNTS = {"uptodate": 6, "outofdate": 1, "unsupported": 0, "inactive": 0}
HOST = PatchedHost("web1.example.net", "192.0.2.1", "outofdate")


def test_a_key_and_the_account() -> None:
    """A key and the account have counts and a verdict; a host that is listed twice is one series."""
    parts = {
        "k": PatchState("key", "WsTs-8c7994d7", ok=False, counts=COUNTS, hosts=[HOST, HOST]),
        "reseller": PatchState("reseller", "", ok=True, counts=dict.fromkeys(COUNTS, 0), hosts=[]),
    }
    assert (
        text_of(render, observed(parts, probe="patch_status"), PatchStatusSettings())
        == """\
cln_patch_status_servers{account="acme",scope="key",key="WsTs-8c7994d7",state="uptodate"} 6
cln_patch_status_servers{account="acme",scope="key",key="WsTs-8c7994d7",state="outofdate"} 1
cln_patch_status_servers{account="acme",scope="key",key="WsTs-8c7994d7",state="unsupported"} 0
cln_patch_status_servers{account="acme",scope="key",key="WsTs-8c7994d7",state="inactive"} 0
cln_patch_status_servers{account="acme",scope="reseller",key="",state="uptodate"} 0
cln_patch_status_servers{account="acme",scope="reseller",key="",state="outofdate"} 0
cln_patch_status_servers{account="acme",scope="reseller",key="",state="unsupported"} 0
cln_patch_status_servers{account="acme",scope="reseller",key="",state="inactive"} 0
cln_patch_status_ok{account="acme",scope="key",key="WsTs-8c7994d7"} 0
cln_patch_status_ok{account="acme",scope="reseller",key=""} 1
cln_patch_status_host{account="acme",key="WsTs-8c7994d7",host="web1.example.net",ip="192.0.2.1",state="outofdate"} 1
"""
    )


def test_without_counts() -> None:
    """A response without counts has only a verdict."""
    parts = {"k": PatchState("key", "k", ok=True, counts=None, hosts=[])}
    text = text_of(render, observed(parts, probe="patch_status"), PatchStatusSettings())
    assert text == 'cln_patch_status_ok{account="acme",scope="key",key="k"} 1\n'


def test_hosts_of_one_name() -> None:
    """A host name with two addresses or two states is two series."""
    hosts = [HOST, PatchedHost(HOST.host, "192.0.2.2", "outofdate"), PatchedHost(HOST.host, HOST.ip, "inactive")]
    parts = {"k": PatchState("key", "k", ok=False, counts=None, hosts=hosts)}
    text = text_of(render, observed(parts, probe="patch_status"), PatchStatusSettings())
    assert text.count("cln_patch_status_host{") == 3
