"""Tests of the metrics of ELS keys and servers."""

from __future__ import annotations

from cln_monitor.exporter.metrics.els import render
from cln_monitor.probes.els import ElsKeyState, ElsProduct, ElsServerState, ElsSettings
from tests.helpers.clock import NOW

from .rendering import observed, text_of

DAY = 86400
ESCAPED = 'a \\"b\\"'

PRODUCT = ElsProduct(
    "ELS CELS7",
    keys=[ElsKeyState("k1", 2), ElsKeyState("k2", 0), ElsKeyState("k3", None)],
    servers=[
        ElsServerState("k1", "11", "192.0.2.1", 'a "b"', NOW - 3600),
        ElsServerState("k1", "13", "192.0.2.3", "old", NOW - 8 * DAY),
        ElsServerState("k1", "14", "192.0.2.4", "new", None),
        ElsServerState("gone", "12", "192.0.2.2", ""),
    ],
)


def test_keys_and_servers() -> None:
    """A limit of 0 is unlimited, and a missing one is absent; servers of an unlisted key are exposed."""
    assert (
        text_of(render, observed({"ELS CELS7": PRODUCT}), ElsSettings())
        == f"""\
cln_els_key_info{{account="acme",key="k1",product="ELS CELS7",note=""}} 1
cln_els_key_info{{account="acme",key="k2",product="ELS CELS7",note=""}} 1
cln_els_key_info{{account="acme",key="k3",product="ELS CELS7",note=""}} 1
cln_els_key_servers{{account="acme",key="k1",product="ELS CELS7",checkin="fresh"}} 1
cln_els_key_servers{{account="acme",key="k1",product="ELS CELS7",checkin="stale"}} 1
cln_els_key_servers{{account="acme",key="k1",product="ELS CELS7",checkin="never"}} 1
cln_els_key_servers{{account="acme",key="k1",product="ELS CELS7",checkin="unknown"}} 0
{_none("k2")}\
{_none("k3")}\
cln_els_key_servers_limit{{account="acme",key="k1",product="ELS CELS7"}} 2
cln_els_key_servers_limit{{account="acme",key="k2",product="ELS CELS7"}} +Inf
{_server("info", "k1", "11", "192.0.2.1", ESCAPED)} 1
{_server("info", "k1", "13", "192.0.2.3", "old")} 1
{_server("info", "k1", "14", "192.0.2.4", "new")} 1
{_server("info", "gone", "12", "192.0.2.2", "")} 1
{_server("last_checkin_timestamp_seconds", "k1", "11", "192.0.2.1", ESCAPED)} {int(NOW - 3600)}
{_server("last_checkin_timestamp_seconds", "k1", "13", "192.0.2.3", "old")} {int(NOW - 8 * DAY)}
"""
    )


def _none(key: str) -> str:
    states = ("fresh", "stale", "never", "unknown")
    line = f'cln_els_key_servers{{account="acme",key="{key}",product="ELS CELS7",checkin='
    return "".join(f'{line}"{state}"}} 0\n' for state in states)


def _server(name: str, key: str, server_id: str, ip: str, hostname: str) -> str:
    ids = f'server_id="{server_id}",ip="{ip}",hostname="{hostname}"'
    return f'cln_els_server_{name}{{account="acme",key="{key}",product="ELS CELS7",{ids}}}'


def test_without_check_ins() -> None:
    """A server whose check-in is unknown is counted as such, and has no timestamp."""
    product = ElsProduct("CELS", [ElsKeyState("k1", 2)], [ElsServerState("k1", "1", "192.0.2.1", "a")])
    text = text_of(render, observed({"CELS": product}), ElsSettings())
    assert 'cln_els_key_servers{account="acme",key="k1",product="CELS",checkin="unknown"} 1\n' in text
    assert 'checkin="never"} 0\n' in text
    assert "last_checkin_timestamp_seconds" not in text


def test_without_server_series() -> None:
    """Without per-server series, a histogram has the ages of each key."""
    text = text_of(render, observed({"ELS CELS7": PRODUCT}), ElsSettings(server_series=False))
    assert "cln_els_server_info" not in text
    bucket = 'cln_els_server_checkin_age_seconds_bucket{account="acme",key="k1",product="ELS CELS7",le='
    assert f'{bucket}"3600"}} 1\n' in text
    assert f'{bucket}"604800"}} 1\n' in text
    assert f'{bucket}"+Inf"}} 2\n' in text
