"""Tests of the metrics of Imunify keys and servers."""

from __future__ import annotations

import msgspec
import pytest

from cln_monitor.cln import ImunifyServer
from cln_monitor.exporter.metrics.imunify import render
from cln_monitor.probes import CheckinSettings
from cln_monitor.probes.imunify import ImunifyKeyServers
from tests.helpers.clock import NOW

from .rendering import observed, text_of

KEY = ImunifyKeyServers(
    key="k",
    product="360_250",
    limit=5,
    servers_reported=3,
    servers=[ImunifyServer("one", "192.0.2.1", NOW - 60), ImunifyServer("two", "192.0.2.2", None)],
)


def test_a_key_and_its_servers() -> None:
    """The number of servers reported by the list of keys is a metric beside the counted servers."""
    assert (
        text_of(render, observed({"k": KEY}), CheckinSettings())
        == """\
cln_imunify_key_info{account="acme",key="k",product="360_250",note=""} 1
cln_imunify_key_servers{account="acme",key="k",checkin="fresh"} 1
cln_imunify_key_servers{account="acme",key="k",checkin="stale"} 0
cln_imunify_key_servers{account="acme",key="k",checkin="never"} 1
cln_imunify_key_servers{account="acme",key="k",checkin="unknown"} 0
cln_imunify_key_servers_limit{account="acme",key="k"} 5
cln_imunify_key_servers_reported{account="acme",key="k"} 3
cln_imunify_server_last_checkin_timestamp_seconds{account="acme",key="k",server_id="one",ip="192.0.2.1"} 1714490740
"""
    )


@pytest.mark.parametrize(
    ("field", "value", "lines"),
    [
        ("limit", 0, ['cln_imunify_key_servers_limit{account="acme",key="k"} +Inf']),
        ("limit", None, []),
        ("servers_reported", 0, ['cln_imunify_key_servers_reported{account="acme",key="k"} 0']),
        ("servers_reported", None, []),
    ],
)
def test_optional_fields(field: str, value: int | None, lines: list[str]) -> None:
    """A limit of 0 is unlimited and a reported number of 0 is zero; missing fields are absent."""
    key = msgspec.structs.replace(KEY, **{field: value})
    text = text_of(render, observed({"k": key}, probe="imunify"), CheckinSettings())
    assert [line for line in text.splitlines() if f"key_servers_{field.removeprefix('servers_')}{{" in line] == lines


def test_server_series_off() -> None:
    """With server_series: false there are counts but no per-server series."""
    text = text_of(render, observed({"k": KEY}), CheckinSettings(server_series=False))
    assert "server_id" not in text
    assert 'checkin="fresh"} 1' in text
