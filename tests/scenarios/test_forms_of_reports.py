"""The forms of a report that plugins request: each gives the same output as the whole report, byte for byte."""

from __future__ import annotations

import argparse
import gzip
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from cln_monitor import policy
from cln_monitor.checks import checkin_rules, options, registry
from cln_monitor.checks.output import render
from cln_monitor.checks.plugins import cloudlinux, els, ip_licenses, patch_status
from cln_monitor.checks.result import CheckResult
from cln_monitor.cln import ImunifyServer, KernelCareServer, PatchedHost
from cln_monitor.exporter.forms import ReportForms, parse_query
from cln_monitor.masking import mask_key
from cln_monitor.probes import (
    Ages,
    Caution,
    Gap,
    ImunifyKeyServers,
    KernelCareKeyServers,
    Observation,
    Part,
    PatchState,
    ProbeReport,
)
from cln_monitor.probes.cloudlinux import CloudLinuxKeyState, CloudLinuxProduct, CloudLinuxServerState
from cln_monitor.probes.els import ElsKeyState, ElsProduct, ElsServerState
from cln_monitor.probes.ip_licenses import IpLicenseList, LicenseCheckin, LicenseState

NOW = 1_700_000_000.0
STALE_AFTER = 86400.0
_EDGES = (0.0, STALE_AFTER, STALE_AFTER + policy.NEWLY_SILENT, float(policy.LONGEST_SILENCE), 3600.0, 7200.5)
_FRACTIONS = (-2.0, -1.0, -0.5, -0.0001, 0.0, 0.0001, 0.5, 1.0, 60.0, 4000.0)

ages = st.one_of(
    st.builds(lambda edge, more: edge + more, st.sampled_from(_EDGES), st.sampled_from(_FRACTIONS)),
    st.floats(-5000, 40 * 86400, allow_nan=False),
)
checkins = st.one_of(st.builds(lambda age: NOW - age, ages), st.none(), st.just(UNSET))
moments = st.one_of(st.none(), st.builds(lambda age: NOW - age, ages))
addresses = st.sampled_from(
    ["192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1", "2001:DB8:0::1", "", "web", "0.0.0.0"]
)


@st.composite
def key_parts(draw: st.DrawFn, probe: str) -> list[Part[Any]]:
    """Return parts of keys; some keys have hundreds of servers of the same ages."""
    parts, number = [], 0
    for index in range(draw(st.integers(0, 4))):
        servers: list[Any] = []
        for _ in range(draw(st.integers(0, 5))):
            ip, last, created = draw(addresses), draw(checkins), draw(moments)
            for copy in range(draw(st.sampled_from([1, 1, 1, 2, 130]))):
                number += 1
                shifted = last if last is None or last is UNSET or copy % 2 else last + copy
                address = ip if copy == 0 else f"10.0.{copy // 250}.{copy % 250}"
                servers.append(
                    KernelCareServer(f"s{number}", address, created, shifted)
                    if probe == "kernelcare"
                    else ImunifyServer(f"s{number}", address, shifted)
                )
        label, note = mask_key(f"{index}" * 16), draw(st.sampled_from(["", "customer", 'a|b "c"']))
        limit = draw(st.sampled_from([None, 0, 1, 2, 100, "many"]))
        value = (
            KernelCareKeyServers(label, note, draw(st.sampled_from([True, True, False, None])), limit, servers)
            if probe == "kernelcare"
            else ImunifyKeyServers(label, "360_30", limit, draw(st.sampled_from([None, 3, 500])), servers, note)
        )
        cautions = draw(st.sampled_from([(), (Caution("limit_not_told", (label,)),)]))
        parts.append(Part(label, NOW - draw(st.sampled_from([0.0, 100.0])), value, 0.0, cautions))
    return parts


@st.composite
def products(draw: st.DrawFn) -> list[Part[Any]]:
    """Return parts of ELS products, of which some report no check-ins, and some have servers of keys not listed."""
    parts, number = [], 0
    for product in draw(st.lists(st.sampled_from(["CELS", "OELS", "ELS CELS7"]), max_size=3, unique=True)):
        keys = [mask_key(f"{index}" * 16) for index in range(draw(st.integers(0, 3)))]
        servers = []
        for _ in range(draw(st.integers(0, 6))):
            owner, ip = draw(st.sampled_from([*keys, "9-00000009"])), draw(addresses)
            host, last = draw(st.sampled_from(["", "db1", ip])), draw(checkins)
            for _ in range(draw(st.sampled_from([1, 1, 130]))):
                number += 1
                servers.append(ElsServerState(owner, f"s{number}", ip, host, last))
        limit = draw(st.sampled_from([None, 0, 1, 2, 100, "many"]))
        states = [ElsKeyState(key, limit, draw(st.sampled_from(["", "databases"]))) for key in keys]
        facts = draw(st.sampled_from([(), ("checkin_not_told",), ("field_missing",)]))
        cautions = tuple(Caution(fact, (f"lastCheckin of {product}",)) for fact in facts)
        parts.append(
            Part(
                product, NOW - draw(st.sampled_from([0.0, 100.0])), ElsProduct(product, states, servers), 0.0, cautions
            )
        )
    return parts


