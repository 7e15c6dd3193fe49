"""Tests of the targets that are created from a configuration."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cln_monitor.cln import Redactor, mask_key
from cln_monitor.config import Config, parse_config
from cln_monitor.exporter.target import Target
from cln_monitor.exporter.target_factory import make_targets
from cln_monitor.probes import PROBES
from tests.helpers.clock import FakeClock

OF_ACCOUNT = [name for name, probe in PROBES.items() if probe.per_account]


def config_of(accounts: str, top: str = "") -> Config:
    """Return a configuration of ``accounts`` with the top-level settings ``top``."""
    return parse_config(f"{top}\naccounts: [{accounts}]", Path("/nowhere"))


Make = Callable[..., list[Target]]


@pytest.fixture
def make() -> Iterator[Make]:
    """Return a function that creates the targets of a configuration; their clients are closed after the test."""
    created: list[Target] = []

    def make(config: Config, redactor: Redactor | None = None) -> list[Target]:
        clock = FakeClock()
        targets = make_targets(config, clock, redactor or Redactor(), lambda _: None)
        created.extend(targets)
        return targets

    yield make
    for target in created:
        target.context.client.close()


def ids(targets: list[Target]) -> list[tuple[str, str, str]]:
    """Return the ids as tuples."""
    return [(target.id.api, target.id.account, target.id.probe) for target in targets]


ONE = "{name: one, login: login_one, secret_key: s3cret}"
TWO = "{name: two, login: login_two, secret_key: s3cret}"


def test_each_probe_of_each_account(make: Make) -> None:
    """There is a target for each enabled probe of each account, and one of CLN itself per API root."""
    api = "cln.cloudlinux.com"
    assert ids(make(config_of(f"{ONE}, {TWO}"))) == [
        (api, "", "status"),
        *((api, account, probe) for account in ("one", "two") for probe in OF_ACCOUNT if probe_is_on(probe)),
    ]


def probe_is_on(name: str) -> bool:
    """Return whether a probe is enabled by default."""
    return PROBES[name].settings().enabled  # type: ignore[call-arg] # the settings of each probe have defaults


def test_disabled_probes(make: Make) -> None:
    """A probe that is disabled for an account is not a target of it, but may be one of other accounts."""
    two = "{name: two, login: l, secret_key: s, probes: {imunify: {enabled: true}, kernelcare: {enabled: false}}}"
    targets = ids(make(config_of(f"{ONE}, {two}", "probes: {imunify: {enabled: false}, status: {enabled: false}}")))
    assert {(account, probe) for _, account, probe in targets if probe in {"status", "imunify", "kernelcare"}} == {
        ("one", "kernelcare"),
        ("two", "imunify"),
    }


@pytest.mark.parametrize(
    ("one", "two", "names"),
    [
        pytest.param("https://a/api", "https://a/api", ["a"], id="one-root"),
        pytest.param("https://a/api", "https://b/api", ["a", "b"], id="two-hosts"),
        pytest.param("https://a/x", "https://a/y", ["a", "https://a/y"], id="two-paths"),
        pytest.param("https://a/x", "http://a/x", ["a", "http://a/x"], id="with-and-without-tls"),
    ],
)
def test_roots_do_not_collide(one: str, two: str, names: list[str], make: Make) -> None:
    """CLN itself is polled once for each distinct root, and no two targets have one id."""
    accounts = ", ".join(
        f"{{name: {name}, login: l, secret_key: s, api_url: '{url}'}}" for name, url in (("one", one), ("two", two))
    )
    targets = make(config_of(accounts))
    assert [api for api, _, probe in ids(targets) if probe == "status"] == names
    assert len(set(ids(targets))) == len(targets)


def test_the_shortest_interval_applies_to_cln_itself(make: Make) -> None:
    """CLN itself is polled at the shortest interval of the accounts that enable it."""
    accounts = (
        "{name: one, login: l, secret_key: s, probes: {status: {interval: 2m}}},"
        "{name: two, login: l, secret_key: s, probes: {status: {interval: 30s, enabled: false}}},"
        "{name: three, login: l, secret_key: s, probes: {status: {interval: 90s, max_age: 7m}}}"
    )
    (status,) = [target for target in make(config_of(accounts)) if target.id.probe == "status"]
    assert (float(status.settings.interval), float(status.settings.max_age)) == (90.0, 420.0)


@pytest.mark.parametrize(("labels", "label"), [("masked", mask_key("WsTs821nSAtiastD")), ("full", "WsTs821nSAtiastD")])
def test_key_labels(labels: str, label: str, make: Make) -> None:
    """Keys are masked in labels, unless key_labels is full."""
    for target in make(config_of(ONE, f"key_labels: {labels}")):
        if target.probe.per_account:
            assert target.context.key_label("WsTs821nSAtiastD") == label


@pytest.mark.parametrize(
    ("changed", "has_same_identity", "has_same_config"),
    [
        pytest.param((ONE, ""), True, True, id="nothing"),
        pytest.param((f"{TWO}, {ONE}", ""), True, True, id="another-account"),
        pytest.param((ONE, "max_server_series: 7"), True, True, id="unrelated-setting"),
        pytest.param((ONE, "timeout: 7s"), True, False, id="transport"),
        pytest.param((ONE, "probes: {kernelcare: {interval: 5m}}"), True, False, id="settings"),
        pytest.param((ONE.replace("s3cret", "other"), ""), True, False, id="secret-key"),
        pytest.param((ONE.replace("login_one", "other"), ""), False, False, id="login"),
        pytest.param((ONE, "api_url: https://other/api"), False, False, id="root"),
        pytest.param((ONE, "key_labels: full"), False, True, id="labels"),
    ],
)
def test_what_a_reload_carries_over(
    changed: tuple[str, str], has_same_identity: bool, has_same_config: bool, make: Make
) -> None:
    """A reload keeps the data if the identity is the same, and the schedule if the relevant configuration is equal."""
    before, after = (
        next(target for target in make(config) if (target.id.account, target.id.probe) == ("one", "kernelcare"))
        for config in (config_of(ONE), config_of(*changed))
    )
    assert (after.identity_digest == before.identity_digest) == has_same_identity
    assert (after.config_fingerprint == before.config_fingerprint) == has_same_config


def test_accounts_share_the_certificates(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each account has its own client, but all of them share one SSL context, so that a reload is fast."""
    loaded: list[object] = []
    original = ssl.create_default_context

    def counted(*, cafile: Path) -> ssl.SSLContext:
        loaded.append(cafile)
        return original(cafile=cafile)

    monkeypatch.setattr(ssl, "create_default_context", counted)
    accounts = ", ".join(f"{{name: a{number}, login: l, secret_key: s}}" for number in range(50))
    targets = make(config_of(accounts))
    assert len({id(target.context.client) for target in targets if target.id.account}) == 50
    assert len(loaded) <= 1
