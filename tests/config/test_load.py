"""Loading configurations: each mistake has a file in bad/ named after it, and its whole error text here."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cln_monitor.cln import Secret
from cln_monitor.config import Config, ConfigError, load_config, parse_config
from cln_monitor.config.model import ConfigFile
from cln_monitor.probes import PROBES, CheckinSettings, ProbeSettings
from cln_monitor.probes.els import ElsSettings
from cln_monitor.probes.patch_status import PatchStatusSettings
from tests.helpers.certificates import Authority

BAD_FILES = Path(__file__).parent / "bad"

API_ROOT = "expected the URL of a CLN API root, for example https://cln.cloudlinux.com/api"
IN_QUOTES = "quote a value that begins with !, & or *"
KNOWN_AT_TOP = (
    "known keys: api_url, timeout, concurrency, requests_per_second, proxy, tls_config, key_labels, "
    "max_server_series, shard, allow_world_readable_secrets, probes, patches, eportals, accounts"
)
LOOKS_LIKE = "looks like a number or a date but is not a valid one; put it in quotes"
MAPPING = "expected a mapping of names to values, got"
MONITORING_KEY = "expected a key of 16 to 64 letters, digits, dashes and underscores"
NAME = "expected 1 to 64 letters, digits, dots, dashes and underscores"
NO_ACCOUNTS = (
    "at least one account or ePortal is required: add one with name, login and secret key to accounts, "
    "or one with name, url and api_key_file to eportals"
)
NO_LOGIN = "is required; set one of login, login_env; only an account of monitoring keys alone needs none"
NEEDS_LOGIN = "needs a login and a secret key, which the account does not have"
NO_DURATION = "use for example 90s, 15m, 1h30m"
PROXY = "expected the URL of a proxy, for example http://proxy.example.com:3128"
RELATIVE = f"relative paths start from {BAD_FILES}"

BAD: dict[str, list[str]] = {
    "a-list": [f"{MAPPING} a list"],
    "a-text": [f"{MAPPING} a string"],
    "account-api-url-without-scheme": [f"accounts[0].api_url: {API_ROOT}"],
    "account-name-a-number": ["accounts[0].name: expected a string, got a number; put it in quotes"],
    "account-name-doubled": ["accounts[1].name: duplicate account name acme; accounts[0] has the same name"],
    "account-name-empty": [f"accounts[0].name: {NAME}"],
    "account-name-too-long": [f"accounts[0].name: {NAME}"],
    "account-name-with-newline": [f"accounts[0].name: {NAME}"],
    "account-name-with-slash": [f"accounts[0].name: {NAME}"],
    "account-nothing": [f"accounts[0]: {MAPPING} null"],
    "account-probe-interval-of-milliseconds": [
        "accounts[0].probes.imunify.interval: expected 1s or more; each poll sends requests to CLN"
    ],
    "account-probe-unknown": [f"accounts[0].probes.ipl: unknown key; known keys: {', '.join(PROBES)}"],
    "account-probes-a-text": ["accounts[0].probes: expected a mapping of probes to settings"],
    "account-unknown-key": ["accounts[0].secret_key_path: unknown key; did you mean secret_key?"],
    "account-without-anything": [
        "accounts[0].name: is required",
        f"accounts[0].login: {NO_LOGIN}",
    ],
    "accounts-and-eportals-empty": [NO_ACCOUNTS],
    "accounts-empty": [NO_ACCOUNTS],
    "accounts-no-list": ["accounts: expected a list, got a mapping"],
    "an-empty-list": [f"{MAPPING} a list"],
    "api-url-number": ["api_url: expected a string, got a number; put it in quotes"],
    "api-url-of-another-scheme": [f"api_url: {API_ROOT}"],
    "api-url-with-blank": [f"api_url: {API_ROOT}"],
    "api-url-with-broken-address": [f"api_url: {API_ROOT}"],
    "api-url-with-fragment": [f"api_url: {API_ROOT}"],
    "api-url-with-impossible-port": [f"api_url: {API_ROOT}"],
    "api-url-with-newline": [f"api_url: {API_ROOT}"],
    "api-url-with-password": [f"api_url: {API_ROOT}"],
    "api-url-with-port-0": [f"api_url: {API_ROOT}"],
    "api-url-with-query": [f"api_url: {API_ROOT}"],
    "api-url-with-surrogate": [f"api_url: {API_ROOT}"],
    "api-url-without-host": [f"api_url: {API_ROOT}"],
    "api-url-without-scheme": [f"api_url: {API_ROOT}"],
    "ca-file-a-folder": [f"tls_config.ca_file: cannot read {BAD_FILES} (Is a directory); {RELATIVE}"],
    "ca-file-missing": [
        f"tls_config.ca_file: cannot read {BAD_FILES}/missing.pem (No such file or directory); {RELATIVE}"
    ],
    "ca-file-without-certificates": [
        (
            f"tls_config.ca_file: {BAD_FILES}/ca-file-without-certificates.yml "
            "contains no certificates; expected a PEM bundle"
        ),
    ],
    "concurrency-0": ["concurrency: expected a number from 1 to 256"],
    "concurrency-257": ["concurrency: expected a number from 1 to 256"],
    "concurrency-fraction": ["concurrency: expected a whole number, got a fraction"],
    "concurrency-text": [
        "concurrency: expected a whole number, got a string; use digits, without quotes or an exponent"
    ],
    "concurrency-true": ["concurrency: expected a whole number, got a boolean"],
    "doubled-key": ["line 1, column 1: duplicate key timeout (2 times)"],
    "doubled-key-in-account": ["line 3, column 5: duplicate key login (2 times)"],
    "doubled-merge-key": ["line 1, column 1: duplicate key << (2 times)"],
    "empty": [NO_ACCOUNTS],
    "eportals-no-list": ["eportals: expected a list, got a mapping"],
    "key-labels-unknown": ["key_labels: expected masked or full, got a string"],
    "login-a-date": ["accounts[0].login: expected a string, got a date"],
    "login-a-number": ["accounts[0].login: expected a string, got a number; put it in quotes"],
    "login-binary": ["accounts[0].login: expected a string, got something else"],
    "login-empty": ["accounts[0].login: is empty; expected the login of the CLN account"],
    "login-env-a-number": ["accounts[0].login_env: expected a string, got a number; put it in quotes"],
    "login-env-missing": [
        (
            "accounts[0].login_env: CLN_MONITOR_NO_SUCH_VARIABLE is an environment variable that is unset or empty; "
            "put the login there"
        )
    ],
    "login-missing-for-a-probe": [
        f"accounts[0].probes.patch_status.scopes: reseller {NEEDS_LOGIN}",
        f"accounts[0].probes.kernelcare.enabled: the probe {NEEDS_LOGIN}",
    ],
    "login-missing-with-a-token": [f"accounts[0].login: {NO_LOGIN}"],
    "login-without-monitoring-keys": [f"accounts[0].login: {NO_LOGIN}"],
    "login-nothing": [f"accounts[0].login: {NO_LOGIN}"],
    "login-twice": ["accounts[0].login_env: login is also set; set only one of login, login_env"],
    "max-server-series-negative": ["max_server_series: expected 0 or a positive number"],
    "monitoring-key-too-short": [
        f"accounts[0].monitoring_keys[1]: {MONITORING_KEY}",
        f"accounts[0].monitoring_keys[2]: {MONITORING_KEY}",
    ],
    "monitoring-keys-a-text": ["accounts[0].monitoring_keys: expected a list, got a string"],
    "monitoring-keys-file-malformed": [f"accounts[0].monitoring_keys_file[1]: {MONITORING_KEY}"],
    "monitoring-keys-file-missing": [
        (
            f"accounts[0].monitoring_keys_file: cannot read {BAD_FILES}/missing.keys (No such file or directory); "
            f"{RELATIVE}"
        ),
    ],
    "monitoring-keys-malformed": ["accounts[0].monitoring_keys[3]: expected a string, got a number; put it in quotes"],
    "monitoring-keys-twice": [
        "accounts[0].monitoring_keys: monitoring_keys_file is also set; set only one of them",
        f"accounts[0].monitoring_keys_file: {BAD_FILES}/blank.secret is empty; put the monitoring keys there",
    ],
    "not-utf8": ["is not UTF-8 text"],
    "only-comments": [NO_ACCOUNTS],
    "probe-empty-list": [f"probes.status: {MAPPING} a list"],
    "probe-enabled-text": ["probes.status.enabled: expected true or false, got a string"],
    "probe-false": [f"probes.status: {MAPPING} a boolean"],
    "probe-interval-of-milliseconds": ["probes.status.interval: expected 1s or more; each poll sends requests to CLN"],
    "probe-interval-without-unit": [
        f"probes.status.interval: invalid duration '60': {NO_DURATION}; did you mean 60s or 60m?"
    ],
    "probe-scope-unknown": ["probes.patch_status.scopes[1]: expected key or reseller, got a string"],
    "probe-scopes-empty": [
        "probes.patch_status.scopes: expected key, reseller, or both; use enabled: false to disable the probe"
    ],
    "probe-scopes-a-text": ["probes.patch_status.scopes: expected a list, got a string"],
    "probe-setting-of-another": ["probes.status.stale_after: unknown key; known keys: enabled, interval, max_age"],
    "probe-unknown": ["probes.kernelcar: unknown key; did you mean kernelcare?"],
    "probe-unknown-setting": ["probes.kernelcare.intervall: unknown key; did you mean interval?"],
    "probes-a-list": ["probes: expected a mapping of probes to settings"],
    "proxy-empty": [f"proxy: {PROXY}"],
    "proxy-socks": [f"proxy: {PROXY}"],
    "proxy-without-scheme": [f"proxy: {PROXY}"],
    "registration-token-empty": ["accounts[0].registration_token: is empty; put the registration token there"],
    "registration-token-file-missing": [
        (
            f"accounts[0].registration_token_file: cannot read {BAD_FILES}/missing.token (No such file or directory); "
            f"{RELATIVE}"
        ),
    ],
    "registration-token-twice": [
        (
            "accounts[0].registration_token: registration_token_env is also set; "
            "set only one of registration_token_file, registration_token_env, registration_token"
        ),
    ],
    "requests-per-second-infinite": ["requests_per_second: expected a number above 0, or 0 for no limit"],
    "requests-per-second-nan": ["requests_per_second: expected a number above 0, or 0 for no limit"],
    "requests-per-second-negative": ["requests_per_second: expected a number above 0, or 0 for no limit"],
    "requests-per-second-text": ["requests_per_second: expected a number, got a string"],
    "requests-per-second-with-exponent": [
        "requests_per_second: expected a number, got a string; use digits, without quotes or an exponent"
    ],
    "secret-key-a-number": ["accounts[0].secret_key: expected a string, got a number; put it in quotes"],
    "secret-key-empty": ["accounts[0].secret_key: is empty; put the secret key there"],
    "secret-key-env-missing": [
        (
            "accounts[0].secret_key_env: CLN_NO_SUCH_VARIABLE is an environment variable that is unset or empty; "
            "put the secret key there"
        ),
    ],
    "secret-key-file-a-folder": [f"accounts[0].secret_key_file: cannot read {BAD_FILES} (Is a directory); {RELATIVE}"],
    "secret-key-file-below-a-file": [
        f"accounts[0].secret_key_file: cannot read {BAD_FILES}/empty.secret/key (Not a directory); {RELATIVE}"
    ],
    "secret-key-file-blank": [
        f"accounts[0].secret_key_file: {BAD_FILES}/blank.secret is empty; put the secret key there"
    ],
    "secret-key-file-empty": [
        f"accounts[0].secret_key_file: {BAD_FILES}/empty.secret is empty; put the secret key there"
    ],
    "secret-key-file-missing": [
        f"accounts[0].secret_key_file: cannot read {BAD_FILES}/missing.secret (No such file or directory); {RELATIVE}"
    ],
    "secret-key-file-missing-by-its-whole-path": [
        "accounts[0].secret_key_file: cannot read /no-such-folder/acme.secret (No such file or directory)"
    ],
    "secret-key-file-no-name": ["accounts[0].secret_key_file: expected a file name"],
    "secret-key-file-not-utf8": [f"accounts[0].secret_key_file: {BAD_FILES}/not-utf8.secret is not UTF-8 text"],
    "secret-key-file-of-unknown-user": [
        ("accounts[0].secret_key_file: ~no-such-user/acme.secret starts with the home directory of an unknown user"),
    ],
    "secret-key-file-of-two-lines": [
        f"accounts[0].secret_key_file: {BAD_FILES}/two-lines.secret has several lines; expected one line"
    ],
    "secret-key-file-with-nul": ["accounts[0].secret_key_file: expected a file name"],
    "secret-key-file-without-credentials-directory": [
        (
            "accounts[0].secret_key_file: %d/acme "
            "needs the environment variable CREDENTIALS_DIRECTORY, which systemd sets for LoadCredential="
        ),
    ],
    "secret-key-none": [
        "accounts[0].secret_key_file: is required; set one of secret_key_file, secret_key_env, secret_key"
    ],
    "secret-key-twice": [
        (
            "accounts[0].secret_key: secret_key_file is also set; "
            "set only one of secret_key_file, secret_key_env, secret_key"
        ),
    ],
    "shard-a-name": ["shard: expected a shard such as 0/3, the first of three, got 'first'"],
    "shard-a-number": ["shard: expected a shard, for example 0/3, got a number"],
    "shard-of-none": ["shard: expected 1 to 1000 shards in all, got 0"],
    "shard-one-too-high": ["shard: expected 0/3 to 2/3, as shards count from 0, got 3/3"],
    "several-problems": [
        f"timeout: invalid duration '15': {NO_DURATION}; did you mean 15s or 15m?",
        f"api_url: {API_ROOT}",
        f"probes.status.interval: invalid duration 'soon': {NO_DURATION}",
        (
            "accounts[0].surprise: unknown key; known keys: name, login, login_env, secret_key_file, secret_key_env, "
            "secret_key, registration_token_file, registration_token_env, registration_token, monitoring_keys_file, "
            "monitoring_keys, api_url, probes"
        ),
        "accounts[1].secret_key: expected a string, got a list",
        f"accounts[1].login: {NO_LOGIN}",
    ],
    "several-problems-of-accounts": [
        "accounts[0].secret_key_file: is required; set one of secret_key_file, secret_key_env, secret_key",
        "accounts[1].name: duplicate account name acme; accounts[0] has the same name",
        "accounts[1].login: is empty; expected the login of the CLN account",
        f"accounts[2].name: {NAME}",
        f"accounts[2].secret_key_file: cannot read {BAD_FILES}/missing.secret (No such file or directory); {RELATIVE}",
    ],
    "timeout-a-clock": [f"timeout: invalid duration '1:30': {NO_DURATION}; did you mean 90s or 90m?"],
    "timeout-a-secret": [f"timeout: invalid duration: {NO_DURATION}"],
    "timeout-fraction": ["timeout: expected a duration, for example 15m, got a fraction"],
    "timeout-too-long": ["timeout: invalid duration '99999w': must not exceed 10 years"],
    "timeout-true": ["timeout: expected a duration, for example 15m, got a boolean"],
    "timeout-without-unit": [f"timeout: invalid duration '15': {NO_DURATION}; did you mean 15s or 15m?"],
    "timeout-zero": ["timeout: invalid duration '0s': must be greater than zero"],
    "tls-config-unknown-key": ["tls_config.ca: unknown key; known keys: ca_file, insecure_skip_verify"],
    "tls-config-yes-as-text": ["tls_config.insecure_skip_verify: expected true or false, got a string"],
    "unknown-key": ["acounts: unknown key; did you mean accounts?"],
    "unknown-key-like-none": [f"surprise: unknown key; {KNOWN_AT_TOP}"],
    "unknown-key-of-two-lines": [f"one two: unknown key; {KNOWN_AT_TOP}"],
    "yaml-alias": [f"line 4, column 17: {IN_QUOTES}"],
    "yaml-colon-in-a-value": [
        ("line 3, column 16: mapping values are not allowed here; quote a value that contains a colon and a space"),
    ],
    "yaml-control-character": ["invalid YAML: contains a non-printable character"],
    "yaml-doubled-anchor": [f"line 3, column 12: {IN_QUOTES}"],
    "yaml-ends-early": [
        "line 2, column 1: expected the node content, but found '<stream end>'; check for an unclosed bracket or quote"
    ],
    "yaml-impossible-boolean": [f"line 2, column 25: {LOOKS_LIKE}"],
    "yaml-impossible-date": [f"line 3, column 12: {LOOKS_LIKE}"],
    "yaml-impossible-number": [f"line 3, column 12: {LOOKS_LIKE}"],
    "yaml-list-as-key": ["line 1, column 3: found unhashable key; expected a string before the colon"],
    "yaml-no-colon": ["line 5, column 1: could not find expected ':'; put a colon and a space after each key"],
    "yaml-open-quote": ["line 4, column 1: found unexpected end of stream; check for an unclosed bracket or quote"],
    "yaml-tab": ["line 2, column 1: found character '\\t' that cannot start any token; indent with spaces, not tabs"],
    "yaml-reserved-character": [
        (
            "line 4, column 17: found character '@' that cannot start any token; "
            "quote a value that begins with this character"
        ),
    ],
    "yaml-tag": [f"line 4, column 17: {IN_QUOTES}"],
    "yaml-two-columns": [
        ("line 3, column 4: expected <block end>, but found '<block mapping start>'; check the indentation"),
    ],
    "yaml-two-documents": [
        "line 5, column 1: expected a single document in the stream, but found another document; remove the --- line"
    ],
}
"""The lines of the error by the name of the file, each less ``<path of the file>: ``."""

MINIMAL = "accounts: [{name: acme, login: acme_login, secret_key: s3cret}]\n"


def load_bad(file: Path) -> str:
    """Return the error text of a bad file."""
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    return str(caught.value)


def parse(text: str) -> Config:
    """Return the configuration in a text that needs no files."""
    return parse_config(text, Path("/nowhere"))


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)


@pytest.mark.parametrize("name", sorted(BAD))
def test_bad_file(name: str) -> None:
    """Each problem is one line with the path of the file, the field, and what is expected; never a secret."""
    file = BAD_FILES / f"{name}.yml"
    error = load_bad(file)
    assert error.split("\n") == [f"{file}: {line}" for line in BAD[name]]
    assert "pl4nted" not in error
    assert error.replace("\n", "").isprintable()


def test_each_bad_file_is_tested() -> None:
    """Each file in bad/ has an expected error."""
    assert sorted(file.stem for file in BAD_FILES.glob("*.yml")) == sorted(BAD)


def test_missing_file(tmp_path: Path) -> None:
    """The error of a missing file has its path."""
    file = tmp_path / "missing.yml"
    assert load_bad(file) == f"{file}: cannot be read: No such file or directory; create it, or use another file"


def test_folder(tmp_path: Path) -> None:
    """A directory is not accepted as a configuration."""
    assert load_bad(tmp_path) == f"{tmp_path}: cannot be read: Is a directory"


def test_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of an unreadable file says which permission is missing."""

    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)
    file = tmp_path / "cln-monitor.yml"
    assert (
        load_bad(file)
        == f"{file}: cannot be read: Permission denied; grant read permission to the user that runs this program"
    )
    monkeypatch.undo()
    (tmp_path / "acme.secret").touch()
    file.write_text(f"accounts: [{{name: acme, login: acme_login, secret_key_file: {tmp_path}/acme.secret}}]")
    monkeypatch.setattr("cln_monitor.config.secrets._read", refuse)
    assert load_bad(file) == (
        f"{file}: accounts[0].secret_key_file: cannot read {tmp_path}/acme.secret (Permission denied); "
        "grant read permission to the user that runs this program"
    )


