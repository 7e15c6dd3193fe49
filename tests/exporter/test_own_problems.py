"""Tests of the problems of the exporter itself."""

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
    """Return the problems of the exporter for all targets, or for those of one account."""
    targets = exporting.service.targets.values()
    return exporting.service.problems([target for target in targets if account in {None, target.id.account}])


def skewed(exporting: Exporting, seconds: float, api: str = "") -> None:
    """Record a response of CLN whose clock is ahead by ``seconds``."""
    api = api or exporting.target("kernelcare").id.api
    exporting.service.counters.observe_request(Exchange(api, "/status.json", "200", 0.1, seconds))


def test_no_problems(exporting: Exporting) -> None:
    """A healthy exporter has no problems."""
    exporting.run()
    assert found(exporting) == []


def test_a_failed_reload(exporting: Exporting) -> None:
    """A failed reload of the configuration or the web configuration is a problem until a reload succeeds."""
    exporting.configure("surprise: 1")
    exporting.service.reload()
    [problem] = found(exporting)
    assert problem.row is policy.RELOAD_FAILED
    assert problem.alert == "ClnConfigReloadFailed"
    assert problem.text.startswith("The configuration could not be reloaded; the previous one stays in use")
    exporting.service.counters.web_config_reloaded(good=False)
    assert [problem.text[:21] for problem in found(exporting)] == ["The configuration cou", "The web configuration"]
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
def test_clock_skew(skew: float, text: str, exporting: Exporting) -> None:
    """A clock skew above the threshold of the policy is a problem whose text names the direction."""
    skewed(exporting, skew)
    api = exporting.target("kernelcare").id.api
    assert [problem.text for problem in found(exporting)] == ([text + api] if text else [])
    assert {(problem.row, problem.alert) for problem in found(exporting)} <= {(policy.CLOCK_SKEW, "ClnClockSkew")}


def test_clock_skew_of_each_api(exporting: Exporting) -> None:
    """The clock skew of an API root concerns only its accounts, and disappears when the root is no longer used."""
    exporting.configure(accounts=SECOND)
    exporting.service.reload()
    skewed(exporting, 400, "127.0.0.1:9")
    assert len(found(exporting)) == len(found(exporting, "second")) == 1
    assert found(exporting, "acme") == []
    exporting.configure()
    exporting.service.reload()
    assert found(exporting) == []


def test_dropped_series(exporting: Exporting) -> None:
    """Dropped series are a problem of their account, with the number that the metric has."""
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
        f"{dropped} per-server series of kernelcare of acme are left out of the metrics because they exceed "
        "max_server_series (2)",
        "ClnSeriesDropped",
        "acme",
    )
    assert int(dropped) >= 3
    assert found(exporting, "second") == []
    exporting.run("kernelcare", account="second")
    assert [problem.account for problem in found(exporting)] == ["acme", "second"]
    exporting.configure("max_server_series: 1000")
    exporting.service.reload()
    assert found(exporting) == []


def test_disabled_tls_verification(exporting: Exporting) -> None:
    """Disabled TLS verification is a problem while it is configured."""
    exporting.configure("tls_config: {insecure_skip_verify: true}")
    exporting.service.reload()
    [problem] = found(exporting)
    assert (problem.row, problem.alert) == (policy.TLS_UNVERIFIED, "ClnTlsVerificationDisabled")
    assert problem.to_json() == {"severity": "warning", "text": problem.text, "account": ""}


def test_state_that_cannot_be_written(
    exporting: Exporting, idle: Callable[[Service], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failed write of the state is a problem for an hour, as in its alert."""
    failed = threading.Event()

    def full(*_: object) -> None:
        failed.set()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cln_monitor.exporter.storage.directory.StateDirectory.write", full)
    monkeypatch.setattr("cln_monitor.exporter.storage.snapshot_store._BATCH_DELAY", 0.0)
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
    assert [(problem.row, problem.alert) for problem in service.problems(())] == [
        (policy.STATE_NOT_WRITTEN, "ClnStateNotWritten")
    ]
    exporting.clock.advance(3600)
    assert service.problems(())[0].text.startswith("The state could not be saved 1h ago; ")
    exporting.clock.advance(1)
    assert service.problems(()) == []
