"""Tests of the metrics of ELS keys and servers."""

from __future__ import annotations

from cln_monitor.exporter.metrics.els import render
from cln_monitor.probes.els import ElsKeyState, ElsProduct, ElsServerState, ElsSettings

from .rendering import observed, text_of

PRODUCT = ElsProduct(
    "ELS CELS7",
    keys=[ElsKeyState("k1", 2), ElsKeyState("k2", 0), ElsKeyState("k3", None)],
    servers=[ElsServerState("k1", "11", "192.0.2.1", 'a "b"'), ElsServerState("gone", "12", "192.0.2.2", "")],
)


def test_keys_and_servers() -> None:
    """A limit of 0 is unlimited, and a missing one is absent; servers of an unlisted key are exposed."""
    assert (
        text_of(render, observed({"ELS CELS7": PRODUCT}), ElsSettings())
        == """\
cln_els_key_info{account="acme",key="k1",product="ELS CELS7",note=""} 1
cln_els_key_info{account="acme",key="k2",product="ELS CELS7",note=""} 1
cln_els_key_info{account="acme",key="k3",product="ELS CELS7",note=""} 1
cln_els_key_servers{account="acme",key="k1",product="ELS CELS7"} 1
cln_els_key_servers{account="acme",key="k2",product="ELS CELS7"} 0
cln_els_key_servers{account="acme",key="k3",product="ELS CELS7"} 0
cln_els_key_servers_limit{account="acme",key="k1",product="ELS CELS7"} 2
cln_els_key_servers_limit{account="acme",key="k2",product="ELS CELS7"} +Inf
cln_els_server_info{account="acme",key="k1",product="ELS CELS7",server_id="11",ip="192.0.2.1",hostname="a \\"b\\""} 1
cln_els_server_info{account="acme",key="gone",product="ELS CELS7",server_id="12",ip="192.0.2.2",hostname=""} 1
"""
    )