def test_relative_names_are_shown_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors show absolute paths, also if the configuration has a relative one."""
    monkeypatch.chdir(tmp_path)
    Path("cln-monitor.yml").write_text("accounts: [{name: acme, login: acme_login, secret_key_file: nowhere}]")
    assert f"cannot read {tmp_path}/nowhere (" in load_bad(Path("cln-monitor.yml"))


@pytest.mark.parametrize("text", ["[" * 1000, "- " * 1000])
def test_nested_without_end(text: str) -> None:
    """A text that is nested too deeply is refused, and does not crash."""
    with pytest.raises(ConfigError, match="invalid YAML: nested too deeply"):
        parse(text)


def test_nothing_is_as_if_left_out() -> None:
    """A null value means the default of a field, at all levels."""
    top = "".join(f"{name}: null\n" for name in ConfigFile.__struct_fields__ if name != "accounts")
    config = parse(f"""\
{top}
accounts:
  - name: acme
    login: acme_login
    secret_key: s3cret
    monitoring_keys: null
    probes: {{status: {{interval: null, enabled: null}}, patch_status: {{scopes: null}}}}
""")
    assert config == parse(MINIMAL)
    own = "probes: {kernelcare: {interval: 5m}}\n" + MINIMAL.replace("}]", ", probes: {kernelcare: {interval: null}}}]")
    assert _times(parse(own).accounts[0].probes["kernelcare"])[1] == 300
    assert parse(f"tls_config: {{insecure_skip_verify: null}}\n{MINIMAL}") == parse(MINIMAL)


def test_monitoring_keys_of_all_lengths() -> None:
    """Monitoring keys and KernelCare keys are accepted; shorter ones are not, as a mask would show them."""
    for length in (16, 32, 64):
        parse(MINIMAL.replace("}]", f", monitoring_keys: [{'k' * length}]}}]"))
    for length in (15, 65):
        with pytest.raises(ConfigError, match="expected a key of 16 to 64 letters"):
            parse(MINIMAL.replace("}]", f", monitoring_keys: [{'k' * length}]}}]"))


def test_a_time_of_day_is_a_text() -> None:
    """A time of day is a string, and not the number of YAML 1.1."""
    assert parse(MINIMAL.replace("acme_login", "12:30")).accounts[0].login == Secret("12:30")


def test_defaults() -> None:
    """An account alone is a valid configuration with the documented defaults."""
    config = parse(MINIMAL)
    assert config.api_url == "https://cln.cloudlinux.com/api"
    assert (config.timeout, config.concurrency, config.requests_per_second) == (15.0, 8, 10.0)
    assert (config.proxy, config.key_labels, config.max_server_series) == (None, "masked", 200_000)
    assert (config.tls_config.ca_file, config.tls_config.insecure_skip_verify) == (None, False)
    assert not config.allow_world_readable_secrets
    (account,) = config.accounts
    assert (account.name, account.login, account.secret_key) == ("acme", Secret("acme_login"), Secret("s3cret"))
    assert list(account.probes) == list(PROBES)
    assert _times(account.probes["kernelcare"]) == (True, 900, 3600)
    for name in ("kernelcare", "imunify"):
        settings = account.probes[name]
        assert isinstance(settings, CheckinSettings)
        assert (_stale_after(settings), settings.server_series) == (86400, True)
    patch_status = account.probes["patch_status"]
    assert isinstance(patch_status, PatchStatusSettings)
    assert patch_status.scopes == ["key", "reseller"]


def test_all_that_can_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each documented key is read, and relative file names start from the configuration's directory."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "acme").write_text("s3cret\n")
    (tmp_path / "keys").write_text("# of the contract\n\nMonitoringKey00001\n")
    monkeypatch.setenv("ACME_TOKEN", "t0ken")
    file = tmp_path / "cln-monitor.yml"
    file.write_text("""\
