"""What the queries of the overview give in cases that the demo does not have, by promtool's own test of PromQL."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.dashboards import grafana
from tests.helpers import servers

pytestmark = pytest.mark.needs_server("prometheus")

PATCHES = "cln_patch_status_servers"
HEALTHY = {
    'cln_status_ok{api="c",flag="xmlrpc"}': "1",
    'cln_probe_success{api="c",account="a",probe="kernelcare"}': "1",
    'cln_probe_last_run_timestamp_seconds{api="c",account="a",probe="kernelcare"}': "590",
    'cln_probe_interval_seconds{api="c",account="a",probe="kernelcare"}': "60",
    "cln_exporter_config_last_reload_successful": "1",
    'cln_kernelcare_key_servers{account="a",key="k",checkin="fresh"}': "94",
    'cln_kernelcare_key_servers{account="a",key="k",checkin="stale"}': "0",
    'cln_kernelcare_key_servers{account="a",key="k",checkin="never"}': "0",
    'cln_kernelcare_key_servers_limit{account="a",key="k"}': "100",
    f'{PATCHES}{{account="a",scope="reseller",key="",state="outofdate"}}': "0",
    'cln_ip_licenses{account="a",license="l",registered="false"}': "0",
}
"""An account with nothing wrong, ten minutes after the start of time."""
KEYS = {
    'cln_kernelcare_key_info{account="a",key="k",note="n",enabled="true"}': "1",
    'cln_kernelcare_key_info{account="a",key="l",note="n",enabled="true"}': "1",
    f'{PATCHES}{{account="a",scope="key",key="k",state="outofdate"}}': "1",
    f'{PATCHES}{{account="a",scope="key",key="l",state="outofdate"}}': "2",
    f'{PATCHES}{{account="a",scope="key",key="monitoring",state="outofdate"}}': "3",
}
Samples = dict[str, float]
(BOARD,) = (each for each in grafana.dashboards() if each["uid"] == "cln-overview")


def row(level: int, problem: str, place: str, board: str, account: str = "a") -> str:
    """Return the labels of a row of what is wrong."""
    labels = {"account": account, "board": f"cln-{board}", "level": str(level), "place": place, "problem": problem}
    return "{" + ", ".join(f'{name}="{value}"' for name, value in labels.items() if value) + "}"


def check(
    tmp_path: Path, panel: str, series: dict[str, str], expected: Samples, *, ref: str = "A", of: str = "%s"
) -> None:
    """Fail unless the query of ``panel`` gives ``expected`` after ten minutes of ``series``."""
    (query,) = (each for each in grafana.queries() if (each.board, each.panel, each.ref) == (BOARD["uid"], panel, ref))
    case = {
        "interval": "1m",
        "input_series": [{"series": name, "values": f"{value}+0x10"} for name, value in series.items()],
        "promql_expr_test": [
            {
                "expr": of % grafana.as_first_shown(query.expression, BOARD),
                "eval_time": "10m",
                "exp_samples": [{"labels": labels, "value": value} for labels, value in expected.items()],
            }
        ],
    }
    file = tmp_path / "case.yml"
    file.write_text(yaml.safe_dump({"tests": [case]}))
    done = subprocess.run(
        [servers.path("promtool"), "test", "rules", file], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    assert done.returncode == 0, done.stdout.decode()


TROUBLES: dict[str, tuple[dict[str, str], Samples]] = {
    "nothing": ({}, {}),
    "a flag, at one of two exporters": (
        {'cln_status_ok{api="c",flag="xmlrpc",instance="2"}': "0"},
        {row(1, "CLN says it is not well", "xmlrpc", "exporter", account=""): 1},
    ),
    "a probe, at one of two exporters": (
        {'cln_probe_success{api="c",account="a",probe="kernelcare",instance="2"}': "0"},
        {row(1, "Probe fails", "kernelcare", "exporter"): 1},
    ),
    "a probe that does not run": (
        {'cln_probe_last_run_timestamp_seconds{api="c",account="a",probe="kernelcare"}': "400"},
        {row(1, "Probe is late by two intervals", "kernelcare", "exporter"): 1},
    ),
    "the configuration": (
        {"cln_exporter_config_last_reload_successful": "0"},
        {row(1, "Configuration not loaded", "exporter", "exporter", account=""): 1},
    ),
    "a key that is nearly full": (
        {'cln_kernelcare_key_servers{account="a",key="k",checkin="fresh"}': "95"},
        {row(2, "Keys are nearly full", "kernelcare", "licenses"): 1},
    ),
    "a key that is full": (
        {'cln_kernelcare_key_servers_limit{account="a",key="k"}': "94"},
        {row(1, "Keys are full", "kernelcare", "licenses"): 1},
    ),
    "servers": (
        {
            'cln_kernelcare_key_servers{account="a",key="k",checkin="stale"}': "0.5",
            'cln_imunify_key_servers{account="a",key="i",checkin="never"}': "2",
        },
        {
            row(2, "Servers are stale", "kernelcare", "kernelcare"): 0.5,
            row(2, "Servers never checked in", "imunify", "imunify"): 2,
        },
    ),
    "licenses": (
        {'cln_ip_licenses{account="a",license="l",registered="false"}': "4"},
        {row(3, "Licenses are paid for and unused", "ip_license", "licenses"): 4},
    ),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_what_is_wrong_now(tmp_path: Path, name: str) -> None:
    """Nothing is wrong with an account that is healthy, and each trouble is a row."""
    trouble, rows = TROUBLES[name]
    check(tmp_path, "What is wrong now", HEALTHY | trouble, rows)


def test_kernels_are_counted_once_without_the_answer_for_the_whole_account(tmp_path: Path) -> None:
    """The sum over the account's keys; a monitoring key stands for servers that are in it already."""
    check(tmp_path, "Out of date", KEYS, {"{}": 3})


