"""What is wrong with the exporter itself."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from cln_monitor import policy
from cln_monitor.cln import Exchange
from cln_monitor.exporter.own_problems import OwnProblem
from cln_monitor.exporter.service import Service
from tests.helpers.small_cln import KEY, LOGIN, SECRET_KEY

from .conftest import Exporting

SECOND = "  - {name: second, login: other_login, secret_key: s3cret, api_url: http://127.0.0.1:9}"


def found(exporting: Exporting, account: str | None = None) -> list[OwnProblem]:
    """Return the problems of the exporter, of all targets or those of one account."""
    targets = exporting.service.targets.values()
    return exporting.service.problems([each for each in targets if account in {None, each.id.account}])


def skewed(exporting: Exporting, seconds: float, api: str = "") -> None:
    """Let the last answer of CLN be ahead by so much."""
    api = api or exporting.target("kernelcare").id.api
    exporting.service.counters.exchanged(Exchange(api, "/status.json", "200", 0.1, seconds))


def test_none(exporting: Exporting) -> None:
    """Of an exporter that is well."""
    exporting.run()
    assert found(exporting) == []


def test_a_reload_that_fails(exporting: Exporting) -> None:
    """Is one until a reload succeeds; so is the web configuration."""
    exporting.configure("surprise: 1")
    exporting.service.reload()
    [problem] = found(exporting)
    assert problem.row is policy.RELOAD_FAILED
    assert problem.alert == "ClnConfigReloadFailed"
    assert problem.text.startswith("The configuration could not be reloaded: the previous one stays in use")
    exporting.service.counters.web_config_reloaded(good=False)
    assert [each.text[:21] for each in found(exporting)] == ["The configuration cou", "The web configuration"]
    exporting.configure()
    exporting.service.reload()
    exporting.service.counters.web_config_reloaded(good=True)
    assert found(exporting) == []


@pytest.mark.parametrize(
    ("skew", "text"),
    [
        (300.0, ""),
        (-300.0, ""),
        (301.0, "The clock of the exporter is 5m behind the clock of CLN at "),
        (-7200.0, "The clock of the exporter is 2h ahead of the clock of CLN at "),
    ],
)
def test_clocks_that_differ(skew: float, text: str, exporting: Exporting) -> None:
    """By more than the policy has it, in the direction that has to be corrected."""
    skewed(exporting, skew)
    api = exporting.target("kernelcare").id.api
    assert [each.text for each in found(exporting)] == ([text + api] if text else [])
    assert {(each.row, each.alert) for each in found(exporting)} <= {(policy.CLOCK_SKEW, "ClnClockSkew")}


def test_clocks_of_each_api(exporting: Exporting) -> None:
    """Concern the accounts that are read there, and nobody once it is asked no more."""
    exporting.configure(accounts=SECOND)
    exporting.service.reload()
    skewed(exporting, 400, "127.0.0.1:9")
    assert len(found(exporting)) == len(found(exporting, "second")) == 1
    assert found(exporting, "acme") == []
    exporting.configure()
    exporting.service.reload()
    assert found(exporting) == []


def test_series_that_are_dropped(exporting: Exporting) -> None:
    """Are counted for each target as their metric counts them; an account is told of its own alone."""
    key = exporting.account.add_kernelcare_key(KEY, limit=4)
    for name in ("one", "two", "three"):
        key.add_server(name, ip="192.0.2.1")
    same = f"  - {{name: second, login: {LOGIN}, secret_key: {SECRET_KEY}}}"
    exporting.configure("max_server_series: 2", accounts=same)
    exporting.service.reload()
    exporting.run("kernelcare")
    [problem] = found(exporting)
    [sample] = [line for line in exporting.samples("cln_probe_server_series_dropped{") if not line.endswith(" 0")]
    dropped = sample.rpartition(" ")[2]
    assert problem == OwnProblem(
        policy.SERIES_DROPPED,
        f"{dropped} per-server series of kernelcare of acme are left out of the metrics, as they are more than "
        "max_server_series (2)",
        "ClnSeriesDropped",
        "acme",
    )
    assert int(dropped) >= 3
    assert found(exporting, "second") == []
    exporting.run("kernelcare", account="second")
    assert [each.account for each in found(exporting)] == ["acme", "second"]
    exporting.configure("max_server_series: 1000")
    exporting.service.reload()
    assert found(exporting) == []


def test_tls_that_is_not_verified(exporting: Exporting) -> None:
    """Is a problem as long as the configuration in use says so."""
    exporting.configure("tls_config: {insecure_skip_verify: true}")
    exporting.service.reload()
    [problem] = found(exporting)
    assert (problem.row, problem.alert) == (policy.TLS_UNVERIFIED, "ClnTlsVerificationDisabled")
    assert problem.to_json() == {"severity": "warning", "text": problem.text, "account": ""}


def test_state_that_is_not_written(
    exporting: Exporting, idle: Callable[[Service], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is a problem for an hour after the last write that failed, as its alert has it."""
    failed = threading.Event()

    def full(*_: object) -> None:
        failed.set()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cln_monitor.exporter.storage.directory.StateFolder.write", full)
    monkeypatch.setattr("cln_monitor.exporter.storage.snapshot_store._GATHER", 0.0)
    redactor = exporting.service._redactor
    service = Service(exporting.file.load, redactor, exporting.clock, tmp_path / "state")
    idle(service)
    service.start()
    try:
        target = service.find("acme", "kernelcare")
        assert target is not None
        service.run(target)
        assert failed.wait(10)
    finally:
        service.stop()  # which waits for the write
    assert [(each.row, each.alert) for each in service.problems(())] == [
        (policy.STATE_NOT_WRITTEN, "ClnStateNotWritten")
    ]
    exporting.clock.advance(3600)
    assert service.problems(())[0].text.startswith("The state could not be saved 1h ago: ")
    exporting.clock.advance(1)
    assert service.problems(()) == []