api_url: https://eportal.example.com/admin/api/
timeout: 7s
concurrency: 3
requests_per_second: 0.5
proxy: http://user:password@proxy.example.com:3128
tls_config: {ca_file: null, insecure_skip_verify: true}
key_labels: full
max_server_series: 0
probes:
  status: {enabled: false, interval: 2m, max_age: 10m}
  kernelcare: {interval: 5m, max_age: 20m, stale_after: 12h, server_series: false}
  imunify:
  patch_status: {scopes: [reseller]}
allow_world_readable_secrets: true
accounts:
  - name: acme
    login: acme_login
    secret_key_file: secrets/acme
    registration_token_env: ACME_TOKEN
    monitoring_keys_file: keys
    api_url: http://127.0.0.1:8080/api///
    probes: {kernelcare: {stale_after: 3d}}
""")
    config = load_config(file)
    (account,) = config.accounts
    assert config.api_url == "https://eportal.example.com/admin/api"
    assert config.api_url_of(account) == "http://127.0.0.1:8080/api"
    assert (config.timeout, config.concurrency, config.requests_per_second) == (7.0, 3, 0.5)
    assert config.allow_world_readable_secrets
    assert config.proxy == Secret("http://user:password@proxy.example.com:3128")
    assert (config.tls_config.insecure_skip_verify, config.key_labels, config.max_server_series) == (True, "full", 0)
    assert _times(account.probes["status"]) == (False, 120, 600)
    kernelcare, patch_status = account.probes["kernelcare"], account.probes["patch_status"]
    assert isinstance(kernelcare, CheckinSettings)
    assert isinstance(patch_status, PatchStatusSettings)
    assert (*_times(kernelcare), _stale_after(kernelcare)) == (True, 300, 1200, 259200)
    assert not kernelcare.server_series
    assert patch_status.scopes == ["reseller"]
    credentials = config.credentials_of(account)
    assert credentials.secret_key is not None
    assert (credentials.login, credentials.secret_key().reveal()) == ("acme_login", "s3cret")
    assert credentials.registration_token is not None
    assert credentials.registration_token().reveal() == "t0ken"
    assert config.monitoring_keys_of(account)() == [Secret("MonitoringKey00001")]


def test_a_login_of_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A login can be in an environment variable; whitespace around it is not part of it."""
    text = "accounts: [{name: acme, login_env: ACME_LOGIN, secret_key: s3cret}]"
    monkeypatch.setenv("ACME_LOGIN", " acme_login\n")
    config = parse(text)
    assert config.credentials_of(config.accounts[0]).login == "acme_login"
    monkeypatch.setenv("ACME_LOGIN", "pl4\nnted")
    problem = "accounts[0].login_env: ACME_LOGIN has several lines; expected one line"
    with pytest.raises(ConfigError) as raised:
        parse(text)
    assert [str(found) for found in raised.value.problems] == [problem]


