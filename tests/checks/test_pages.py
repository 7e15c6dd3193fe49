"""The page of the plugins: option tables, and examples with real output."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cln_monitor.checks import checkin_rules
from cln_monitor.checks.options import make_parser
from cln_monitor.checks.output import render
from cln_monitor.checks.plugin_exit import PluginExit
from cln_monitor.checks.plugins import (
    awp,
    cloudlinux,
    cve,
    els,
    eportal,
    exporter,
    imunify,
    ip_licenses,
    kernelcare,
    monitoring_key,
    patch_status,
    status,
)
from cln_monitor.checks.registry import MODULES, Plugin, load
from cln_monitor.checks.result import CheckResult
from cln_monitor.cln import Redactor
from cln_monitor.config import ClientFactory, parse_config
from cln_monitor.probes import ALL_PROBES, PROBES, ProbeReport, run_probe
from cln_monitor.simulator import Fixed, SimulatedKernel, Simulator, serve
from tests.helpers.clock import NOW, FakeClock

PAGE = Path(__file__).parents[2] / "plugins" / "README.md"
DAY, HOUR = 86400, 3600


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Mapping[str, Any]]]:
    """The report of each probe for a simulated account with problems, at a fixed time."""
    clock = FakeClock()
    simulator = Simulator(clock=clock.time, seed=5)
    account = simulator.add_account("acme_login", "s3cret", "registration-token")
    key = account.add_kernelcare_key("WsTs821nSAtiastD", limit=10)
    for number in range(7):
        key.add_server(ip=f"192.0.2.{number}", hostname=f"web{number}.example.net", last_checkin=NOW - number * HOUR)
    key.add_server(ip="192.0.2.12", hostname="web12.example.net", last_checkin=NOW - 4.2 * DAY, patch_state="outofdate")
    key.add_server(ip="192.0.2.3", hostname="db3.example.net", last_checkin=NOW - 9.5 * DAY, patch_state="unsupported")
    avp = account.add_imunify_key("IM1SOMENONSENCETEXT", code="AVP", limit=0)
    avp.add_server(ip="198.51.100.7", last_checkin=NOW - 2 * HOUR)
    avp.add_server(ip="198.51.100.8", last_checkin=NOW - 30 * HOUR)
    account.add_ip_license("192.0.2.1", 1, created=NOW - 90 * DAY, last_checkin=NOW - HOUR)
    account.add_ip_license("192.0.2.9", 1, registered=False, created=NOW - 90 * DAY)
    els_key = account.add_els_key("CELS-yUDxBd5ethmGO5d3hnAZEau0", limit=3)
    for number in range(3):
        els_key.add_server(ip=f"203.0.113.{number}")
    farm = account.add_cloudlinux_key("CLN7aaKEY0000000000001", "CL", limit=12, note="web farm")
    for number in range(11):
        farm.add_server(ip=f"198.51.100.{number + 20}")
    account.add_awp_entity("shop.example.com", username="shop")
    account.add_awp_entity("shop.example.com", "AWP_CDN", username="shop", cdn_limit_type="50 GB")
    simulator.flags["rhn_overloaded"] = True
    add_eportal_servers(simulator)
    api_key_file = tmp_path_factory.mktemp("eportal") / "api.key"
    api_key_file.write_text(simulator.eportal.api_key)
    with serve(simulator) as served:
        config = parse_config(
            f"{{api_url: '{served.url}', accounts: [{{name: acme, login: acme_login, secret_key: s3cret}}], "
            f"patches: {{url: '{served.patches_url}', cves: [CVE-2026-11111]}}, "
            f"eportals: [{{name: dc1, url: '{served.eportal_url}', api_key_file: '{api_key_file}'}}]}}",
            Path(),
        )
        sources = ClientFactory(config, clock, Redactor())

        def view(name: str) -> Mapping[str, Any]:
            settings = config.probes[name]
            if name not in PROBES:
                source = sources.for_eportal(config.eportals[0])
            elif PROBES[name].per_account:
                source = sources.for_account(config.accounts[0], name)
            else:
                source = sources.for_api(served.url, settings)
            with ThreadPoolExecutor(1) as pool:
                run = run_probe(ALL_PROBES[name], source, pool, clock)
            seen: dict[str, Any] = msgspec.to_builtins(ProbeReport.of_run(run, settings))
            return seen | {"api": "cln.cloudlinux.com"}

        yield view


def add_eportal_servers(simulator: Simulator) -> None:
    """Add servers to the ePortal of ``simulator``, one of which does not have the newest patch."""
    kernel = simulator.patches.add_kernel(SimulatedKernel("almalinux8", "4.18.0-553.el8.x86_64"))
    kernel.add_patch(NOW - 40 * DAY, ("netfilter", "CVE-2026-22222"), effective_kernel="4.18.0-553.80.1.el8")
    kernel.add_patch(NOW - 9 * DAY, ("io-uring", "CVE-2026-11111"), effective_kernel="4.18.0-553.90.1.el8")
    server_key = simulator.eportal.add_key("webservers")
    for number, level in enumerate((2, 1, 2)):
        simulator.eportal.add_server(
            kernel,
            server_key,
            registered=NOW - 90 * DAY,
            loads=[(NOW - 8 * DAY, level)],
            checkins=Fixed(NOW - (number + 1) * HOUR),
            hostname=f"app{number}.example.net",
            ip=f"10.0.4.{number}",
        )


def example(name: str, view: Callable[[str], Mapping[str, Any]]) -> str:
    """Return a call of the plugin ``name`` with its output."""
    program = load(name)
    arguments, verdict = _EXAMPLES[name](program, view)
    state, perfdata = verdict.evaluate()
    output = render(state, verdict.text, verdict.lines, perfdata)
    return f"```console\n$ {name} {arguments}\n{output}```"


def options_table(program: Plugin) -> str:
    """Return the options of ``program`` as a Markdown table."""
    rows = ["| option | what it does |", "| --- | --- |"]
    for option in program.options:
        value = "" if option.metavar is None else f" {option.metavar}"
        default = f" (default: {option.shown_default})" if option.shown_default else ""
        rows.append(f"| `{', '.join(option.flags)}{value}` | {option.help}{default} |")
    return "\n".join([*rows, "| `-V, --version` | Show the version |", "| `-h, --help` | Show this help |"])


@pytest.mark.parametrize("name", MODULES)
def test_the_page_of_a_plugin_is_true(
    name: str, views: Callable[[str], Mapping[str, Any]], request: pytest.FixtureRequest
) -> None:
    """The page has the current options and output; pytest --update-golden updates it."""
    text = now = PAGE.read_text(encoding="utf-8")
    assert f"| [{name}](#{name}) | " in text, f"the table of the page has no row of {name}"
    for kind, content in (("example", example(name, views)), ("help", options_table(load(name)))):
        block = re.compile(rf"(<!-- {kind}: {name} -->\n)(.*?)(<!-- /{kind} -->)", re.DOTALL)
        assert block.search(now), f"the page has no {kind} of {name}"
        now = block.sub(lambda found, content=content: f"{found[1]}{content}\n{found[3]}", now)  # type: ignore[misc] # bound now
    if request.config.getoption("--update-golden"):
        PAGE.write_text(now, encoding="utf-8")
    else:
        assert text == now, "as it should be? pytest --update-golden writes it"


def _options(program: Plugin, *arguments: str) -> argparse.Namespace:
    return make_parser(program.name, program.purpose, program.options).parse_args(arguments)


_Example = Callable[[Plugin, Callable[[str], Mapping[str, Any]]], tuple[str, CheckResult]]


def _judged(probe: str, judge: Callable[..., CheckResult], shown: str, *arguments: str) -> _Example:
    def run(program: Plugin, view: Callable[[str], Mapping[str, Any]]) -> tuple[str, CheckResult]:
        return shown, judge(view(probe), _options(program, *arguments), NOW)

    return run


def _servers(probe: str, product: str) -> _Example:
    def judge(view: Mapping[str, Any], options: argparse.Namespace, now: float) -> CheckResult:
        return checkin_rules.judge(view, product, options, now)

    return _judged(probe, judge, "-C /etc/cln-monitor/cln-monitor.yml")


def _exporter(program: Plugin, view: Callable[[str], Mapping[str, Any]]) -> tuple[str, CheckResult]:
    text = "reading /im/key/list.json at cln.cloudlinux.com: timed out after 15 s"
    ages = {"last_run": 60.0, "last_success": 2400.0, "oldest_part": 2400.0}
    failed = {"last_success": NOW - 40 * 60, "ages": ages, "failure": {"reason": "timeout", "text": text}}
    probes = [view("kernelcare"), {**view("imunify"), **failed}]
    return "--exporter http://127.0.0.1:10099", exporter.judge(probes, _options(program), NOW)


def _registered(program: Plugin, _: object) -> tuple[str, CheckResult]:
    simulator = Simulator()
    simulator.add_account()
    with serve(simulator) as served:
        options = _options(program, "--api-url", served.url, "--key", "WsTs821nSAtiastD")
        return "--generate --key-file /etc/cln-monitor/monitoring.key", monitoring_key.register(
            options.key, options, PluginExit()
        )


_EXAMPLES: dict[str, _Example] = {
    status.PLUGIN.name: _judged("status", status.judge, ""),
    kernelcare.PLUGIN.name: _servers("kernelcare", "KernelCare"),
    imunify.PLUGIN.name: _servers("imunify", "Imunify"),
    patch_status.PLUGIN.name: _judged(
        "patch_status", patch_status.judge, "-k WsTs821nSAtiastD", "-k", "WsTs821nSAtiastD"
    ),
    ip_licenses.PLUGIN.name: _judged("ip_licenses", ip_licenses.judge, "-C /etc/cln-monitor/cln-monitor.yml"),
    els.PLUGIN.name: _judged("els", els.judge, "-C /etc/cln-monitor/cln-monitor.yml"),
    awp.PLUGIN.name: _judged("awp", awp.judge, "-C /etc/cln-monitor/cln-monitor.yml -w 100", "-w", "100"),
    cloudlinux.PLUGIN.name: _judged("cloudlinux", cloudlinux.judge, "-C /etc/cln-monitor/cln-monitor.yml"),
    eportal.PLUGIN.name: _judged("eportal", eportal.judge, "-C /etc/cln-monitor/cln-monitor.yml -a dc1"),
    cve.PLUGIN.name: _judged(
        "eportal",
        cve.judge,
        "-C /etc/cln-monitor/cln-monitor.yml -a dc1 --cve CVE-2026-11111",
        "--cve",
        "CVE-2026-11111",
    ),
    exporter.PLUGIN.name: _exporter,
    monitoring_key.PLUGIN.name: _registered,
}
