"""The targets that a configuration asks for."""

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
    """Return a configuration."""
    return parse_config(f"{top}\naccounts: [{accounts}]", Path("/nowhere"))


Make = Callable[..., list[Target]]


@pytest.fixture
def make() -> Iterator[Make]:
    """Make the targets of a configuration, and close their clients when the test is over."""
    made: list[Target] = []

    def make(config: Config, redactor: Redactor | None = None) -> list[Target]:
        clock = FakeClock()
        targets = make_targets(config, clock, redactor or Redactor(), lambda _: None)
        made.extend(targets)
        return targets

    yield make
    for target in made:
        target.source.client.close()


def ids(targets: list[Target]) -> list[tuple[str, str, str]]:
    """Return the ids as tuples."""
    return [(target.id.api, target.id.account, target.id.probe) for target in targets]


ONE = "{name: one, login: login_one, secret_key: s3cret}"
TWO = "{name: two, login: login_two, secret_key: s3cret}"


def test_each_probe_of_each_account(make: Make) -> None:
    """And CLN itself once for all accounts of a root."""
    api = "cln.cloudlinux.com"
    assert ids(make(config_of(f"{ONE}, {TWO}"))) == [
        (api, "", "status"),
        *((api, account, probe) for account in ("one", "two") for probe in OF_ACCOUNT if probe_is_on(probe)),
    ]


def probe_is_on(name: str) -> bool:
    """Tell whether a probe is enabled by default."""
    return PROBES[name].settings().enabled  # type: ignore[call-arg] # the settings of each probe have defaults


def test_switched_off(make: Make) -> None:
    """A probe that is off for an account is no target, whatever it is for others."""
    two = "{name: two, login: l, secret_key: s, probes: {imunify: {enabled: true}, kernelcare: {enabled: false}}}"
    made = ids(make(config_of(f"{ONE}, {two}", "probes: {imunify: {enabled: false}, status: {enabled: false}}")))
    assert {(account, probe) for _, account, probe in made if probe in {"status", "imunify", "kernelcare"}} == {
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
    made = make(config_of(accounts))
    assert [api for api, _, probe in ids(made) if probe == "status"] == names
    assert len(set(ids(made))) == len(made)


def test_the_keenest_account_decides_about_cln_itself(make: Make) -> None:
    """Enabled by any, as often as the keenest asks."""
    accounts = (
        "{name: one, login: l, secret_key: s, probes: {status: {interval: 2m}}},"
        "{name: two, login: l, secret_key: s, probes: {status: {interval: 30s, enabled: false}}},"
        "{name: three, login: l, secret_key: s, probes: {status: {interval: 90s, max_age: 7m}}}"
    )
    (status,) = [target for target in make(config_of(accounts)) if target.id.probe == "status"]
    assert (float(status.settings.interval), float(status.settings.max_age)) == (90.0, 420.0)


@pytest.mark.parametrize(("labels", "label"), [("masked", mask_key("WsTs821nSAtiastD")), ("full", "WsTs821nSAtiastD")])
def test_key_labels(labels: str, label: str, make: Make) -> None:
    """Masked unless somebody wants the keys themselves."""
    for target in make(config_of(ONE, f"key_labels: {labels}")):
        if target.probe.per_account:
            assert target.source.key_label("WsTs821nSAtiastD") == label


@pytest.mark.parametrize(
    ("changed", "asks_the_same", "is_made_from_the_same"),
    [
        pytest.param((ONE, ""), True, True, id="nothing"),
        pytest.param((f"{TWO}, {ONE}", ""), True, True, id="another-account-beside"),
        pytest.param((ONE, "max_server_series: 7"), True, True, id="what-is-no-matter-of-targets"),
        pytest.param((ONE, "timeout: 7s"), True, False, id="how-to-reach-it"),
        pytest.param((ONE, "probes: {kernelcare: {interval: 5m}}"), True, False, id="settings"),
        pytest.param((ONE.replace("s3cret", "other"), ""), True, False, id="secret-key"),
        pytest.param((ONE.replace("login_one", "other"), ""), False, False, id="login"),
        pytest.param((ONE, "api_url: https://other/api"), False, False, id="root"),
        pytest.param((ONE, "key_labels: full"), False, True, id="labels"),
    ],
)
def test_what_a_reload_may_carry_over(
    changed: tuple[str, str], asks_the_same: bool, is_made_from_the_same: bool, make: Make
) -> None:
    """Data outlive a reload where the question is the same, the schedule where all it comes from is."""
    before, after = (
        next(target for target in make(config) if (target.id.account, target.id.probe) == ("one", "kernelcare"))
        for config in (config_of(ONE), config_of(*changed))
    )
    assert (after.asks == before.asks) == asks_the_same
    assert (after.made_from == before.made_from) == is_made_from_the_same


def test_accounts_load_the_certificates_once(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each account has its own session, and a reload of a thousand of them is not a matter of minutes."""
    loaded: list[object] = []
    original = ssl.create_default_context

    def counted(*, cafile: Path) -> ssl.SSLContext:
        loaded.append(cafile)
        return original(cafile=cafile)

    monkeypatch.setattr(ssl, "create_default_context", counted)
    accounts = ", ".join(f"{{name: a{number}, login: l, secret_key: s}}" for number in range(50))
    targets = make(config_of(accounts))
    assert len({id(target.source.client) for target in targets if target.id.account}) == 50
    assert len(loaded) <= 1
