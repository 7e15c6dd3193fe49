"""Series for cases that the demo does not have, and the expected results of dashboard queries, tested with promtool."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from tests.dashboards import grafana
from tests.helpers import promtool

PATCHES = "cln_patch_status_servers"
NOW = 600
HOUR, DAY = 3600, 86400
KERNELCARE, IMUNIFY, IP = "cln_kernelcare_server", "cln_imunify_server", "cln_ip_license"
Series = dict[str, str]
Samples = Mapping[str, float]
STALE_AFTER: Series = {
    'cln_probe_stale_after_seconds{api="c",account="a",probe="kernelcare"}': f"{DAY}",
    'cln_probe_stale_after_seconds{api="c",account="a",probe="imunify"}': f"{DAY}",
    'cln_probe_stale_after_seconds{api="c",account="a",probe="ip_licenses"}': f"{3 * DAY}",
    'cln_probe_success{api="c",account="a",probe="ip_licenses"}': "1",
}
HEALTHY: Series = STALE_AFTER | {
    'cln_status_ok{api="c",flag="xmlrpc"}': "1",
    'cln_probe_success{api="c",account="a",probe="kernelcare"}': "1",
    'cln_probe_last_run_timestamp_seconds{api="c",account="a",probe="kernelcare"}': "590",
    'cln_probe_interval_seconds{api="c",account="a",probe="kernelcare"}': "60",
    'cln_probe_server_series_dropped{api="c",account="a",probe="kernelcare"}': "0",
    'cln_probe_failures_total{api="c",account="a",probe="kernelcare",reason="auth"}': "0",
    'cln_exporter_build_info{job="cln",instance="1"}': "1",
    'up{job="cln",instance="1"}': "1",
    'up{job="other",instance="2"}': "0",
    "cln_exporter_config_last_reload_successful": "1",
    "cln_exporter_tls_verification_disabled": "0",
    "cln_exporter_state_write_failures_total": "3",
    'cln_api_clock_skew_seconds{api="c"}': "-299",
    'cln_kernelcare_key_servers{account="a",key="k",checkin="fresh"}': "89",
    'cln_kernelcare_key_servers{account="a",key="k",checkin="stale"}': "0",
    'cln_kernelcare_key_servers{account="a",key="k",checkin="never"}': "0",
    'cln_kernelcare_key_servers_limit{account="a",key="k"}': "100",
    f'{PATCHES}{{account="a",scope="reseller",key="",state="outofdate"}}': "0",
    'cln_ip_licenses{account="a",license="l",registered="false"}': "0",
    'cln_ip_licenses{account="a",license="l",registered="unknown"}': "0",
    'cln_awp_billable{account="a",product="p",cdn_limit="",period="current"}': "30",
    'cln_awp_billable{account="a",product="p",cdn_limit="",period="previous"}': "20",
}
"""An account with nothing wrong, ten minutes after the start of time, and each number just below where it would be."""
BOARDS = {item["uid"]: item for item in grafana.dashboards()}


def silent(of: str, *ages: float, name: str = "s", key: str = "k", account: str = "a") -> Series:
    """Return the last check-ins of servers, ``ages`` ago, each with its own address; they were created a year ago."""
    found = {}
    for place, age in enumerate(ages):
        labels = f'account="{account}",key="{key}",server_id="{name}{place}",ip="{name}.{place}"'
        found[f"{of}_last_checkin_timestamp_seconds{{{labels}}}"] = f"{NOW - age:.0f}"
        if of == KERNELCARE:
            found[f"{of}_created_timestamp_seconds{{{labels}}}"] = f"{NOW - 365 * DAY}"
    return found


def license_of(ip: str, name: str, used: int, age: float | None = None, created: float = 365 * DAY) -> Series:
    """Return an IP license that is used or not, with a check-in ``age`` ago."""
    labels = f'account="a",ip="{ip}",license="{name}"'
    found = {
        f"{IP}_registered{{{labels}}}": str(used),
        f"{IP}_created_timestamp_seconds{{{labels}}}": f"{NOW - created:.0f}",
    }
    return found if age is None else found | {f"{IP}_last_checkin_timestamp_seconds{{{labels}}}": f"{NOW - age:.0f}"}


def info(key: str, *, enabled: bool, account: str = "a") -> Series:
    """Return the info series of a key."""
    return {f'cln_kernelcare_key_info{{account="{account}",key="{key}",note="",enabled="{str(enabled).lower()}"}}': "1"}


def use(family: str, used: int, limit: float | str, key: str = "u", **labels: str) -> Series:
    """Return a key with servers that check in."""
    more = "".join(f',{name}="{value}"' for name, value in labels.items())
    checkin = "" if family in {"els", "cloudlinux"} else ',checkin="fresh"'
    return {
        f'cln_{family}_key_servers{{account="a",key="{key}"{checkin}{more}}}': str(used),
        f'cln_{family}_key_servers_limit{{account="a",key="{key}"{more}}}': str(limit),
    }


def row(level: int, problem: str, place: str, board: str, account: str = "a") -> str:
    """Return the labels of a row of the table of problems."""
    labels = {"account": account, "board": f"cln-{board}", "level": str(level), "place": place, "problem": problem}
    return "{" + ", ".join(f'{name}="{value}"' for name, value in labels.items() if value) + "}"


def check(
    tmp_path: Path,
    panel: str,
    series: Series,
    expected: Samples,
    *,
    ref: str = "A",
    of: str = "%s",
    board: str = "cln-overview",
    stale_after: int = 0,
) -> None:
    """Fail unless the query of ``panel`` has the ``expected`` result after ten minutes of ``series``."""
    (query,) = (item for item in grafana.queries() if (item.board, item.panel, item.ref) == (board, panel, ref))
    expression = query.expression.replace("$stale_after", str(stale_after))
    evaluate(tmp_path, of % grafana.as_first_shown(expression, BOARDS[board]), series, expected)


def evaluate(tmp_path: Path, expression: str, series: Series, expected: Samples) -> None:
    """Fail unless ``expression`` has the ``expected`` result after ten minutes of ``series``."""
    case = {
        "interval": "1m",
        "input_series": [
            {"series": name, "values": value if "x" in value else f"{value}+0x10"} for name, value in series.items()
        ],
        "promql_expr_test": [
            {
                "expr": expression,
                "eval_time": "10m",
                "exp_samples": [{"labels": labels, "value": value} for labels, value in expected.items()],
            }
        ],
    }
    # Not as JSON, which has no infinity.
    (tmp_path / "case.yml").write_text(yaml.safe_dump({"tests": [case]}), encoding="utf-8")
    code, output = promtool.run("test", "rules", "case.yml", directory=tmp_path)
    assert code == 0, output
