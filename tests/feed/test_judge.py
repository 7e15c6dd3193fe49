"""Judging for the feed: the bytes of the plugins, by one request per probe, even if the exporter fails."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, quote

import pytest
from structlog.testing import capture_logs

from cln_monitor.checks.data import exporter as exporter_of_plugins
from cln_monitor.checks.output import LARGEST, Output, render
from cln_monitor.checks.result import CheckResult, Metric
from cln_monitor.checks.states import State
from cln_monitor.exporter.forms import FormQuery
from cln_monitor.feed import exporter_reader
from cln_monitor.feed.config import load_config
from cln_monitor.feed.exporter_reader import ExporterReader
from cln_monitor.feed.judge import Judge
from cln_monitor.feed.result import FeedResult
from cln_monitor.feed.services import CHECKS
from tests.checks.inside import run_in_process
from tests.checks.running import EXPORTER_PASSWORD
from tests.helpers.scripted import ScriptedServer, answering, http_answer

from .demo_exporter import DemoExporter, demo_exporter


def judge_of(write: Callable[..., Path], services: list[dict[str, Any]], **fields: Any) -> Judge:
    """Return the judge of a configuration with ``services``; they need no names."""
    named = [{"host": "cln", "service": str(number), **service} for number, service in enumerate(services)]
    config = load_config(write(services=named, **fields))
    return Judge(config.services, ExporterReader(config))


def observed(exporter: DemoExporter, probe: str) -> list[Any]:
    """Return the values of the parts of ``probe`` at the demo's exporter."""
    target = next(one for one in exporter.service.targets.values() if one.id.probe == probe)
    report = json.loads(target.forms().encoded(FormQuery(), 0).text)
    return [part["value"] for part in report["observation"]["parts"]]


def sets_of_options(exporter: DemoExporter) -> list[tuple[str, dict[str, Any]]]:
    """Return checks with options: each check without any, with ranges, and with each kind of filter."""
    sets: list[tuple[str, dict[str, Any]]] = [(check, {}) for check in CHECKS]
    for check in ("kernelcare", "imunify", "els"):
        values = observed(exporter, check)
        keys = values if check != "els" else [key for value in values for key in value["keys"]]
        servers = [server for value in values for server in value["servers"]]
        assert len(keys) > 1, check
        assert len(servers) > 10, check
        ranges: list[dict[str, Any]] = [
            {"warning": "12h", "critical": "3d"},
            {"warning": "@1h:2d"},
            {"critical": "10:", "verbose": 1},
            {"verbose": 3, "limit_warning": 50, "limit_critical": "80%"},
            {"warning": "2d", "critical": "1d"},
            {"ip": ["192.0.2.254", servers[0]["ip"]], "no_match_state": "ok"},
            {"key": [keys[0]["key"], keys[1]["key"]], "ip": servers[0]["ip"]},
            {"key": "none-00000000"},
            {"server_id": [server["server_id"] for server in servers[:7]], "warning": "1h"},
        ]
        ranges += [{"key": key["key"]} for key in keys]
        ranges += [{"server_id": server["server_id"]} for server in servers[:40]]
        ranges += [{"ip": server["ip"], "warning": "1d"} for server in servers[-40:] if server["ip"]]
        sets += [(f"check_cln_{check}", options) for options in ranges]
    licenses = [row for value in observed(exporter, "ip_licenses") for row in value["licenses"]]
    sets += [("check_cln_ip_licenses", {"ip": row["ip"]}) for row in licenses[:30]]
    sets += [("check_cln_ip_licenses", {"license": licenses[0]["license"], "unused_warning": 0, "warning": "1d"})]
    patched = [value["key"] for value in observed(exporter, "patch_status")]
    sets += [("check_cln_patch_status", {"key": key}) for key in patched if key]
    bought = [key["key"] for value in observed(exporter, "cloudlinux") for key in value["keys"]]
    sets += [("check_cln_cloudlinux", {"key": key, "limit_warning": 50}) for key in [*bought, "none-00000000", bought]]
    sets += [
        ("check_cln_patch_status", {"critical": "o", "warning": "u,i"}),
        ("check_cln_patch_status", {"reseller": True}),
        ("check_cln_patch_status", {"reseller": True, "key": max(patched)}),
        ("check_cln_status", {"ignore_flag": ["rhn"], "critical_flag": ["kcare", "xmlrpc"]}),
        ("check_cln_status", {"account": "other"}),
        ("check_cln_awp", {"product": "AWP_CDN", "warning": 1}),
        ("check_cln_awp", {"month": "previous", "critical": "1:2"}),
        ("check_cln_els", {"code": ["CELS", "NONE"]}),
        ("check_cln_kernelcare", {"account": "other"}),
        ("check_cln_kernelcare", {"account": "demo"}),
        ("check_cln_eportal", {}),
        ("check_cln_eportal", {"account": "dc1", "warning": "@1h:2d", "critical": "20d", "verbose": 1}),
        ("check_cln_eportal", {"allowed_lag": "14d"}),
        ("check_cln_eportal", {"account": "demo"}),
        ("check_cln_cve", {}),
        ("check_cln_cve", {"cve": ["cve-2026-33333", "CVE-2026-99999"], "warning": 5, "critical": "200"}),
        ("check_cln_cve", {"cve": "CVE-2026-22222", "account": "dc1", "critical": 0}),
        ("check_cln_exporter", {"account": "demo", "warning": "1m", "critical": "2m"}),
    ]
    return sets