def test_codes_of_els_that_nobody_has_documented() -> None:
    """Any ELS product code is accepted, also an undocumented one."""
    config = parse("""\
api_url: https://cln.cloudlinux.com/api
probes:
  els: {enabled: true, interval: 1h, products: [CELS, OELS, …]}
accounts:
  - name: acme
    login: acme_login
    secret_key: s3cret
""")
    settings = config.accounts[0].probes["els"]
    assert isinstance(settings, ElsSettings)
    assert (settings.enabled, settings.products) == (True, ["CELS", "OELS", "…"])


def test_an_account_overrides_what_holds_for_all() -> None:
    """Each setting of an account overrides that of all accounts."""
    config = parse("""\
probes: {kernelcare: {interval: 5m, stale_after: 12h}, imunify: {enabled: false}}
accounts:
  - {name: one, login: l, secret_key: s, probes: {kernelcare: {stale_after: 1d}, imunify: {enabled: true}}}
  - {name: two, login: l, secret_key: s}
""")
    one, two = config.accounts
    assert [_times(account.probes["kernelcare"])[1] for account in (one, two)] == [300, 300]
    assert [_stale_after(account.probes["kernelcare"]) for account in (one, two)] == [86400, 43200]
    assert [account.probes["imunify"].enabled for account in (one, two)] == [True, False]