def parts_of(probe: str) -> st.SearchStrategy[list[Part[Any]]]:
    """Return the parts of a probe whose servers check in."""
    return products() if probe == "els" else key_parts(probe)


def judged(probe: str, report: dict[str, Any], chosen: argparse.Namespace, now: float) -> tuple[int, str]:
    """Return the exit code and the output of the check of ``probe`` for a report."""
    result = els.judge(report, chosen, now) if probe == "els" else checkin_rules.judge(report, "Product", chosen, now)
    return output_of(result)


def servers_in(value: Mapping[str, Any]) -> bool:
    """Return whether a value in a report has single servers."""
    return "servers" in value or any("servers" in key for key in value.get("keys", ()))


def report_of(probe: str, parts: list[Part[Any]], host_names: Mapping[str, str], *, is_failed: bool) -> ProbeReport:
    """Return the report of an exporter on ``parts``."""
    gaps = [Gap("Zq7T-2a8ef7d1", "timeout", "no response", False)] if is_failed else []
    observation: Observation[Any] = Observation(probe, "acme", "cln.example.net", NOW, tuple(parts))
    return ProbeReport(
        probe=probe,
        account="acme",
        api="cln.example.net",
        interval=900.0,
        max_age=3600.0,
        stale_after=STALE_AFTER,
        last_run=NOW,
        duration=1.0,
        last_success=NOW,
        failure=None,
        parts_ok=len(parts),
        parts_missing=len(gaps),
        missing=gaps,
        observation=observation,
        host_names=dict(host_names),
    )


def read(forms: ReportForms, probe: str, form: Any, now: float) -> dict[str, Any]:
    """Return the JSON that the exporter returns at ``now`` for the parameters ``form``."""
    query = parse_query(probe, list(form))
    at = now if query.at is None else query.at
    encoded = forms.known(query, at) or forms.encoded(query, at)
    if encoded.compressed is not None:
        assert gzip.decompress(b"".join(encoded.compressed.gzipped(b"}"))) == encoded.text
    answer: dict[str, Any] = msgspec.json.decode(encoded.text)
    return answer | {"ages": msgspec.to_builtins(Ages(12.0, 12.0, 12.0))}


def output_of(result: CheckResult) -> tuple[int, str]:
    """Return the exit code and the output of a check."""
    state, perfdata = result.evaluate()
    return int(state), render(state, result.text, result.lines, perfdata)


def parsed(plugin: str, *arguments: str) -> argparse.Namespace:
    """Return the options of a plugin that reads an exporter."""
    loaded = registry.load(plugin)
    parser = options.make_parser(loaded.name, loaded.purpose, loaded.options)
    return parser.parse_args([*arguments, "--exporter", "http://127.0.0.1:10099"])


RANGES = (
    (),
    ("-v",),
    ("-w", "1h"),
    ("-c", "2h"),
    ("-c", "3d"),
    ("-w", "1d", "-c", "3d", "-v"),
    ("-w", "0", "-c", "7200.5"),
    ("--limit-warning", "50", "--limit-critical", "90"),
)
OTHER_RANGES = (("-w", "@1h:2h"), ("-c", "10:"), ("-w", "1h:", "-v"))


