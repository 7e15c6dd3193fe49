"""The parameters of an observation: their values, and errors that do not repeat them."""

from __future__ import annotations

import pytest

from cln_monitor.exporter.forms import FormQuery, Limits, QueryError, parse_query


def test_forms() -> None:
    """Without parameters everything is requested; addresses are brought into one notation."""
    assert parse_query("kernelcare", []) == FormQuery()
    assert parse_query("awp", [("form", "summary")]) == FormQuery(is_summary=True)
    summary = [("form", "summary"), ("at", "1700000000.5"), ("warning", "60"), ("critical", "1e3")]
    assert parse_query("imunify", summary) == FormQuery(
        is_summary=True, at=1_700_000_000.5, limits=Limits(60.0, 1000.0)
    )
    filters = [("key", "a"), ("ip", "2001:DB8:0::1"), ("key", "b"), ("server_id", "7")]
    assert parse_query("kernelcare", filters) == FormQuery(keys=("a", "b"), ips=("2001:db8::1",), server_ids=("7",))


@pytest.mark.parametrize(
    ("probe", "query", "text"),
    [
        ("kernelcare", [("s3cret", "x")], "unknown parameter; expected key, ip, server_id (repeatable), form, at,"),
        ("ip_licenses", [("key", "s3cret")], "unknown parameter; expected ip (repeatable), form, at,"),
        ("awp", [("ip", "192.0.2.1")], "unknown parameter; expected form, at, warning or critical"),
        ("kernelcare", [("form", "s3cret")], "unknown form; expected form=summary"),
        ("kernelcare", [("form", "summary"), ("form", "summary")], "repeated parameter form; expected one value"),
        ("kernelcare", [("form", "summary"), ("ip", "192.0.2.1")], "form=summary cannot be combined with ip"),
        ("kernelcare", [("at", "1")], "at requires form=summary"),
        ("kernelcare", [("form", "summary"), ("at", "s3cret")], "invalid at; expected a Unix time in seconds"),
        ("kernelcare", [("form", "summary"), ("warning", "-1")], "invalid warning; expected an age in seconds"),
        ("kernelcare", [("form", "summary"), ("critical", "nan")], "invalid critical; expected an age in seconds"),
        ("kernelcare", [("form", "summary"), ("critical", "1_0")], "invalid critical; expected an age in seconds"),
        ("kernelcare", [("ip", "s3cret")], "invalid ip; expected an IP address, such as 192.0.2.1"),
    ],
)
def test_errors(probe: str, query: list[tuple[str, str]], text: str) -> None:
    """An invalid parameter is an error that says what is expected; it repeats no value, which may be a key."""
    with pytest.raises(QueryError) as caught:
        parse_query(probe, query)
    assert str(caught.value).startswith(text)
    assert "s3cret" not in str(caught.value)