def arguments_of(options: dict[str, Any]) -> list[str]:
    """Return ``options`` of a configuration as arguments of the plugin."""
    arguments = []
    for name, value in options.items():
        flag = f"--{name.replace('_', '-')}"
        if name == "verbose":
            arguments += ["-v"] * value
        elif value is True:
            arguments.append(flag)
        else:
            arguments += [f"{flag}={one}" for one in (value if isinstance(value, list) else [value])]
    return arguments


def printed(result: FeedResult) -> tuple[int, str]:
    """Return the exit code and the output of the plugin with that result."""
    first, *lines = result.output.split("\n")
    return result.state, str(Output(first, result.perfdata, lines))


def by_plugin(exporter: DemoExporter, check: str, options: dict[str, Any]) -> tuple[int, str]:
    """Return the exit code and the output of the plugin."""
    outcome = run_in_process(check, *arguments_of(options), "--exporter", exporter.url)
    return outcome.code, outcome.output


@pytest.fixture
def _standing(exporter: DemoExporter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cln_monitor.checks.entry.time.time", exporter.clock.time)


@pytest.mark.usefixtures("_standing")
def test_every_check_has_the_bytes_of_the_plugin(exporter: DemoExporter, write: Callable[..., Path]) -> None:
    """State, text, long output and perfdata are those of the plugin with the same options, over the whole demo."""
    sets = sets_of_options(exporter)
    judge = judge_of(write, [{"check": check, "options": options} for check, options in sets])
    states = set()
    for _ in range(2):  # the second round reads the reports of the first one again
        exporter.paths.clear()
        results = judge.judge_all(exporter.clock.time())
        # A request for each of the nine probes, for the list of probes, and for names that do not exist.
        assert sorted(exporter.paths) == sorted(set(exporter.paths))
        assert len(exporter.paths) <= 13
        for (check, options), result in zip(sets, results, strict=True):
            assert printed(result) == by_plugin(exporter, check, options), (check, options)
            states.add(result.state)
            assert result.check == check
    assert states == {0, 1, 2, 3}


@pytest.mark.usefixtures("_standing")
def test_services_that_need_the_same_form_request_it(exporter: DemoExporter, write: Callable[..., Path]) -> None:
    """If all services need a summary of the same thresholds, the exporter makes it from the second round on."""
    kernelcare: dict[str, Any] = {"check": "check_cln_kernelcare", "options": {"account": "demo", "warning": "1d"}}
    judge = judge_of(write, [kernelcare, {**kernelcare, "options": {**kernelcare["options"], "verbose": 1}}])
    path = "/api/v1/observations/demo/kernelcare"
    judge.judge_all(exporter.clock.time())
    assert exporter.paths == [path]
    results = judge.judge_all(exporter.clock.time())
    assert exporter.paths[1:] == [f"{path}?form=summary&at={exporter.clock.time()}&warning=86400"]
    for verbose, result in enumerate(results):
        options = {"account": "demo", "warning": "1d", "verbose": verbose}
        assert printed(result) == by_plugin(exporter, "check_cln_kernelcare", options)


@pytest.mark.usefixtures("_standing")
def test_an_exporter_that_is_away(exporter: DemoExporter, write: Callable[..., Path]) -> None:
    """Without a response each service is in the state for that, as the plugin is, after a single request."""
    sets: list[tuple[str, dict[str, Any]]] = [(check, {"account": "demo"}) for check in CHECKS]
    sets.append(("check_cln_status", {"unreachable_state": "warning"}))
    judge = judge_of(write, [{"check": check, "options": options} for check, options in sets])
    exporter.is_away = True
    results = judge.judge_all(exporter.clock.time())
    assert len(exporter.paths) == 1
    for (check, options), result in zip(sets, results, strict=True):
        assert printed(result) == by_plugin(exporter, check, options)
    assert {result.state for result in results} == {1, 2, 3}
    exporter.is_away = False
    assert judge.judge_all(exporter.clock.time())[0].state < 3


@pytest.mark.usefixtures("_standing")
def test_data_that_are_too_old(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """If the exporter has not polled for longer than max_age, services are UNKNOWN with its reason."""
    with demo_exporter() as exporter:
        for module in (exporter_of_plugins, exporter_reader):
            monkeypatch.setattr(module, "get", exporter.get)
        exporter.clock.advance(3600)
        judge = judge_of(write, [{"check": "check_cln_kernelcare"}])
        (result,) = judge.judge_all(exporter.clock.time())
    assert result.state == 3
    assert result.output.startswith("UNKNOWN - data too old: the exporter last polled 63m ago (max_age: 5m)")


def test_an_internal_error(exporter: DemoExporter, write: Callable[..., Path]) -> None:
    """An error of a check is UNKNOWN with its text, and the other services are judged."""
    judge = judge_of(write, [{"check": "check_cln_status"}, {"check": "check_cln_awp"}])
    broken, good = judge._services

    def check(*_: object) -> CheckResult:
        raise ZeroDivisionError("division by zero")

    judge._services = [dataclasses.replace(broken, plugin=broken.plugin._replace(check=check)), good]
    results = judge.judge_all(exporter.clock.time())
    assert results[0].output == (
        "UNKNOWN - internal error while starting (use -vvv for the traceback): ZeroDivisionError: division by zero"
    )
    assert results[0].state == 3
    assert results[1].state == 0


def test_long_texts(write: Callable[..., Path]) -> None:
    """A result over 8 KB is cut as the plugin cuts it: perfdata first, and a count of the lines left out."""
    notes = [f"{number}: |\n;{'é' * 200}" for number in range(200)]

    def check(*_: object) -> CheckResult:
        return CheckResult("a|b\nc;d é", notes, [Metric("servers", 3)], [State.WARNING])

    judge = judge_of(write, [{"check": "check_cln_status"}])
    (service,) = judge._services
    judge._services = [dataclasses.replace(service, plugin=service.plugin._replace(check=check))]
    (result,) = judge.judge_all(0)
    verdict = check().evaluate()
    assert printed(result) == (1, render(verdict[0], "a|b\nc;d é", notes, verdict[1]))
    assert 7000 < len(result.output.encode()) + len(result.perfdata) <= LARGEST
    assert result.perfdata == "servers=3;;;0"
    assert result.output.startswith("WARNING - a¦b c;d é\n")


def test_secrets_of_the_connection(write: Callable[..., Path]) -> None:
    """The password of the exporter is in no result, even if the exporter reports it back."""
    body = json.dumps({"error": f"no {EXPORTER_PASSWORD}"}).encode()
    with ScriptedServer(answering(http_answer(body, status="404 Not Found"))) as server:
        url = server.url.replace("http://", f"http://u:{quote(EXPORTER_PASSWORD, safe='')}@")
        judge = judge_of(write, [{"check": "check_cln_status"}, {"check": "check_cln_exporter"}], exporter=url)
        results = judge.judge_all(0)
    for result in results:
        assert result.output.startswith("UNKNOWN - the exporter at http://127.0.0.1:")
        assert result.output.endswith(": no <secret>")


@pytest.mark.parametrize("observation", [5, "text", [], {"parts": 5}, {"parts": [5]}])
def test_a_malformed_report(
    exporter: DemoExporter, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, observation: object
) -> None:
    """A report that makes no sense is UNKNOWN for all its services, with one request and one traceback."""

    def get(parts: SplitResult, path: str, *arguments: Any, **options: Any) -> tuple[int, bytes]:
        status, body = exporter.get(parts, path, *arguments, **options)
        if path.endswith("/kernelcare"):
            body = json.dumps({**json.loads(body), "observation": observation}).encode()
        return status, body

    monkeypatch.setattr(exporter_reader, "get", get)
    services = [
        {"check": "check_cln_kernelcare", "options": {"account": "demo", "key": f"none-0000000{number}"}}
        for number in range(5)
    ]
    judge = judge_of(write, [*services, {"check": "check_cln_status"}])
    with capture_logs() as logs:
        states = [result.state for result in judge.judge_all(exporter.clock.time())]
    assert states[:5] == [3] * 5
    assert states[5] != 3
    assert len([path for path in exporter.paths if path.endswith("/kernelcare")]) == 1
    assert len(logs) <= 1
