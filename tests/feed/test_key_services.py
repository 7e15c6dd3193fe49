"""Services per license key: one for each key, and a last result for each key that CLN no longer has."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult

import pytest

from cln_monitor.checks.plugin_exit import CheckError
from cln_monitor.feed import exporter_reader
from cln_monitor.feed.config import load_config
from cln_monitor.feed.exporter_reader import ExporterReader
from cln_monitor.feed.judge import Judge

from .demo_exporter import DemoExporter

PER_KEY = {
    "host": "cln",
    "service": "KernelCare {key}",
    "check": "check_cln_kernelcare",
    "options": {"account": "demo"},
    "per": "key",
}


class ChangedExporter:
    """The demo's exporter, whose reports on KernelCare are changed by ``change``."""

    def __init__(self, exporter: DemoExporter) -> None:
        self._exporter = exporter
        self.change: Callable[[dict[str, Any]], object] = lambda _: None

    def get(self, parts: SplitResult, path: str, *arguments: Any, **options: Any) -> tuple[int, bytes]:
        """Return the changed response."""
        status, body = self._exporter.get(parts, path, *arguments, **options)
        if path.endswith("/kernelcare"):
            report = json.loads(body)
            self.change(report)
            body = json.dumps(report).encode()
        return status, body


@pytest.fixture
def changed(exporter: DemoExporter, monkeypatch: pytest.MonkeyPatch) -> ChangedExporter:
    """The demo's exporter with changes."""
    changed = ChangedExporter(exporter)
    monkeypatch.setattr(exporter_reader, "get", changed.get)
    return changed


def drop(key: str) -> Callable[[dict[str, Any]], None]:
    """Return a change that removes ``key``."""

    def change(report: dict[str, Any]) -> None:
        report["observation"]["parts"] = [part for part in report["observation"]["parts"] if part["name"] != key]

    return change


def judge_of(write: Callable[..., Path], *services: dict[str, Any]) -> Judge:
    """Return the judge of ``services``."""
    config = load_config(write(services=list(services)))
    return Judge(config.services, ExporterReader(config))


def keys_in(judge: Judge, now: float) -> dict[str, tuple[int, str]]:
    """Return state and first line of the services per key of a round, by key."""
    results = {result.service.rpartition(" ")[2]: result for result in judge.judge_all(now)}
    return {key: (result.state, result.output.split("\n")[0]) for key, result in results.items()}


def test_a_service_for_each_key(changed: ChangedExporter, exporter: DemoExporter, write: Callable[..., Path]) -> None:
    """Each key of the account has a service, whose verdict is that of the check with this key."""
    now = exporter.clock.time()
    judge = judge_of(write, PER_KEY)
    by_key = keys_in(judge, now)
    assert len(by_key) > 3
    for key, found in by_key.items():
        one = {**PER_KEY, "service": key, "options": {"account": "demo", "key": key}}
        del one["per"]
        (result,) = judge_of(write, one).judge_all(now)
        assert (result.state, result.output.split("\n")[0]) == found
    assert changed is not None


@pytest.mark.parametrize("check", ["imunify", "els", "patch_status", "cloudlinux"])
def test_each_check_with_keys(exporter: DemoExporter, write: Callable[..., Path], check: str) -> None:
    """Each check that can be limited to a key can have a service per key."""
    judge = judge_of(write, {**PER_KEY, "check": f"check_cln_{check}"})
    results = judge.judge_all(exporter.clock.time())
    assert len(results) > 1
    assert all(result.check == f"check_cln_{check}" for result in results)
    assert not any("no KernelCare" in result.output or "matches --key" in result.output for result in results)
    assert [service.service for service in judge.services_now()] == [result.service for result in results]


def test_a_key_that_is_gone(changed: ChangedExporter, exporter: DemoExporter, write: Callable[..., Path]) -> None:
    """A key that CLN no longer has is sent once as UNKNOWN, with the reason, and then no longer."""
    now = exporter.clock.time()
    judge = judge_of(write, PER_KEY)
    first = keys_in(judge, now)
    key = next(iter(first))
    changed.change = drop(key)
    assert keys_in(judge, now)[key] == (3, f"UNKNOWN - key {key} is no longer in CLN")
    assert keys_in(judge, now).keys() == first.keys() - {key}
    changed.change = lambda _: None
    assert keys_in(judge, now) == first


def incomplete(report: dict[str, Any]) -> None:
    """Let the list of keys be missing."""
    gap = {"name": "", "reason": "timeout", "text": "reading the list: timeout", "is_kept": False}
    report["observation"]["parts"], report["missing"] = [], [gap]


def failed(report: dict[str, Any]) -> None:
    """Let the last poll have failed."""
    report["observation"]["parts"] = []
    report["failure"] = {"reason": "timeout", "text": "reading the list: timeout"}


def too_old(report: dict[str, Any]) -> None:
    """Let the data be too old."""
    report["observation"]["parts"] = []
    report["ages"]["last_run"] = 1e6


