"""Silent servers on the dashboards, for any value of stale_after."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dashboards import grafana
from tests.real.dashboard_cases import (
    BOARDS,
    DAY,
    HOUR,
    IMUNIFY,
    KERNELCARE,
    NOW,
    STALE_AFTER,
    Samples,
    Series,
    check,
    evaluate,
    license_of,
    silent,
    use,
)

pytestmark = pytest.mark.needs_server("prometheus")


def registered_again(created: float, last: float = HOUR, key: str = "new", **more: float) -> Series:
    """Return a server that is silent for five days, and another at its address registered ``created`` ago."""
    old = 'account="a",key="k",server_id="old",ip="i"'
    found = {
        f"{KERNELCARE}_last_checkin_timestamp_seconds{{{old}}}": f"{NOW - 5 * DAY}",
        f"{KERNELCARE}_created_timestamp_seconds{{{old}}}": f"{NOW - 99 * DAY}",
    }
    for name, age in {"new": created, **more}.items():
        labels = f'account="a",key="{key}",server_id="{name}",ip="i"'
        found[f"{KERNELCARE}_last_checkin_timestamp_seconds{{{labels}}}"] = f"{NOW - last:.0f}"
        found[f"{KERNELCARE}_created_timestamp_seconds{{{labels}}}"] = f"{NOW - age:.0f}"
    return found


@pytest.mark.parametrize(
    ("series", "superseded"),
    [
        (registered_again(4 * DAY), True),
        (registered_again(5 * DAY - 1), True),
        (registered_again(5 * DAY), False),  # made no later than the last check-in
        (registered_again(4 * DAY, last=2 * DAY), False),  # silent as well
        (registered_again(4 * DAY, another=4 * DAY), False),  # a shared address, as by NAT
    ],
)
def test_a_superseded_server_counts_as_that_alone(tmp_path: Path, series: Series, *, superseded: bool) -> None:
    """A superseded server is not counted as silent, on any dashboard."""
    silent = 0 if superseded else sum("last_checkin" in name and int(at) < NOW - DAY for name, at in series.items())
    check(tmp_path, "Superseded", STALE_AFTER | series, {"{}": int(superseded)})
    check(tmp_path, "Silent", STALE_AFTER | series, {"{}": silent})
    variables = {"$kernelcare_key": "k"}
    board = BOARDS["cln-kernelcare"]
    for panel, expected in {"Superseded": int(superseded), "Silent": 0 if superseded else 1}.items():
        (query,) = (
            candidate for candidate in grafana.queries() if (candidate.board, candidate.panel) == (board["uid"], panel)
        )
        expression = query.expression.replace(*next(iter(variables.items())))
        evaluate(tmp_path, grafana.as_first_shown(expression, board), STALE_AFTER | series, {"{}": expected})


@pytest.mark.parametrize(
    ("configured", "chosen", "expected"),
    [
        (HOUR * 12, 0, {"Newly silent": 2, "Silent": 4, "Gone": 2}),
        (DAY, 0, {"Newly silent": 1, "Silent": 3, "Gone": 2}),
        (DAY, HOUR * 12, {"Newly silent": 2, "Silent": 4, "Gone": 2}),
        (DAY * 40, 0, {"Newly silent": 1, "Silent": 0, "Gone": 1}),
        (DAY * 40, DAY, {"Newly silent": 1, "Silent": 3, "Gone": 2}),
        (DAY, DAY * 7, {"Newly silent": 1, "Silent": 2, "Gone": 2}),
    ],
)
def test_numbers_move_with_stale_after(tmp_path: Path, configured: int, chosen: int, expected: Samples) -> None:
    """The numbers follow stale_after as configured or chosen, without per-server series too."""
    ages = [HOUR, 13 * HOUR, 2 * DAY, 8 * DAY, 20 * DAY, 35 * DAY, 42 * DAY]
    after = {'cln_probe_stale_after_seconds{api="c",account="a",probe="imunify"}': f"{configured}"}
    for panel, value in expected.items():
        check(tmp_path, panel, silent(IMUNIFY, *ages) | after, {"{}": value}, stale_after=chosen)
    if chosen or configured < 30 * DAY:
        stale = sum(age > configured for age in ages)
        counts = after | {'cln_imunify_key_servers{account="a",key="k",checkin="stale"}': f"{stale}"}
        for bound in (12 * HOUR, DAY, 7 * DAY, 30 * DAY, None):
            labels = f'account="a",key="k",le="{"+Inf" if bound is None else f"{bound}.0"}"'
            young = sum(bound is None or age <= bound for age in ages)
            counts[f"cln_imunify_server_checkin_age_seconds_bucket{{{labels}}}"] = f"{young}"
        for panel in ("Silent", "Gone"):
            check(tmp_path, panel, counts, {"{}": expected[panel]}, stale_after=chosen)


def named(family: str, server: str, *hosts: str) -> Series:
    """Return the host names that exporters report for a server, one each."""
    labels = f'account="a",ip="i.{server}"' if family == "ip_license" else f'account="a",key="k",server_id="s{server}"'
    labels += "" if family == "ip_license" else f',ip="s.{server}"'
    name = "host_info" if family == "ip_license" else "server_info"
    return {
        f'cln_{family}_{name}{{instance="{number}",{labels},hostname="{host}"}}': "1"
        for number, host in enumerate(hosts)
    }


@pytest.mark.parametrize(
    ("series", "hosts"),
    [
        (silent(KERNELCARE, 2 * DAY, 3 * DAY) | named("kernelcare", "1", "web1"), ["", "web1"]),
        (silent(IMUNIFY, 2 * DAY) | named("imunify", "0", "mail1") | named("kernelcare", "0", "web1"), ["mail1"]),
        (license_of("i.0", "l", 1, 4 * DAY) | named("ip_license", "0", "old1"), ["old1"]),
        (license_of("i.0", "l", 1, 4 * DAY), [""]),
    ],
)
def test_a_silent_server_has_its_host_name(tmp_path: Path, series: Series, hosts: list[str]) -> None:
    """A silent server is a row, with the host name that the exporters report for it, if any."""
    notes = use("kernelcare", 1, 0, "k") | use("imunify", 1, 0, "k")
    notes['cln_ip_licenses{account="a",license="l",registered="true"}'] = "1"
    expected = {f'{{hostname="{host}"}}' if host else "{}": hosts.count(host) for host in hosts}
    check(tmp_path, "Silent servers", STALE_AFTER | notes | series, expected, of="count by (hostname) (%s)")


def test_a_renamed_server_is_one_row(tmp_path: Path) -> None:
    """While two exporters report different host names of a server, it has one of them."""
    series = silent(KERNELCARE, 2 * DAY) | named("kernelcare", "0", "web1", "web2") | use("kernelcare", 1, 0, "k")
    check(tmp_path, "Silent servers", STALE_AFTER | series, {"{}": 1}, of="count(%s)")


def test_an_empty_account_has_no_servers(tmp_path: Path) -> None:
    """Numbers are 0 for empty lists, and absent for lists that were not read."""
    empty = STALE_AFTER | {
        f'cln_kernelcare_key_servers{{account="a",key="k",checkin="{checkin}"}}': "0"
        for checkin in ("fresh", "stale", "never", "unknown")
    }
    for panel in ("Servers that check in", "Silent", "Gone"):
        check(tmp_path, panel, empty, {"{}": 0})
    check(tmp_path, "Servers that check in", STALE_AFTER, {})


def test_a_server_with_two_products_or_licenses(tmp_path: Path) -> None:
    """Licenses of one address count as one server, and unused ones as none."""
    series = (
        use("kernelcare", 3, 5)
        | use("imunify", 2, 5)
        | use("els", 9, 9, product="p")
        | use("cloudlinux", 7, 9, product="p")
        | license_of("i", "l", 1, HOUR)
        | license_of("i", "m", 1, HOUR)
        | license_of("j", "l", 0)
    )
    check(tmp_path, "Servers that check in", series, {"{}": 15})