@pytest.mark.parametrize(
    ("of_all", "of_account", "max_age"),
    [
        pytest.param("{interval: 45m}", "{}", 5400, id="grows-to-two-intervals"),
        pytest.param("{interval: 30m}", "{}", 3600, id="is-two-intervals-already"),
        pytest.param("{interval: 1m}", "{}", 3600, id="never-shrinks"),
        pytest.param("{}", "{interval: 2h}", 14400, id="grows-with-the-interval-of-an-account"),
        pytest.param("{interval: 2h}", "{interval: 1m}", 3600, id="does-not-grow-for-an-account-that-polls-more-often"),
        pytest.param("{interval: 2h, max_age: 3h}", "{}", 10800, id="set-stays"),
        pytest.param("{max_age: 1h}", "{interval: 2h}", 3600, id="set-for-all-stays-though-it-is-too-short"),
    ],
)
def test_max_age_that_is_not_set_leaves_room_for_two_polls(of_all: str, of_account: str, max_age: float) -> None:
    """If only a long interval is set, max_age is two intervals."""
    config = parse(f"""\
probes: {{kernelcare: {of_all}}}
accounts: [{{name: acme, login: l, secret_key: s, probes: {{kernelcare: {of_account}}}}}]
""")
    assert config.accounts[0].probes["kernelcare"].max_age == max_age


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8080", "https://[2001:db8::1]:8443/admin/api", "https://cln.example.com/api", "http://h/a%20b"],
)
def test_api_url(url: str) -> None:
    """API roots with ports, paths and IP addresses are accepted, and lose a trailing slash."""
    assert parse(f"api_url: '{url}/'\n{MINIMAL}").api_url == url