def no_data(report: dict[str, Any]) -> None:
    """Let the exporter have no data."""
    report["observation"] = None


def of_another_version(report: dict[str, Any]) -> None:
    """Let the report lack a field, as that of an older exporter."""
    for part in report["observation"]["parts"]:
        del part["value"]


@pytest.mark.parametrize("change", [incomplete, failed, too_old, no_data, of_another_version])
def test_keys_are_not_gone_without_a_complete_list(
    changed: ChangedExporter,
    exporter: DemoExporter,
    write: Callable[..., Path],
    change: Callable[[dict[str, Any]], None],
) -> None:
    """While the list of keys is not known, each known key is UNKNOWN with the reason, round after round."""
    now = exporter.clock.time()
    judge = judge_of(write, PER_KEY)
    first = keys_in(judge, now)
    changed.change = change
    for _ in range(2):
        found = keys_in(judge, now)
        assert found.keys() == first.keys()
        assert {state for state, _ in found.values()} == {3}
        assert not any("no longer" in text for _, text in found.values())
    changed.change = lambda _: None
    assert keys_in(judge, now) == first


def test_an_exporter_that_is_away(exporter: DemoExporter, write: Callable[..., Path]) -> None:
    """Before the first list there are no services; later each key is UNKNOWN as long as the exporter is away."""
    now = exporter.clock.time()
    judge = judge_of(write, PER_KEY)
    exporter.is_away = True
    assert keys_in(judge, now) == {}
    exporter.is_away = False
    first = keys_in(judge, now)
    exporter.is_away = True
    found = keys_in(judge, now)
    assert found.keys() == first.keys()
    assert all("Connection refused" in text for _, text in found.values())


def test_names_that_two_services_have(exporter: DemoExporter, write: Callable[..., Path]) -> None:
    """If a service of the configuration has the name of one per key, there is one result, of the first."""
    now = exporter.clock.time()
    key = next(iter(keys_in(judge_of(write, PER_KEY), now)))
    own = {"host": "cln", "service": f"KernelCare {key}", "check": "check_cln_status"}
    results = judge_of(write, own, PER_KEY).judge_all(now)
    assert [result.check for result in results if result.service == own["service"]] == ["check_cln_status"]
    assert len({result.service for result in results}) == len(results)


def test_a_reload_keeps_what_is_known(
    changed: ChangedExporter, exporter: DemoExporter, write: Callable[..., Path]
) -> None:
    """After a reload a key that is missing since then is reported, and the keys of other services are forgotten."""
    now = exporter.clock.time()
    judge = judge_of(write, PER_KEY)
    key = next(iter(keys_in(judge, now)))
    changed.change = drop(key)
    config = load_config(write(services=[{**PER_KEY, "host": "other"}]))
    other = Judge(config.services, ExporterReader(config), judge.key_services)
    assert key not in keys_in(other, now)
    config = load_config(write(services=[PER_KEY]))
    assert key not in keys_in(Judge(config.services, ExporterReader(config), judge.key_services), now)
    changed.change = lambda _: None
    again = Judge(config.services, ExporterReader(config), judge.key_services)
    assert key in keys_in(again, now)
    changed.change = drop(key)
    last = Judge(config.services, ExporterReader(config), again.key_services)
    assert keys_in(last, now)[key] == (3, f"UNKNOWN - key {key} is no longer in CLN")


@pytest.mark.parametrize("value", [None, 5, [], "text", {"keys": None}, {"key": None}, {"key": {}}])
def test_a_malformed_list_of_keys(
    changed: ChangedExporter, exporter: DemoExporter, write: Callable[..., Path], value: object
) -> None:
    """A list of keys that makes no sense is UNKNOWN for the services of these keys, and the others are judged."""
    now = exporter.clock.time()
    status = {"host": "cln", "service": "CLN status", "check": "check_cln_status"}
    judge = judge_of(write, PER_KEY, status)
    first = keys_in(judge, now)
    assert first["status"][0] == 0

    def change(report: dict[str, Any]) -> None:
        report["observation"]["parts"][0]["value"] = value

    changed.change = change
    found = keys_in(judge, now)
    assert found.keys() == first.keys()
    assert found.pop("status") == first["status"]
    assert {state for state, _ in found.values()} == {3}
    assert not any("no longer" in text for _, text in found.values())
    with pytest.raises(CheckError, match="list of license keys cannot be read: "):
        judge.services_now()


@pytest.mark.parametrize("change", [{"check": "check_cln_imunify"}, {"options": {"account": "other"}}])
def test_keys_of_another_list_are_not_gone(
    exporter: DemoExporter, write: Callable[..., Path], change: dict[str, Any]
) -> None:
    """If a reload gives a service another check or account, the keys of the previous one are not reported as gone."""
    now = exporter.clock.time()
    judge = judge_of(write, PER_KEY)
    first = keys_in(judge, now)
    config = load_config(write(services=[{**PER_KEY, **change}]))
    found = keys_in(Judge(config.services, ExporterReader(config), judge.key_services), now)
    assert not found.keys() & first.keys()
