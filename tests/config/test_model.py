"""The configuration in use: transport settings of API roots, and sources of secrets."""

from __future__ import annotations

from pathlib import Path

import certifi
import pytest

from cln_monitor.cln import Redactor, Secret, mask_key
from cln_monitor.config import Config, parse_config


def config_of(*api_urls: str, top: str = "") -> Config:
    """Return a configuration with an account for each API root, a, b, c …; an empty one is the default."""
    accounts = ", ".join(
        f"{{name: {name}, login: l, secret_key: s, api_url: '{url}'}}"
        for name, url in zip("abcd", api_urls, strict=False)
    )
    return parse_config(f"{top}\naccounts: [{accounts}]", Path("/etc/cln-monitor"))


@pytest.mark.parametrize(
    ("roots", "names"),
    [
        pytest.param(["https://one/api"], ["one"], id="host"),
        pytest.param(["https://one:8443/api"], ["one:8443"], id="host-and-port"),
        pytest.param(["https://one/api", "https://one/api"], ["one", "one"], id="the-same-root-twice"),
        pytest.param(["https://one/api", "https://two/api"], ["one", "two"], id="two-hosts"),
        pytest.param(["https://one:1/api", "https://one:2/api"], ["one:1", "one:2"], id="two-ports"),
        pytest.param(
            ["https://one/api", "https://one/admin/api", "https://two/api"],
            ["one", "https://one/admin/api", "two"],
            id="two-paths-on-one-host",
        ),
        pytest.param(["https://one/api", "http://one/api"], ["one", "http://one/api"], id="with-and-without-tls"),
        pytest.param(["https://one", "https://one/api"], ["one", "https://one/api"], id="with-and-without-path"),
    ],
)
def test_each_api_root_has_a_name_of_its_own(roots: list[str], names: list[str]) -> None:
    """An API root is named by its host, and a second one on that host by its URL."""
    config = config_of(*roots)
    assert [config.transport_of(config.api_url_of(account)).api for account in config.accounts] == names


def test_transport() -> None:
    """The transport settings come from the top of the file, with the CA file from its directory."""
    top = "timeout: 3s\nproxy: http://u:p@proxy:3128\ntls_config: {insecure_skip_verify: true}"
    settings = config_of("", top=top).transport_of("https://cln.cloudlinux.com/api")
    assert (settings.timeout, settings.proxy, settings.ca_file) == (3.0, "http://u:p@proxy:3128", None)
    assert (settings.insecure_skip_verify, settings.label) == (True, "")


def test_certificates_are_relative_to_the_file(tmp_path: Path) -> None:
    """A relative ca_file starts from the configuration's directory, not the working directory."""
    (tmp_path / "ca.pem").write_bytes(Path(certifi.where()).read_bytes())
    config = parse_config("tls_config: {ca_file: ca.pem}\naccounts: [{name: a, login: l, secret_key: s}]", tmp_path)
    assert config.transport_of(config.api_url).ca_file == str(tmp_path / "ca.pem")


def test_an_empty_api_url_of_an_account_is_the_one_of_all() -> None:
    """An empty api_url of an account means that of all accounts, as null does."""
    config = config_of("", top="api_url: https://one/api")
    assert config.api_url_of(config.accounts[0]) == "https://one/api"


def test_a_registration_token_is_optional() -> None:
    """Without a registration token, credentials have none."""
    config = config_of("")
    (account,) = config.accounts
    assert not config.has(account, "registration_token")
    assert config.credentials_of(account).registration_token is None


def test_the_registration_token_is_read_anew(tmp_path: Path) -> None:
    """The file of the registration token is read again after a change, for the next request."""
    token = tmp_path / "token"
    token.write_text("one")
    config = parse_config("accounts: [{name: a, login: l, secret_key: s, registration_token_file: token}]", tmp_path)
    source = config.credentials_of(config.accounts[0]).registration_token
    assert source is not None
    assert source().reveal() == "one"
    token.write_text("three")
    assert source().reveal() == "three"


def test_monitoring_keys_are_read_anew(tmp_path: Path) -> None:
    """A key that is added to the file of monitoring keys is used from the next poll on."""
    keys = tmp_path / "keys"
    keys.write_text("MonitoringKey00001\n")
    config = parse_config("accounts: [{name: a, login: l, secret_key: s, monitoring_keys_file: keys}]", tmp_path)
    source = config.monitoring_keys_of(config.accounts[0])
    assert source() == [Secret("MonitoringKey00001")]
    keys.write_text("MonitoringKey00001\nMonitoringKey00002\n")
    assert source() == [Secret("MonitoringKey00001"), Secret("MonitoringKey00002")]


def test_it_is_immutable() -> None:
    """A configuration in use cannot be changed."""
    config = config_of("")
    with pytest.raises(AttributeError):
        config.timeout = 1.0  # type: ignore[misc, assignment]


def test_secrets_are_hidden(tmp_path: Path) -> None:
    """All secrets are redacted, however they are set; the name of an account never is."""
    (tmp_path / "secret").write_text("pl4nted-secret")
    (tmp_path / "keys").write_text("pl4ntedMonitoringKey")
    text = """
proxy: http://user:pl4nted-password@proxy:3128
accounts:
  - {name: one, login: pl4nted-login, secret_key_file: secret, monitoring_keys_file: keys, registration_token: pl4nted}
  - {name: other, login: other, secret_key: s3cret, monitoring_keys_file: keys}
"""
    redactor = Redactor()
    parse_config(text, tmp_path).hide_secrets(redactor)
    shown = "http://user:pl4nted-password@proxy pl4nted-login pl4nted-secret pl4nted pl4ntedMonitoringKey s3cret other"
    label = mask_key("pl4ntedMonitoringKey")
    assert redactor.scrub(shown) == f"http://user:<secret>@proxy <login> <secret> <secret> {label} <secret> other"


def test_secrets_that_have_become_unreadable(tmp_path: Path) -> None:
    """Unreadable secrets cause no error before a call needs them."""
    (tmp_path / "secret").write_text("pl4nted-secret")
    config = parse_config("accounts: [{name: one, login: pl4nted-login, secret_key_file: secret}]", tmp_path)
    (tmp_path / "secret").unlink()
    redactor = Redactor()
    config.hide_secrets(redactor)
    assert redactor.scrub("pl4nted-login") == "<login>"


def test_a_secret_that_is_unreadable_beside_others(tmp_path: Path) -> None:
    """If one secret is unreadable, the others are redacted nevertheless."""
    text = """
accounts:
  - {name: one, login: one, secret_key_file: none, registration_token: pl4nted, monitoring_keys: [pl4ntedMonitoringKey]}
  - {name: two, login: two, secret_key: s3cret, monitoring_keys_file: none}
"""
    redactor = Redactor()
    parse_config(text, tmp_path, with_secrets=False).hide_secrets(redactor)
    label = mask_key("pl4ntedMonitoringKey")
    assert redactor.scrub("pl4nted pl4ntedMonitoringKey s3cret") == f"<secret> {label} <secret>"
