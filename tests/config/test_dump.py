"""The configuration in use as shown to people: complete, readable as YAML, and without secrets."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from msgspec.structs import replace

from cln_monitor.config import Config, load_config, parse_config, show_config
from cln_monitor.probes import ALL_PROBES

SECRETS = ("pl4nted-login", "pl4nted-secret-key", "pl4nted-token", "pl4ntedMonitoringKey", "pl4nted-password")


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """A configuration that sets every field, including secrets."""
    monkeypatch.setenv("PLANTED", SECRETS[1])
    monkeypatch.setenv("PLANTED_LOGIN", SECRETS[0])
    (tmp_path / "a.secret").write_text(SECRETS[1])
    (tmp_path / "a.keys").write_text(SECRETS[3])
    file = tmp_path / "cln-monitor.yml"
    file.write_text(f"""\
api_url: https://eportal.example.com/admin/api
timeout: 1500ms
requests_per_second: 0
proxy: http://user:{SECRETS[4]}@proxy.example.com:3128
key_labels: full
max_server_series: 5
shard: 1/3
probes: {{kernelcare: {{interval: 90m, stale_after: 3d}}, status: {{enabled: false}}}}
accounts:
  - {{name: a, login: {SECRETS[0]}, secret_key_file: a.secret, registration_token: {SECRETS[2]}}}
  - {{name: b, login_env: PLANTED_LOGIN, secret_key_env: PLANTED, monitoring_keys: [{SECRETS[3]}]}}
  - {{name: c, login: {SECRETS[0]}, secret_key: {SECRETS[1]}, monitoring_keys_file: a.keys,
     api_url: 'http://127.0.0.1:1', probes: {{patch_status: {{scopes: [reseller]}}}}}}
""")
    return load_config(file)


TOP = """\
api_url: https://cln.cloudlinux.com/api
timeout: 15s
concurrency: 8
requests_per_second: 10.0
proxy: null
tls_config:
  ca_file: null
  insecure_skip_verify: false
key_labels: masked
max_server_series: 200000
shard: 0/1
allow_world_readable_secrets: false
probes:
  status:
    enabled: true
    interval: 1m
    max_age: 5m
  kernelcare:
    enabled: true
    interval: 15m
    max_age: 1h
    stale_after: 1d
    server_series: true
"""

ACCOUNT = """\
accounts:
- name: acme
  login: <secret>
  login_env: null
  secret_key_file: null
  secret_key_env: null
  secret_key: <secret>
  registration_token_file: null
  registration_token_env: null
  registration_token: null
  monitoring_keys_file: null
  monitoring_keys: []
  api_url: null
  probes:
    status:
      enabled: true
      interval: 1m
      max_age: 5m
    kernelcare:
      enabled: true
      interval: 15m
      max_age: 1h
      stale_after: 1d
      server_series: true
"""


def test_text() -> None:
    """All fields are shown with their defaults, in the documented order, with readable durations."""
    config = parse_config("accounts: [{name: acme, login: acme_login, secret_key: s3cret}]", Path("/nowhere"))
    shown = show_config(config)
    assert shown.startswith(TOP)
    assert "\n" + ACCOUNT in shown
    assert list(yaml.safe_load(shown)["probes"]) == list(ALL_PROBES)


def test_what_is_shown_parses_again(config: Config) -> None:
    """Apart from secrets, the shown configuration is a file with the same settings."""
    shown = show_config(config)
    document = yaml.safe_load(shown)
    document["proxy"] = config.proxy and config.proxy.reveal()
    for account, original in zip(document["accounts"], config.accounts, strict=True):
        account["login"] = original.login and original.login.reveal()
        account["monitoring_keys"] = [key.reveal() for key in original.monitoring_keys]
        for name in ("secret_key", "registration_token"):
            secret = getattr(original, name)
            account[name] = secret and secret.reveal()
    again = parse_config(yaml.safe_dump(document), config.base)
    assert replace(again, file=config.file) == config
    assert show_config(again) == shown


def test_no_secret_is_shown(config: Config) -> None:
    """No secret is shown, however it is set; its source is shown."""
    shown = show_config(config)
    for secret in SECRETS:
        assert secret not in shown, secret
    for source in ("a.secret", "PLANTED", "a.keys"):
        assert source in shown
    assert "pl4nted" not in repr(config)