@pytest.mark.parametrize("probe", ["kernelcare", "imunify", "els"])
@given(st.data())
def test_a_summary_gives_the_verdict_of_all_servers(probe: str, data: st.DataObject) -> None:
    """From a summary a check makes the same output and state as from all servers, now and while it is reused."""
    parts = data.draw(parts_of(probe))
    servers = [server for part in parts for server in part.value.servers]
    host_names = {server.server_id: f"web-{server.server_id}" for server in servers[:: data.draw(st.integers(1, 3))]}
    forms = ReportForms(report_of(probe, parts, host_names, is_failed=data.draw(st.booleans())))
    chosen = parsed(f"check_cln_{probe}", *data.draw(st.sampled_from(RANGES)))
    for later in (0.0, data.draw(st.sampled_from([0.0001, 0.5, 1.0, 30.0])), data.draw(st.floats(0, 3600))):
        now = NOW + later
        summary = read(forms, probe, checkin_rules.form_of(chosen, now), now)
        assert checkin_rules.SUMMARY in summary
        assert checkin_rules.fits(summary, chosen)
        assert not any(servers_in(part["value"]) for part in summary["observation"]["parts"])
        assert max((len(group["servers"]) for group in summary["summary"]["groups"]), default=0) <= 100
        whole = read(forms, probe, (), now)
        assert judged(probe, summary, chosen, now) == judged(probe, whole, chosen, now)


@pytest.mark.parametrize("arguments", OTHER_RANGES)
def test_ranges_that_a_summary_cannot_answer(arguments: tuple[str, ...]) -> None:
    """With a range that is not a plain maximum, a check requests all servers."""
    assert checkin_rules.form_of(parsed("check_cln_kernelcare", *arguments), NOW) == []


@pytest.mark.parametrize("probe", ["kernelcare", "imunify", "els"])
@given(st.data())
def test_filtered_servers_give_the_verdict_of_all_servers(probe: str, data: st.DataObject) -> None:
    """From the servers that its filters select, a check makes the same output and state as from all servers."""
    parts = data.draw(parts_of(probe))
    servers = [server for part in parts for server in part.value.servers]
    host_names = {server.server_id: f"web-{server.server_id}" for server in servers[::2]}
    forms = ReportForms(report_of(probe, parts, host_names, is_failed=data.draw(st.booleans())))
    keys = st.sampled_from(["0" * 16, mask_key("1" * 16), "2" * 16, "9" * 16])
    filters = [
        *(("--key", key) for key in data.draw(st.lists(keys, max_size=2))),
        *(("--ip", ip) for ip in data.draw(st.lists(st.sampled_from(["192.0.2.1", "2001:db8::1"]), max_size=2))),
        *(("--server-id", name) for name in data.draw(st.lists(st.sampled_from(["s1", "s2", "s9"]), max_size=2))),
    ] or [("--key", "0" * 16)]
    ranges = data.draw(st.sampled_from((*RANGES, *OTHER_RANGES)))
    chosen = parsed(f"check_cln_{probe}", *(word for pair in filters for word in pair), *ranges)
    form = checkin_rules.form_of(chosen, NOW)
    assert not any("0" * 16 in value for _, value in form), "a key must not be in a URL"
    filtered, whole = read(forms, probe, form, NOW), read(forms, probe, (), NOW)
    assert judged(probe, filtered, chosen, NOW) == judged(probe, whole, chosen, NOW)


@pytest.mark.parametrize("filters", [("--key", "0" * 16), ("--ip", "192.0.2.1"), ("--server-id", "old")])
def test_a_filtered_server_is_superseded_by_one_of_another_key(filters: tuple[str, str]) -> None:
    """A filter keeps the newer registration at the address of a selected server, although it does not match it."""
    old = KernelCareServer("old", "192.0.2.1", NOW - 90 * 86400, NOW - 9 * 86400)
    new = KernelCareServer("new", "192.0.2.1", NOW - 2 * 86400, NOW - 60)
    other = KernelCareServer("other", "192.0.2.2", NOW - 2 * 86400, NOW - 60)
    keys = [mask_key(digit * 16) for digit in "01"]
    parts: list[Part[Any]] = [
        Part(key, NOW, KernelCareKeyServers(key, "", enabled=True, limit=0, servers=servers))
        for key, servers in zip(keys, ([old], [new, other]), strict=True)
    ]
    chosen = parsed("check_cln_kernelcare", *filters)
    forms = ReportForms(report_of("kernelcare", parts, {}, is_failed=False))
    filtered = read(forms, "kernelcare", checkin_rules.form_of(chosen, NOW), NOW)
    servers = [server["server_id"] for part in filtered["observation"]["parts"] for server in part["value"]["servers"]]
    assert servers == ["old", "new"]
    code, output = output_of(checkin_rules.judge(filtered, "KernelCare", chosen, NOW))
    assert (code, "superseded by a newer registration: 192.0.2.1 (9d)" in output) == (0, True)


