"""Tests of the metrics of CloudLinux OS keys and servers."""

from __future__ import annotations

from cln_monitor.exporter.metrics.cloudlinux import render
from cln_monitor.probes.cloudlinux import (
    CloudLinuxKeyState,
    CloudLinuxProduct,
    CloudLinuxServerState,
    CloudLinuxSettings,
)

from .rendering import observed, text_of

PRODUCT = CloudLinuxProduct(
    "CL",
    keys=[CloudLinuxKeyState("k1", 2, "web farm"), CloudLinuxKeyState("k2", 0), CloudLinuxKeyState("k3", None)],
    servers=[
        CloudLinuxServerState("k1", "11", "192.0.2.1", 'a "b"'),
        CloudLinuxServerState("k1", "12", "192.0.2.2", ""),
        CloudLinuxServerState("gone", "13", "192.0.2.3", ""),
    ],
)
OF_KEYS = """\
cln_cloudlinux_key_info{account="acme",key="k1",product="CL",note="web farm"} 1
cln_cloudlinux_key_info{account="acme",key="k2",product="CL",note=""} 1
cln_cloudlinux_key_info{account="acme",key="k3",product="CL",note=""} 1
cln_cloudlinux_key_servers{account="acme",key="k1",product="CL"} 2
cln_cloudlinux_key_servers{account="acme",key="k2",product="CL"} 0
cln_cloudlinux_key_servers{account="acme",key="k3",product="CL"} 0
cln_cloudlinux_key_servers_limit{account="acme",key="k1",product="CL"} 2
cln_cloudlinux_key_servers_limit{account="acme",key="k2",product="CL"} +Inf
"""


def test_keys_and_servers() -> None:
    """A limit of 0 is unlimited, and a missing one is absent; servers of an unlisted key are exposed."""
    server = 'cln_cloudlinux_server_info{account="acme",key="'
    assert text_of(render, observed({"CL": PRODUCT}), CloudLinuxSettings()) == (
        f"{OF_KEYS}"
        f'{server}k1",product="CL",server_id="11",ip="192.0.2.1",hostname="a \\"b\\""}} 1\n'
        f'{server}k1",product="CL",server_id="12",ip="192.0.2.2",hostname=""}} 1\n'
        f'{server}gone",product="CL",server_id="13",ip="192.0.2.3",hostname=""}} 1\n'
    )


def test_without_server_series() -> None:
    """Without per-server series, the numbers of servers of the keys stay."""
    assert text_of(render, observed({"CL": PRODUCT}), CloudLinuxSettings(server_series=False)) == OF_KEYS
