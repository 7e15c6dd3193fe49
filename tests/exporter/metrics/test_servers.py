"""Tests of the metrics shared by products whose servers check in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings as example_settings
from hypothesis import strategies as st

from cln_monitor.cln import ImunifyServer
from cln_monitor.exporter.metrics.families import Family
from cln_monitor.exporter.metrics.servers import SERVER_LABELS, add_limit, add_server_times, labels_of_servers
from tests.exporter.parsing import parse

from .rendering import new_series, texts_of

TIMES = Family("cln_times", "Times.", SERVER_LABELS)
LIMIT = Family("cln_limit", "Limit.", ("account", "key"))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@example_settings(max_examples=100)
@given(TEXTS, TEXTS, st.lists(st.tuples(TEXTS, TEXTS, st.none() | st.floats(0, 4e9)), unique_by=lambda row: row[0]))
def test_fast_rendering_of_times(account: str, key: str, rows: list[tuple[str, str, float | None]]) -> None:
    """The fast rendering of many servers has the same text as Series.add, and is parsed back."""
    servers = [ImunifyServer(*row) for row in rows]
    fast, generic = new_series(), new_series()
    labels = labels_of_servers(account, key, servers)
    add_server_times(fast, TIMES, labels, [server.last_checkin for server in servers])
    for server in servers:
        if server.last_checkin:
            generic.add(TIMES, (account, key, server.server_id, server.ip), server.last_checkin)
    assert texts_of(fast) == texts_of(generic)
    values = parse(TIMES.header.decode() + b"".join(texts_of(fast).values()).decode())
    assert sorted(values.values()) == sorted(at for *_, at in rows if at)


@pytest.mark.parametrize(("limit", "text"), [(3, "3"), (0, "+Inf")])
def test_limit(limit: int, text: str) -> None:
    """A limit of 0 is infinite."""
    series = new_series()
    add_limit(series, LIMIT, ("acme", "k"), limit)
    assert texts_of(series)[LIMIT] == f'cln_limit{{account="acme",key="k"}} {text}\n'.encode()


@pytest.mark.parametrize("limit", [None, "1,000"])
def test_unknown_limit(limit: str | None) -> None:
    """A missing or invalid limit is absent."""
    series = new_series()
    add_limit(series, LIMIT, ("acme", "k"), limit)
    assert texts_of(series) == {}
