"""The probe contexts that are made from a configuration."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cln_monitor.cln import Exchange, Redactor, Secret, mask_key
from cln_monitor.config import ClientFactory, parse_config
from cln_monitor.probes import PROBES, run_probe
from cln_monitor.probes.status import StatusSettings
from cln_monitor.simulator import Simulator, serve
from tests.helpers.clock import FakeClock

ACCOUNTS = """
accounts:
  - {name: one, login: pl4nted-login, secret_key: pl4nted-secret, monitoring_keys: [MonitoringKey00001]}
  - {name: two, login: other_login, secret_key: s3cret, api_url: 'https://other.example.net/api'}
"""


def sources(top: str = "", redactor: Redactor | None = None) -> ClientFactory:
    """Return the client factory of a configuration."""
    return ClientFactory(parse_config(top + ACCOUNTS, Path("/nowhere")), FakeClock(), redactor or Redactor())


@pytest.mark.parametrize(("labels", "label"), [("masked", mask_key("WsTs821nSAtiastD")), ("full", "WsTs821nSAtiastD")])
def test_of_an_account(labels: str, label: str) -> None:
    """A context has the account's name, API, probe settings, monitoring keys and key labels."""
    top = f"key_labels: {labels}\nprobes: {{kernelcare: {{interval: 5m}}}}\n"
    config = parse_config(top + ACCOUNTS, Path("/nowhere"))
    made = ClientFactory(config, FakeClock(), Redactor())
    one, two = (made.for_account(account, "kernelcare") for account in config.accounts)
    assert (one.account, one.client.api) == ("one", "cln.cloudlinux.com")
    assert (two.account, two.client.api) == ("two", "other.example.net")
    assert one.settings is config.accounts[0].probes["kernelcare"]
    assert one.key_label("WsTs821nSAtiastD") == label
    assert (one.monitoring_keys(), two.monitoring_keys()) == ([Secret("MonitoringKey00001")], [])
    for source in (one, two):
        source.client.close()


def test_other_settings() -> None:
    """A check can override the settings of a probe."""
    config = parse_config(ACCOUNTS, Path("/nowhere"))
    settings = PROBES["kernelcare"].settings()  # type: ignore[call-arg] # the settings of each probe have defaults
    source = ClientFactory(config, FakeClock(), Redactor()).for_account(config.accounts[0], "kernelcare", settings)
    assert source.settings is settings
    source.client.close()


def test_the_probes_of_an_account_share_a_client() -> None:
    """The probes of an account share a client and its connections; accounts do not."""
    config = parse_config(ACCOUNTS, Path("/nowhere"))
    made = ClientFactory(config, FakeClock(), Redactor())
    one, two = config.accounts
    first, second, other = (
        made.for_account(account, probe).client
        for account, probe in ((one, "kernelcare"), (one, "imunify"), (two, "imunify"))
    )
    assert first is second
    assert first is not other
    for client in (first, other):
        client.close()


@pytest.mark.parametrize(("labels", "label"), [("masked", mask_key("WsTs821nSAtiastD")), ("full", "WsTs821nSAtiastD")])
def test_of_cln_itself(labels: str, label: str) -> None:
    """A context without an account has no credentials, and the usual key labels."""
    source = sources(f"key_labels: {labels}").for_api("https://other.example.net/api", StatusSettings())
    assert (source.account, source.client.api) == ("", "other.example.net")
    assert source.key_label("WsTs821nSAtiastD") == label
    with pytest.raises(ValueError, match="no login and secret key"):
        source.client.kernelcare.keys()
    source.client.close()


def test_secrets_are_hidden_from_the_start() -> None:
    """All secrets are redacted before the first call."""
    redactor = Redactor()
    sources(redactor=redactor)
    assert redactor.scrub("pl4nted-login pl4nted-secret") == "<login> <secret>"


@pytest.mark.parametrize("probe", ["kernelcare", "imunify", "ip_licenses", "patch_status"])
def test_secret_files_that_change(probe: str, tmp_path: Path) -> None:
    """Each probe redacts the current secrets of the account."""
    texts = {"key": "0ld-pl4nted-key", "token": "0ld-pl4nted-token", "keys": "0ldMonitoringKey001"}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    simulator = Simulator()
    account = simulator.add_account("pl4nted-login", "n3w-pl4nted-key", "n3w-pl4nted-token")
    account.add_kernelcare_key(note=" ".join(texts.values()).replace("0ld", "n3w"))
    with serve(simulator) as served, ThreadPoolExecutor(1) as pool:
        config = parse_config(
            f"api_url: {served.url}\naccounts:\n  - {{name: one, login: pl4nted-login, secret_key_file: key, "
            "registration_token_file: token, monitoring_keys_file: keys}\n",
            tmp_path,
        )
        redactor, clock = Redactor(), FakeClock(simulator.now())
        source = ClientFactory(config, clock, redactor).for_account(config.accounts[0], probe)
        for name, text in texts.items():
            (tmp_path / name).write_text(text.replace("0ld", "n3w"))
        with source.client:
            run_probe(PROBES[probe], source, pool, clock)
    shown = redactor.scrub(" ".join(texts.values()).replace("0ld", "n3w"))
    assert shown == f"<secret> <secret> {mask_key('n3wMonitoringKey001')}"


def test_each_request_is_told() -> None:
    """Each request is passed to the observer."""
    exchanges: list[Exchange] = []
    simulator = Simulator()
    simulator.add_account("pl4nted-login", "pl4nted-secret")
    with serve(simulator) as served:
        config = parse_config(f"api_url: {served.url}\n{ACCOUNTS}", Path("/nowhere"))
        clock = FakeClock(simulator.now())
        source = ClientFactory(config, clock, Redactor(), exchanges.append).for_account(
            config.accounts[0], "kernelcare"
        )
        assert source.client.kernelcare.keys() == []
        source.client.close()
    assert [(exchange.endpoint, exchange.code) for exchange in exchanges] == [("/kcare/key/list.json", "200")]
