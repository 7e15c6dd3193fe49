"""Tests that the formulas and the table of docs/sizing.md match the exporter and the model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from cln_monitor.cln import KernelCareServer
from cln_monitor.exporter.metrics.exposition import Fragment
from cln_monitor.probes import CheckinSettings
from cln_monitor.probes.kernelcare import KernelCareKeyServers
from cln_monitor.simulator import Fixed, SimulatedKernel
from tests.exporter.metrics.rendering import rendered
from tests.helpers.clock import NOW
from tests.helpers.pages import keep_block
from tools.sizing.model import BYTES_A_SERIES, SERVERS_A_KEY, ZIPPED_BYTES_A_SERIES, Fleet, table

from .conftest import Exporting
from .metrics.rendering import observed, viewed

PAGE = Path(__file__).parents[2] / "docs" / "sizing.md"
MONITORING_KEY = "MONITORINGKEY0001"
LETTERS = {
    "K": 2,
    "S": 5,
    "I": 3,
    "T": 4,
    "N": 4,
    "H": 4,
    "L": 6,
    "Y": 2,
    "E": 2,
    "V": 3,
    "C": 2,
    "X": 4,
    "G": 2,
    "W": 3,
    "B": 2,
}
LETTERS |= {"A": 3, "J": 1, "M": 3}  # whose host names are in the groups, the patch status, or the ELS servers
LETTERS |= {"O": 1, "D": 3, "R": 2, "U": 2, "Z": 2}


def formulas() -> Iterator[tuple[str, str, str]]:
    """Yield each metric of the page with its formulas with and without per-server series."""
    block = PAGE.read_text().split("<!-- series:")[1].split("<!-- /series -->")[0]
    for name, *both in re.findall(r"^\| `(cln_\w+)` \| (.+?) \| (.+?) \|$", block, re.MULTILINE):
        with_, without = both
        yield name, with_, without


@pytest.fixture
def api_key_file(exporting: Exporting, tmp_path: Path) -> Path:
    """The file with the API key of the ePortal."""
    file = tmp_path / "eportal.key"
    file.write_text(exporting.simulator.eportal.api_key)
    return file


@pytest.fixture
def fleet(exporting: Exporting, api_key_file: Path) -> Exporting:
    """An exporter of an account with the numbers of ``LETTERS``, whose servers have all checked in."""
    account = exporting.account
    account.monitoring_keys.add(MONITORING_KEY)
    for number in range(LETTERS["K"]):
        key = account.add_kernelcare_key(limit=9)
        for index in range(2 + number):
            patch = "outofdate" if index == 0 else "uptodate"
            server = key.add_server(f"k{number}-{index}", last_checkin=NOW, created=NOW, patch_state=patch)
    for number in range(LETTERS["I"]):
        imunify = account.add_imunify_key(limit=9)
        for index in range(1 + (number == 0)):
            mail = imunify.add_server(f"i{number}-{index}", last_checkin=NOW, created=NOW)
    for number in range(LETTERS["L"]):
        account.add_ip_license(f"192.0.2.{number}", (1, 16)[number % 2], created=NOW, last_checkin=NOW)
    for number in range(LETTERS["E"]):
        els = account.add_els_key(code="CELS", limit=9)
        for index in range(1 + number):
            els.add_server(f"{number}{index}", last_checkin=NOW)
        farm = account.add_cloudlinux_key(product_type="CL", limit=9)
        for index in range(2):
            farm.add_server(f"4{number}{index}")
    account.add_group("one").add_server(mail)
    two = account.add_group("two")
    for member in (server, key.servers["k1-0"]):
        two.add_server(member)
    account.add_awp_entity("shop.example.net", username="shop")
    account.add_awp_entity("shop.example.net", "AWP_CDN", username="shop", cdn_limit_type="50 GB")
    _add_eportal(exporting, api_key_file)
    return exporting


def _add_eportal(exporting: Exporting, api_key_file: Path) -> None:
    eportal, kernel = exporting.simulator.eportal, SimulatedKernel("almalinux8", "4.18.0-553.el8.x86_64")
    exporting.simulator.patches.add_kernel(kernel)
    server_key = eportal.add_key("web")
    for number in range(LETTERS["D"]):
        level = kernel.add_patch(NOW - 9, ("fix", "CVE-2026-11111")).level if number < LETTERS["U"] else 1
        eportal.add_server(
            kernel, server_key, registered=NOW - 9, loads=[(NOW - 1, level)], checkins=Fixed(NOW), hostname="app"
        )
    exporting.eportal = (
        f"eportals: [{{name: dc1, url: '{exporting.url.removesuffix('/api')}/admin/api', "
        f"api_key_file: {api_key_file}}}]\n"
        f"patches: {{url: '{exporting.url.removesuffix('/api')}/patches', cves: [CVE-2026-11111, CVE-2026-22222]}}"
    )


def count_series(fleet: Exporting, *, server_series: bool) -> Counter[str]:
    """Return the number of series of each metric, with all series of a histogram together."""
    off = "" if server_series else "server_series: false"
    probes = [f"{probe}: {{{off}}}" for probe in ("kernelcare", "imunify", "ip_licenses")]
    probes += [
        f"groups: {{enabled: true, {off}}}",
        f"els: {{enabled: true, products: [CELS], {off}}}",
        "awp: {enabled: true}",
        f"cloudlinux: {{enabled: true, products: [CL], {off}}}",
    ]
    fleet.configure(
        f"max_server_series: 10000\n{fleet.eportal}\nprobes: {{eportal: {{{off}}}}}",
        account=f"monitoring_keys: [{MONITORING_KEY}]\nprobes: {{{', '.join(probes)}}}",
    )
    assert fleet.service.reload() is None
    for target in fleet.service.targets.values():
        assert fleet.service.run(target).failure is None
    lines = (fleet.metrics() + fleet.own_metrics()).splitlines()
    names = [re.split("[{ ]", line)[0] for line in lines if line.startswith("cln_")]
    return Counter(re.sub("(request_duration_seconds)_(bucket|sum|count)", r"\1", name) for name in names)


@pytest.mark.parametrize("server_series", [True, False], ids=["server-series", "no-server-series"])
def test_the_series_of_each_metric(server_series: bool, fleet: Exporting) -> None:
    """The formulas of the page give the numbers of series of the fleet, for all metrics."""
    calls = {exchange.split('endpoint="')[1].split('"')[0] for exchange in _requests(fleet, server_series)}
    numbers = LETTERS | {"P": 10, "Q": len(calls), "F": len(fleet.samples("cln_status_ok"))}
    expected = {}
    for name, *both in formulas():
        product = 1
        for factor in both[not server_series].split(" · "):
            product *= numbers[factor] if factor in numbers else int(factor)
        expected[name] = product
    counts = count_series(fleet, server_series=server_series)
    assert {name: counts[name] for name in expected} == expected
    assert set(counts) <= set(expected)


def _requests(fleet: Exporting, server_series: bool) -> list[str]:
    count_series(fleet, server_series=server_series)
    return fleet.samples("cln_api_requests_total{")


def test_the_page_names_each_metric() -> None:
    """docs/sizing.md has the same metrics as docs/metrics.md."""
    metrics = (PAGE.parent / "metrics.md").read_text(encoding="utf-8")
    assert sorted(name for name, *_ in formulas()) == sorted(re.findall(r"^\| `(cln_\w+)`", metrics, re.MULTILINE))


def test_the_table_of_fleets_is_that_of_the_model(request: pytest.FixtureRequest) -> None:
    """The table of fleets is that of the model; pytest --update-golden updates it."""
    keep_block(PAGE, "fleets", table(), update=request.config.getoption("--update-golden"))


@pytest.mark.parametrize("server_series", [True, False], ids=["server-series", "no-server-series"])
def test_the_bytes_of_the_model(server_series: bool) -> None:
    """The model matches the bytes of a fleet of 10,000 servers with realistic ids, addresses and notes."""
    random, parts = Random(1), {}
    for number in range(100):
        key = f"K{number:03d}-{random.getrandbits(32):08x}"
        servers = [
            KernelCareServer(
                server_id=f"{random.getrandbits(64):016x}",
                ip=f"10.{number}.1{index:02d}.2",
                created=NOW - 60 * random.randrange(500_000),
                last_checkin=NOW - 60 * random.randrange(300),
            )
            for index in range(SERVERS_A_KEY)
        ]
        parts[key] = KernelCareKeyServers(key, f"customer {number}", True, 100, servers)
    texts = rendered(viewed(observed(parts)), CheckinSettings(server_series=server_series), 10**6)
    fragments = [Fragment.compress(text) for text in texts.values()]
    lines = sum(text.count(b"\n") for text in texts.values())
    fleet = Fleet(10_000, server_series=server_series, patches_by_key=False)
    assert lines == pytest.approx(fleet.series, rel=0.1)
    assert sum(len(fragment.text) for fragment in fragments) / lines == pytest.approx(
        BYTES_A_SERIES[server_series], rel=0.15
    )
    zipped = sum(len(fragment.deflated) for fragment in fragments) / lines
    assert zipped == pytest.approx(ZIPPED_BYTES_A_SERIES[server_series], rel=0.4)
