"""Configuration warnings: one line for each risky setting, and none for usual ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from cln_monitor.config import parse_config, warnings_of
from cln_monitor.probes import PROBES


def warnings(text: str) -> list[str]:
    """Return the warnings of a configuration, to which an account is added."""
    return warnings_of(parse_config(f"{text}\naccounts: [{{name: acme, login: l, secret_key: s}}]", Path("/nowhere")))


def test_logins_of_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The login in an environment variable is judged like one in the file."""
    monkeypatch.setenv("ACME_LOGIN", "acme_login")
    account = "{name: NAME, login_env: ACME_LOGIN, secret_key: s}"
    accounts = f"accounts: [{account.replace('NAME', 'one')}, {account.replace('NAME', 'two')}]"
    assert warnings_of(parse_config(accounts, Path("/nowhere"))) == [
        "accounts[1].login_env: two has the same login as one; everything is requested and counted twice",
        "accounts[0].login_env: placeholder of an example; replace it with the login of the CLN account",
        "accounts[1].login_env: placeholder of an example; replace it with the login of the CLN account",
    ]
    monkeypatch.delenv("ACME_LOGIN")
    assert warnings_of(parse_config(accounts, Path("/nowhere"), with_secrets=False)) == []


def test_the_usual_is_silent() -> None:
    """The defaults cause no warning."""
    assert warnings("") == []


def test_certificates_that_nobody_checks() -> None:
    """Disabled TLS certificate verification causes a warning."""
    assert warnings("tls_config: {insecure_skip_verify: true}") == [
        (
            "tls_config.insecure_skip_verify: TLS certificate verification is disabled; "
            "anyone on the network path can read the credentials"
        )
    ]


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("https://eportal.example.com/api", False),
        ("http://127.0.0.1:8080/api", False),
        ("http://127.1.2.3/api", False),
        ("http://[::1]:8080/api", False),
        ("http://localhost/api", False),
        ("http://eportal.example.com/api", True),
        ("http://192.0.2.1/api", True),
        ("http://localhost.example.com/api", True),
        ("http://127.example.com/api", True),
        ("http://[::1:2]/api", True),
    ],
)
def test_tokens_that_travel_in_the_open(url: str, warned: bool) -> None:
    """Plain HTTP causes a warning, except on loopback."""
    expected = [f"{url}: tokens are sent unencrypted over http"] if warned else []
    assert warnings(f"api_url: '{url}'") == expected


def test_data_that_vanish_between_polls() -> None:
    """A max_age below the interval causes a warning, unless the probe is disabled."""
    assert warnings("probes: {imunify: {interval: 1h, max_age: 30m}, status: {enabled: false, max_age: 30s}}") == [
        "probes.imunify of acme: max_age 30m is shorter than the interval 1h, so its data expires between polls"
    ]


def test_a_login_of_two_accounts() -> None:
    """Two accounts with the same login and API root cause a warning."""
    text = """
accounts:
  - {name: one, login: pl4nted-login, secret_key: s}
  - {name: two, login: pl4nted-login, secret_key: s}
  - {name: other, login: pl4nted-login, secret_key: s, api_url: 'https://eportal.example.com/api'}
"""
    assert warnings_of(parse_config(text, Path("/nowhere"))) == [
        "accounts[1].login: two has the same login as one; everything is requested and counted twice"
    ]


def test_a_url_of_two_eportals(tmp_path: Path) -> None:
    """Two ePortals with the same URL cause a warning."""
    (tmp_path / "key").write_text("pl4nted-api-key")
    (tmp_path / "key").chmod(0o600)
    entry = "  - {{name: {}, url: 'https://{}/admin/api', api_key_file: key}}"
    hosts = {"one": "eportal.example.net", "two": "eportal.example.net", "other": "eportal2.example.net"}
    text = "\n".join(["eportals:", *(entry.format(name, host) for name, host in hosts.items())])
    assert warnings_of(parse_config(text, tmp_path)) == [
        "eportals[1].url: two has the same URL as one; its servers are requested and counted twice"
    ]


def test_nothing_to_do() -> None:
    """A configuration without any enabled probe causes a warning."""
    off = [f"{name}: {{enabled: false}}" for name in PROBES]
    assert warnings(f"probes: {{{', '.join(off)}}}") == ["probes: no probe is enabled, so nothing is monitored"]
    assert warnings(f"probes: {{{', '.join(off[1:])}}}") == []


@pytest.mark.parametrize("login", ["acme_login", "ACME_LOGIN", "your-login", "changeme", "<login>", "my_username"])
def test_a_login_that_is_a_placeholder(login: str) -> None:
    """A placeholder login causes a warning, except on loopback, where the simulator is."""
    document = f"accounts: [{{name: acme, login: '{login}', secret_key: s}}]"
    (warning,) = warnings_of(parse_config(document, Path("/nowhere")))
    assert warning.startswith("accounts[0].login: placeholder of an example")
    assert warnings_of(parse_config(f"api_url: http://127.0.0.1:8099/api\n{document}", Path("/nowhere"))) == []


@pytest.mark.parametrize("login", ["acme", "hosting-company", "login7", "user@example.net", "login"])
def test_a_login_that_may_be_one(login: str) -> None:
    """A plausible login causes no warning."""
    document = f"accounts: [{{name: acme, login: '{login}', secret_key: s}}]"
    assert warnings_of(parse_config(document, Path("/nowhere"))) == []
