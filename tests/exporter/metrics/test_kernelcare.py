"""Tests of the metrics of KernelCare keys and servers."""

from __future__ import annotations

import msgspec
import pytest

from cln_monitor.cln import KernelCareServer
from cln_monitor.exporter.metrics.kernelcare import KEY_SUPERSEDED, render
from cln_monitor.probes import CheckinSettings, Duration
from cln_monitor.probes.kernelcare import KernelCareKeyServers
from tests.helpers.clock import NOW

from .rendering import observed, rendered, text_of, viewed

KEY = KernelCareKeyServers(
    key="k",
    note='Web "eu" \\ 🚀',
    enabled=True,
    limit=4,
    servers=[
        KernelCareServer("s1", "192.0.2.1", NOW - 100, NOW - 60),
        KernelCareServer("s2", "2001:db8::1", NOW - 200.5, NOW - 86401),
        KernelCareServer("s3", "", None, None),
    ],
)


def test_a_key_and_its_servers() -> None:
    """A key has counts by check-in, a limit, and the timestamps of its servers."""
    assert (
        text_of(render, observed({"k": KEY}), CheckinSettings())
        == r"""
cln_kernelcare_key_info{account="acme",key="k",note="Web \"eu\" \\ 🚀",enabled="true"} 1
cln_kernelcare_key_servers{account="acme",key="k",checkin="fresh"} 1
cln_kernelcare_key_servers{account="acme",key="k",checkin="stale"} 1
cln_kernelcare_key_servers{account="acme",key="k",checkin="never"} 1
cln_kernelcare_key_servers{account="acme",key="k",checkin="unknown"} 0
cln_kernelcare_key_servers_limit{account="acme",key="k"} 4
cln_kernelcare_server_last_checkin_timestamp_seconds{account="acme",key="k",server_id="s1",ip="192.0.2.1"} 1714490740
cln_kernelcare_server_last_checkin_timestamp_seconds{account="acme",key="k",server_id="s2",ip="2001:db8::1"} 1714404399
cln_kernelcare_server_created_timestamp_seconds{account="acme",key="k",server_id="s1",ip="192.0.2.1"} 1714490700
cln_kernelcare_server_created_timestamp_seconds{account="acme",key="k",server_id="s2",ip="2001:db8::1"} 1714490599.5
""".lstrip()
    )


@pytest.mark.parametrize(
    ("limit", "line"),
    [
        (0, 'cln_kernelcare_key_servers_limit{account="acme",key="k"} +Inf'),
        (7, 'cln_kernelcare_key_servers_limit{account="acme",key="k"} 7'),
        (None, None),
    ],
)
def test_limit(limit: int | None, line: str | None) -> None:
    """A limit of 0 is unlimited, and a missing one is absent."""
    text = text_of(render, observed({"k": msgspec.structs.replace(KEY, limit=limit)}), CheckinSettings())
    assert [found for found in text.splitlines() if "limit" in found] == ([line] if line else [])


@pytest.mark.parametrize(("enabled", "label"), [(True, "true"), (False, "false"), (None, "")])
def test_enabled(enabled: bool | None, label: str) -> None:
    """The label enabled is as reported by CLN, and empty if missing."""
    text = text_of(render, observed({"k": msgspec.structs.replace(KEY, enabled=enabled)}), CheckinSettings())
    assert f',enabled="{label}"}} 1\n' in text


def test_a_key_without_servers() -> None:
    """A key without servers has counts of 0 and no per-server series."""
    text = text_of(render, observed({"k": msgspec.structs.replace(KEY, servers=[], note="")}), CheckinSettings())
    assert [line.rpartition(" ")[2] for line in text.splitlines() if "key_servers{" in line] == ["0", "0", "0", "0"]
    assert "server_id" not in text


def test_server_series_off() -> None:
    """With server_series: false a histogram of ages replaces the per-server series."""
    text = text_of(render, observed({"k": KEY}), CheckinSettings(server_series=False))
    assert "server_id" not in text
    assert 'checkin="fresh"} 1' in text
    # s1 is a minute old, s2 a second older than a day, and s3 has no age.
    name = 'cln_kernelcare_server_checkin_age_seconds_bucket{account="acme",key="k",le='
    assert [line.removeprefix(name) for line in text.splitlines() if "bucket" in line] == [
        '"3600"} 1',
        '"14400"} 1',
        '"28800"} 1',
        '"43200"} 1',
        '"86400"} 1',
        '"172800"} 2',
        '"259200"} 2',
        '"604800"} 2',
        '"2592000"} 2',
        '"+Inf"} 2',
    ]


def test_ages_are_computed_at_the_time_of_reading() -> None:
    """Ages are as of the time of reading, and an age equal to a bound is in its bucket."""
    settings = CheckinSettings(server_series=False)
    (_, *later) = (text_of(render, observed({"k": KEY}, at=NOW + seconds), settings) for seconds in (0, 3540, 3541))
    assert ['le="3600"} 1' in text for text in later] == [True, False]


def test_stale_is_judged_at_the_time_of_reading() -> None:
    """A part kept while CLN is down does not become stale."""
    settings = CheckinSettings(stale_after=Duration(61))
    assert 'checkin="fresh"} 1' in text_of(render, observed({"k": KEY}), settings)
    assert 'checkin="fresh"} 0' in text_of(render, observed({"k": KEY}, at=NOW + 2), settings)


OLD = KernelCareServer("old", "192.0.2.9", NOW - 90 * 86400, NOW - 5 * 86400)
NEW = KernelCareServer("new", "192.0.2.9", NOW - 86400, NOW - 60)


@pytest.mark.parametrize(
    ("names", "count"), [({}, 1), ({"old": "web1", "new": "web1"}, 1), ({"old": "web1", "new": "web2"}, 0)]
)
def test_superseded_servers(names: dict[str, str], count: int) -> None:
    """A server is superseded by a newer registration on any key if known host names agree."""
    keys = {name: msgspec.structs.replace(KEY, key=name, servers=[row]) for name, row in (("a", OLD), ("b", NEW))}
    report = msgspec.structs.replace(viewed(observed(keys)), host_names=names)
    text = rendered(report, CheckinSettings(), 100)[KEY_SUPERSEDED].decode().splitlines()
    assert text[-2:] == [
        f'cln_kernelcare_key_servers_superseded{{account="acme",key="a"}} {count}',
        'cln_kernelcare_key_servers_superseded{account="acme",key="b"} 0',
    ]