def test_kernels_are_those_of_the_answer_for_the_whole_account(tmp_path: Path) -> None:
    """Where the account has one, its keys are not added."""
    whole = {f'{PATCHES}{{account="a",scope="reseller",key="",state="outofdate"}}': "2"}
    check(tmp_path, "Out of date", KEYS | whole, {"{}": 2})


def test_a_note_that_changes_does_not_break_the_table(tmp_path: Path) -> None:
    """Two exporters that saw different notes, for a while after it was changed, make one row, with either of them."""
    notes = {
        f'cln_kernelcare_key_info{{account="a",key="k",note="{note}",enabled="true",instance="{note}"}}': "1"
        for note in ("new", "old")
    }
    check(tmp_path, "Fullest keys", HEALTHY | notes, {"{}": 1}, of="count(%s)")


def test_a_number_is_not_zero_where_nothing_is_known(tmp_path: Path) -> None:
    """While the exporter is down there is no number, so nothing looks good."""
    for panel in ("CLN services", "Stale", "Never checked in", "Out of date", "Unused licenses", "Failing probes"):
        check(tmp_path, panel, {}, {})


def test_unlimited_keys_are_told_as_such_only_where_no_key_has_a_limit(tmp_path: Path) -> None:
    """Used and unused add up to what is paid for: servers of an unlimited key count where there are only such keys."""
    series = HEALTHY | {
        'cln_kernelcare_key_servers{account="a",key="u",checkin="fresh"}': "7",
        'cln_kernelcare_key_servers_limit{account="a",key="u"}': "+Inf",
        'cln_imunify_key_servers{account="a",key="i",checkin="fresh"}': "5",
        'cln_imunify_key_servers_limit{account="a",key="i"}': "+Inf",
    }
    kernelcare, imunify, ip = (f'{{family="{each}"}}' for each in ("kernelcare", "imunify", "ip_license"))
    table = "Licenses used and unused"
    check(tmp_path, table, series, {kernelcare: 94, imunify: 5}, ref="A")
    check(tmp_path, table, series, {kernelcare: 100, imunify: float("inf"), ip: 0}, ref="B")
    check(tmp_path, table, series, {kernelcare: 6, imunify: float("inf"), ip: 0}, ref="C")