def test_yaml_of_all_forms(tmp_path: Path) -> None:
    """A byte order mark, carriage returns, anchors and merge keys are accepted."""
    file = tmp_path / "cln-monitor.yml"
    file.write_bytes(
        b"\xef\xbb\xbfprobes:\r\n  kernelcare: &often {interval: 5m}\r\n  imunify: {<<: *often, stale_after: 2d}\r\n"
        + MINIMAL.encode()
    )
    probes = load_config(file).accounts[0].probes
    assert (_times(probes["imunify"])[1], _stale_after(probes["imunify"])) == (300, 172800)


def test_problems_are_told_apart() -> None:
    """The error has a list of problems, each with its place."""
    with pytest.raises(ConfigError) as caught:
        parse(f"timeout: 15\nsurprise: 1\n{MINIMAL}")
    assert [problem.place for problem in caught.value.problems] == ["surprise", "timeout"]


def _times(settings: ProbeSettings) -> tuple[bool, float, float]:
    return settings.enabled, settings.interval, settings.max_age


def _stale_after(settings: ProbeSettings) -> float:
    assert isinstance(settings, CheckinSettings)
    return settings.stale_after


def test_without_secrets(tmp_path: Path) -> None:
    """Without secrets they are not read and may be missing; everything else must be valid."""
    text = """
accounts:
  - {name: one, login: a, secret_key_file: none, monitoring_keys_file: none}
  - {name: two, login: a, registration_token_env: CLN_NONE, monitoring_keys: [short]}
"""
    file = tmp_path / "cln-monitor.yml"
    file.write_text(text)
    config = load_config(file, with_secrets=False)
    assert [account.name for account in config.accounts] == ["one", "two"]
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    places = [problem.place for problem in caught.value.problems]
    assert places == [
        "accounts[0].secret_key_file",
        "accounts[0].monitoring_keys_file",
        "accounts[1].secret_key_file",
        "accounts[1].registration_token_env",
        "accounts[1].monitoring_keys[0]",
    ]
    for wrong, place in ((text.replace("two", "one"), "accounts[1].name"), (f"{text}timeout: soon", "timeout")):
        with pytest.raises(ConfigError) as caught:
            parse_config(wrong, tmp_path, with_secrets=False)
        assert [problem.place for problem in caught.value.problems] == [place]


