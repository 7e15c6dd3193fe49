"""The results of dashboard queries in cases that the demo does not have."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.dashboards import grafana
from tests.real.dashboard_cases import (
    BOARDS,
    DAY,
    HEALTHY,
    HOUR,
    KERNELCARE,
    NOW,
    PATCHES,
    STALE_AFTER,
    Series,
    check,
    silent,
    use,
)

pytestmark = pytest.mark.needs_server("prometheus")


KEYS: Series = {
    'cln_kernelcare_key_info{account="a",key="k",note="n",enabled="true"}': "1",
    'cln_kernelcare_key_info{account="a",key="l",note="n",enabled="true"}': "1",
    f'{PATCHES}{{account="a",scope="key",key="k",state="outofdate"}}': "1",
    f'{PATCHES}{{account="a",scope="key",key="l",state="outofdate"}}': "2",
    f'{PATCHES}{{account="a",scope="key",key="monitoring",state="outofdate"}}': "3",
}


ODD_NOTES = ['say "hi" {{ $value }}', "two\nlines", "x" * 4096, "\u202eright to left", "$account [[account]] |"]


@pytest.mark.parametrize("note", ODD_NOTES, ids=range(len(ODD_NOTES)))
def test_a_note_is_shown_as_it_is(tmp_path: Path, note: str) -> None:
    """Notes are shown unchanged next to their key; keys without a note are shown too."""
    quoted = json.dumps(note, ensure_ascii=False)
    series = STALE_AFTER | silent(KERNELCARE, 2 * DAY, HOUR) | silent(KERNELCARE, 2 * DAY, name="t", key="plain")
    series |= {f'cln_kernelcare_key_info{{account="a",key="k",note={quoted},enabled="true"}}': "1"}
    series |= use("kernelcare", 1, 2, "k") | use("kernelcare", 1, 2, "plain")
    server = 'account="a",family="kernelcare",grade="newly"'
    rows = {
        f'{{{server},ip="s.0",key="k",note={quoted},server_id="s0"}}': 2,
        f'{{{server},ip="t.0",key="plain",server_id="t0"}}': 2,
    }
    check(tmp_path, "Silent servers", series, rows)
    keys = {
        f'{{account="a",family="kernelcare",key="k",note={quoted},enabled="true"}}': 1,
        '{account="a",family="kernelcare",key="plain"}': 1,
    }
    check(tmp_path, "Keys", series, keys, board="cln-kernelcare")


def test_keys_without_a_limit_are_no_percentage(tmp_path: Path) -> None:
    """Unlimited keys have a negative value, and unknown limits none."""
    series = use("imunify", 3, "+Inf", "u") | use("imunify", 0, "+Inf", "v") | use("imunify", 1, 4, "w")
    series['cln_imunify_key_servers{account="a",key="x",checkin="fresh"}'] = "1"
    series |= {f'cln_imunify_key_info{{account="a",key="{key}",product="AVP"}}': "1" for key in "uvwx"}
    template = "(%s) > -2"
    keys = {
        f'{{account="a",family="imunify",key="{key}"}}': value for key, value in {"u": -1, "v": -1, "w": 0.25}.items()
    }
    check(tmp_path, "Keys", series, keys, ref="D", board="cln-imunify", of=template)
    (panel,) = (item for item in grafana.panels(BOARDS["cln-imunify"]) if item["title"] == "Keys")
    (used,) = (item for item in panel["fieldConfig"]["overrides"] if item["matcher"]["options"] == "Used")
    properties = {item["id"]: item["value"] for item in used["properties"]}
    assert "custom.cellOptions" not in properties or properties["custom.cellOptions"]["type"] == "color-text"
    texts = [item["options"]["result"]["text"] for item in properties["mappings"] if item["options"].get("to") == -0.5]
    assert texts == ["unlimited"]
    check(tmp_path, "Fullest keys", series, {'{account="a",family="imunify",key="w"}': 0.25})


def test_alerts_of_two_exporters_are_one(tmp_path: Path) -> None:
    """Firing alerts are counted once, by severity; pending and other alerts are not."""
    alert = 'alertname="ClnKeyFull",alertstate="firing",severity="warning",account="a",key="k"'
    series = {
        f'ALERTS{{{alert},job="cln",instance="1"}}': "1",
        f'ALERTS{{{alert},job="cln",instance="2"}}': "1",
        'ALERTS{alertname="ClnExporterDown",alertstate="firing",severity="critical",job="cln",instance="1"}': "1",
        'ALERTS{alertname="ClnDown",alertstate="pending",severity="critical"}': "1",
        'ALERTS{alertname="Watchdog",alertstate="firing",severity="critical"}': "1",
    }
    check(tmp_path, "Critical alerts", series, {"{}": 1})
    check(tmp_path, "Warning alerts", series, {"{}": 1})
    rows = {
        '{account="a",alertname="ClnKeyFull",level="2",severity="warning"}': 1,
        '{alertname="ClnExporterDown",level="1",severity="critical"}': 1,
    }
    check(tmp_path, "Alerts firing now", series, rows)


def test_kernels_are_counted_once_without_the_answer_for_the_whole_account(tmp_path: Path) -> None:
    """Without reseller data, keys are added up."""
    check(tmp_path, "Kernels out of date", KEYS, {"{}": 3})


def test_kernels_are_those_of_the_answer_for_the_whole_account(tmp_path: Path) -> None:
    """With reseller data, keys are not added."""
    whole = {f'{PATCHES}{{account="a",scope="reseller",key="",state="outofdate"}}': "2"}
    check(tmp_path, "Kernels out of date", KEYS | whole, {"{}": 2})


def test_a_note_that_changes_does_not_break_the_table(tmp_path: Path) -> None:
    """Different notes from two exporters give one row."""
    notes = {
        f'cln_kernelcare_key_info{{account="a",key="k",note="{note}",enabled="true",instance="{note}"}}': "1"
        for note in ("new", "old")
    }
    check(tmp_path, "Fullest keys", HEALTHY | notes, {"{}": 1}, of="count(%s)")


def test_a_number_is_not_zero_where_nothing_is_known(tmp_path: Path) -> None:
    """While the exporter is down, the number is absent and not 0."""
    for panel in (
        *("CLN services", "Servers that check in", "Silent", "Newly silent", "Never checked in", "Gone", "Superseded"),
        *("Kernels out of date", "Unused IP licenses", "Failing probes"),
    ):
        check(tmp_path, panel, {}, {})


def test_unlimited_keys_count_only_without_limited_keys(tmp_path: Path) -> None:
    """Used and unused add up to the limit."""
    series = HEALTHY | {
        'cln_kernelcare_key_servers{account="a",key="u",checkin="fresh"}': "7",
        'cln_kernelcare_key_servers_limit{account="a",key="u"}': "+Inf",
        'cln_imunify_key_servers{account="a",key="i",checkin="fresh"}': "5",
        'cln_imunify_key_servers_limit{account="a",key="i"}': "+Inf",
    }
    kernelcare, imunify, ip = (f'{{family="{item}"}}' for item in ("kernelcare", "imunify", "ip_license"))
    table = "Licenses used and unused"
    check(tmp_path, table, series, {kernelcare: 89, imunify: 5}, ref="A")
    check(tmp_path, table, series, {kernelcare: 100, imunify: float("inf"), ip: 0}, ref="B")
    check(tmp_path, table, series, {kernelcare: 11, imunify: float("inf"), ip: 0}, ref="C")


def test_each_server_of_an_eportal_has_an_age_of_its_patch(tmp_path: Path) -> None:
    """The bars count each server: those without a patch or a known age have their own."""
    loaded = {"33": 1, "32": 7, "31": 5, "30": 3, "29": 6, "0": 2, "": 4}
    built = {"33": 0.5 * DAY, "32": 400 * DAY, "31": -2 * DAY, "30": -40 * DAY}
    series = {
        f'cln_eportal_patch_servers{{account="a",feed="main",kernel_id="k",patch_level="{level}"}}': str(number)
        for level, number in loaded.items()
    } | {
        f'cln_patch_built_timestamp_seconds{{kernel_id="k",patch_level="{level}"}}': f"{NOW + age:.0f}"
        for level, age in built.items()
    }
    for ref, number in {"A": 6, "B": 0, "C": 3, "D": 0, "E": 2, "F": 17}.items():
        check(tmp_path, "Servers by age of the patch", series, {"{}": number}, ref=ref, board="cln-patches")
    levels = {f'{{patch_level="{level or "unknown"}"}}': number for level, number in loaded.items()}
    check(tmp_path, "Rollout by patch level", series, levels, board="cln-patches")