def _els() -> ProbeReport:
    products = [
        ElsProduct(
            "CELS",
            [ElsKeyState("k1-00000001", 2, "web"), ElsKeyState("k2-00000002", None)],
            [
                ElsServerState(key, f"{number}", f"192.0.2.{number}", "h")
                for number, key in enumerate(["k1-00000001"] * 3)
            ],
        ),
        ElsProduct("PHP_ELS", [ElsKeyState("k3-00000003", 10)], [ElsServerState("", "9", "192.0.2.9", "h")]),
    ]
    parts = [Part(value.product, NOW, value) for value in products]
    return msgspec.structs.replace(report_of("els", parts, {}, is_failed=False), stale_after=None)


def _cloudlinux() -> ProbeReport:
    keys = [CloudLinuxKeyState("k1-00000001", 4, "web"), CloudLinuxKeyState("k2-00000002", None)]
    servers = [CloudLinuxServerState("k1-00000001", f"{number}", f"192.0.2.{number}", "h") for number in range(3)]
    servers += [CloudLinuxServerState("k2-00000002", "7", "192.0.2.7", ""), CloudLinuxServerState("", "9", "", "")]
    products = [CloudLinuxProduct("CL", keys, servers), CloudLinuxProduct("CLP", [], [])]
    cautions = (Caution("limit_not_told", ("k2-00000002",)),)
    parts = [Part(value.product, NOW, value, 0.0, cautions if value.keys else ()) for value in products]
    return msgspec.structs.replace(report_of("cloudlinux", parts, {}, is_failed=False), stale_after=None)


def _ip_licenses() -> ProbeReport:
    ips = [f"192.0.2.{number}" for number in range(5)]
    states = [LicenseState(ip, "KernelCare", number != 1, NOW - 9e6) for number, ip in enumerate(ips)]
    times = [LicenseCheckin(ip, "KernelCare", NOW - number * 2e5) for number, ip in enumerate(ips)]
    parts: list[Part[Any]] = [
        Part("licenses", NOW, IpLicenseList(licenses=states)),
        Part("check-ins 1", NOW, IpLicenseList(checkins=times), 0.0, (Caution("checkin_ahead", ("192.0.2.8",)),)),
    ]
    return report_of("ip_licenses", parts, {ips[0]: "web0", ips[3]: "web3"}, is_failed=False)


def _patch_status() -> ProbeReport:
    counts = {"uptodate": 1, "outofdate": 1, "unsupported": 0, "inactive": 0}
    parts = [
        Part(
            name,
            NOW,
            PatchState("key", name, ok=False, counts=counts, hosts=[PatchedHost(f"h{name}", "", "outofdate")]),
        )
        for name in (mask_key("0" * 16), mask_key("1" * 16))
    ]
    return report_of("patch_status", parts, {}, is_failed=False)


_JUDGES: dict[str, tuple[Callable[[], ProbeReport], Callable[..., CheckResult]]] = {
    "cloudlinux": (_cloudlinux, cloudlinux.judge),
    "els": (_els, els.judge),
    "ip_licenses": (_ip_licenses, ip_licenses.judge),
    "patch_status": (_patch_status, patch_status.judge),
}


@pytest.mark.parametrize(
    ("probe", "form", "arguments"),
    [
        ("cloudlinux", [("form", "summary")], ()),
        ("cloudlinux", [("form", "summary")], ("--product", "CL", "--limit-critical", "50")),
        ("cloudlinux", [("key", "k1-00000001")], ("--key", "k1-00000001")),
        ("cloudlinux", [("key", "k9-00000009")], ("--key", "k9-00000009")),
        ("els", [("key", "k1-00000001")], ("--key", "k1-00000001")),
        ("ip_licenses", [("form", "summary")], ("-v",)),
        ("ip_licenses", [("ip", "192.0.2.3")], ("--ip", "192.0.2.3")),
        ("ip_licenses", [("ip", "192.0.2.99")], ("--ip", "192.0.2.99")),
        ("patch_status", [("key", mask_key("0" * 16))], ("-k", "0" * 16)),
        ("patch_status", [("key", mask_key("7" * 16))], ("-k", "7" * 16)),
        ("patch_status", [("form", "summary")], ()),
    ],
)
def test_the_forms_of_other_probes(probe: str, form: list[tuple[str, str]], arguments: tuple[str, ...]) -> None:
    """Other checks make the same output from the form that they request as from the whole report."""
    make, judge = _JUDGES[probe]
    forms, chosen = ReportForms(make()), parsed(f"check_cln_{probe}", *arguments)
    found, whole = (read(forms, probe, parameters, NOW) for parameters in (form, ()))
    assert output_of(judge(found, chosen, NOW)) == output_of(judge(whole, chosen, NOW))