def test_ca_file_with_a_mark(tmp_path: Path, certificate: str) -> None:
    """A byte order mark in a CA file is ignored; a file without PEM is refused with and without one."""
    text = "tls_config: {ca_file: ca.pem}\naccounts: [{name: acme, login: l, secret_key: s}]"
    (tmp_path / "ca.pem").write_text(certificate, encoding="utf-8-sig")
    assert parse_config(text, tmp_path).tls_config.ca_file == "ca.pem"
    (tmp_path / "ca.pem").write_text("junk", encoding="utf-8-sig")
    with pytest.raises(ConfigError, match=r"ca\.pem contains no certificates; expected a PEM bundle$"):
        parse_config(text, tmp_path)


@pytest.mark.parametrize(
    ("name", "problem"),
    [("fifo", "is a pipe without a writer (waited 1 s)"), ("/dev/zero", "is larger than 16 MiB")],
)
def test_files_without_an_end(name: str, problem: str, tmp_path: Path) -> None:
    """An endless CA file neither blocks the start nor exhausts memory."""
    os.mkfifo(tmp_path / "fifo", 0o600)
    text = f"tls_config: {{ca_file: {name}}}\naccounts: [{{name: acme, login: l, secret_key: s}}]"
    with pytest.raises(ConfigError) as raised:
        parse_config(text, tmp_path)
    assert problem in str(raised.value)


@pytest.fixture
def certificate(tmp_path: Path) -> str:
    """A certificate in PEM."""
    return Authority(tmp_path).file.read_text()
