"""The ePortals and the patch server of a configuration: each mistake with its whole text, and what is made of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cln_monitor.cln import Exchange, Redactor, Secret
from cln_monitor.config import ClientFactory, Config, ConfigError, load_config, parse_config, show_config, warnings_of
from cln_monitor.eportal import EportalClient
from cln_monitor.patches import PATCHES_URL
from cln_monitor.probes import EportalSettings
from tests.helpers.clock import FakeClock

ACCOUNT = "accounts: [{name: acme, login: someone, secret_key: s3cret}]\n"
URL = "https://eportal.example.net/admin/api"
KEY_FILE = "dc1.key"
GOOD = f"{{name: dc1, url: {URL}, api_key_file: {KEY_FILE}}}"
ONE_OF = "set either api_key_file, or username and password_file"
EXPECTED_URL = "expected an http or https URL, for example"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A directory with an API key and a password."""
    for name, text in ((KEY_FILE, "pl4nted-api-key\n"), ("dc1.password", "pl4nted-pässword\n")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    return tmp_path


def parsed(base: Path, text: str) -> Config:
    """Return the configuration of one account with ``text``."""
    return parse_config(f"{text}\n{ACCOUNT}", base)


def test_defaults(base: Path) -> None:
    """Without the two blocks there are no ePortals and no CVEs; the patch server and the probe have defaults."""
    config = parsed(base, "")
    assert (config.eportals, config.patches.cves, config.patches.url) == ([], [], PATCHES_URL)
    assert config.probes["eportal"] == EportalSettings()
    assert float(EportalSettings().stale_after) == 172800
    assert "eportal" not in config.accounts[0].probes


def test_both_kinds_of_credentials(base: Path) -> None:
    """An ePortal has an API key, or a username and a password, in files that are read for each request."""
    config = parsed(
        base,
        f"eportals: [{GOOD}, {{name: dc2, url: {URL}/, username: monitoring, password_file: dc1.password}}]\n"
        "patches: {cves: [' cve-2026-11111', CVE-2026-22222]}\n"
        "probes: {eportal: {stale_after: 3d}}",
    )
    one, two = config.eportals
    redactor = Redactor()
    assert config.eportal_credentials_of(one).headers(redactor) == {"X-Api-Key": "pl4nted-api-key"}
    (base / KEY_FILE).write_text("another-key")
    assert config.eportal_credentials_of(one).headers(redactor) == {"X-Api-Key": "another-key"}
    assert config.eportal_credentials_of(two).headers(redactor)["Authorization"].startswith("Basic ")
    assert [eportal.url for eportal in config.eportals] == [URL, URL]
    assert config.patches.cves == ["CVE-2026-11111", "CVE-2026-22222"]
    assert config.probes["eportal"] == EportalSettings(stale_after=259200)  # type: ignore[arg-type] # a Duration


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("eportals: [{name: dc1}]", ["eportals[0].url: is required"]),
        (f"eportals: [{{name: dc1, url: {URL}}}]", [f"eportals[0].api_key_file: is required; {ONE_OF}"]),
        (
            f"eportals: [{{name: dc1, url: {URL}, username: x}}]",
            [f"eportals[0].password_file: is required; {ONE_OF}"],
        ),
        (
            f"eportals: [{{name: dc1, url: {URL}, password_file: dc1.password}}]",
            [f"eportals[0].username: is required; {ONE_OF}"],
        ),
        (
            f"eportals: [{{name: dc1, url: {URL}, api_key_file: {KEY_FILE}, username: x}}]",
            [f"eportals[0].username: api_key_file is also set; {ONE_OF}"],
        ),
        (
            f"eportals: [{{name: dc1, url: {URL}, username: 'a:b', password_file: dc1.password}}]",
            ["eportals[0].username: contains a colon, which RFC 7617 does not allow"],
        ),
        (
            f"eportals: [{{name: dc1, url: {URL}, username: ' ', password_file: dc1.password}}]",
            ["eportals[0].username: is empty; expected the name of a user of the ePortal"],
        ),
        (
            "eportals: [{name: dc1, url: eportal.example.net, api_key_file: dc1.key}]",
            [f"eportals[0].url: {EXPECTED_URL} https://eportal.example.net/admin/api"],
        ),
        (
            "eportals: [{name: dc1, url: 'https://user:pl4nted@eportal.example.net', api_key_file: dc1.key}]",
            [f"eportals[0].url: {EXPECTED_URL} https://eportal.example.net/admin/api"],
        ),
        (
            f"eportals: [{GOOD.replace('dc1,', 'a/b,')}]",
            ["eportals[0].name: expected 1 to 64 letters, digits, dots, dashes and underscores"],
        ),
        (f"eportals: [{GOOD}, {GOOD}]", ["eportals[1].name: duplicate name dc1; eportals[0] has the same name"]),
        (
            f"eportals: [{GOOD.replace('dc1,', 'acme,')}]",
            ["eportals[0].name: duplicate name acme; accounts[0] has the same name"],
        ),
        (f"eportals: [{GOOD[:-1]}, api_key: x}}]", ["eportals[0].api_key: unknown key; did you mean api_key_file?"]),
        ("eportals: {}", ["eportals: expected a list, got a mapping"]),
        ("patches: {cves: [CVE-26-1]}", ["patches.cves[0]: expected a CVE id, for example CVE-2026-12345"]),
        (
            "patches: {cves: [CVE-2026-11111, cve-2026-11111]}",
            ["patches.cves[1]: cve-2026-11111 is listed twice"],
        ),
        ("patches: {cves: CVE-2026-11111}", ["patches.cves: expected a list, got a string"]),
        ("patches: {url: 'ftp://x'}", [f"patches.url: {EXPECTED_URL} https://patches.kernelcare.com"]),
        (
            "probes: {eportal: {interval: 1ms}}",
            ["probes.eportal.interval: expected 1s or more; each poll sends requests to CLN"],
        ),
    ],
)
def test_mistakes(base: Path, text: str, problems: list[str]) -> None:
    """Each mistake is named with its place, and no text has a secret."""
    with pytest.raises(ConfigError) as raised:
        parsed(base, text)
    assert [str(problem) for problem in raised.value.problems] == problems


def test_a_missing_file(base: Path) -> None:
    """A secret file that cannot be read is a problem, unless secrets are not needed."""
    text = f"eportals: [{GOOD.replace(KEY_FILE, 'no.key')}]\n{ACCOUNT}"
    with pytest.raises(ConfigError) as raised:
        parse_config(text, base)
    assert "eportals[0].api_key_file: cannot read" in str(raised.value)
    assert parse_config(text, base, with_secrets=False).eportals[0].api_key_file == "no.key"


def test_probe_of_an_account(base: Path) -> None:
    """The probe of ePortals has no settings per account, as accounts do not run it."""
    with pytest.raises(ConfigError, match=r"accounts\[0\]\.probes\.eportal: unknown key"):
        parse_config("accounts: [{name: a, login: b, secret_key: c, probes: {eportal: {}}}]", base)


def test_secrets_are_hidden(base: Path) -> None:
    """The configuration is shown without secrets, and its secrets are redacted."""
    config = parsed(
        base,
        f"eportals: [{GOOD}, {{name: dc2, url: {URL}, username: pl4nted-user, password_file: dc1.password}}]",
    )
    assert "pl4nted" not in show_config(config)
    assert "api_key_file: dc1.key" in show_config(config)
    redactor = Redactor()
    config.hide_secrets(redactor)
    assert redactor.scrub("pl4nted-api-key pl4nted-pässword pl4nted-user") == "<secret> <secret> <login>"


def test_world_readable(base: Path) -> None:
    """A world-readable file with a secret is refused, as those of accounts are."""
    file = base / "cln-monitor.yml"
    file.write_text(f"eportals: [{GOOD}]\n{ACCOUNT}")
    file.chmod(0o600)
    base.chmod(0o755)
    load_config(file, guard_secrets=True)
    (base / KEY_FILE).chmod(0o644)
    with pytest.raises(ConfigError, match=r"eportals\[0\]\.api_key_file: .*dc1\.key is world-readable"):
        load_config(file, guard_secrets=True)


def test_warnings(base: Path) -> None:
    """An ePortal without TLS, and data that expire between polls, are warned of; a simulator on loopback is not."""
    text = f"eportals: [{GOOD.replace('https', 'http')}]\nprobes: {{eportal: {{max_age: 1m}}}}"
    assert warnings_of(parsed(base, text)) == [
        "eportals[0].url: the credentials are sent unencrypted over http",
        "probes.eportal of dc1: max_age 1m is shorter than the interval 15m, so its data expires between polls",
    ]
    assert warnings_of(parsed(base, f"eportals: [{GOOD.replace(URL, 'http://127.0.0.1:8099')}]")) == []


@pytest.mark.parametrize("accounts", ["", "accounts: []\n", "accounts:  # none\n"])
def test_without_accounts(base: Path, accounts: str) -> None:
    """A company that has an ePortal and no account of CLN names only the ePortal."""
    config = parse_config(f"{accounts}eportals: [{GOOD}]\n", base)
    assert (config.accounts, config.names, config.counts) == ([], ["dc1"], "1 ePortal")
    assert config.enabled_probes == {"eportal"}
    assert warnings_of(config) == []
    assert "accounts: []\n" in show_config(config)


def test_without_accounts_and_probes(base: Path) -> None:
    """Without accounts, the probe of ePortals is the only one that can be enabled."""
    config = parse_config(f"eportals: [{GOOD}]\nprobes: {{eportal: {{enabled: false}}}}\n", base)
    assert warnings_of(config) == ["probes: no probe is enabled, so nothing is monitored"]


def test_the_api_without_accounts(base: Path) -> None:
    """The status of CLN, which needs no account, is that of api_url, labeled by its host."""
    config = parse_config(f"eportals: [{GOOD}]\n", base)
    assert config.api_urls == ["https://cln.cloudlinux.com/api"]
    assert config.transport_of(config.api_url).api == "cln.cloudlinux.com"


def test_contexts(base: Path) -> None:
    """Each ePortal has a client of its own, without the proxy; they share what is known about patches."""
    two = GOOD.replace("dc1,", "dc2,").replace("eportal.", "other.")
    config = parsed(
        base,
        f"eportals: [{GOOD}, {two}]\npatches: {{cves: [CVE-2026-11111]}}\nproxy: http://proxy.example.net:3128\n",
    )
    exchanges: list[Exchange] = []
    clients = ClientFactory(config, FakeClock(), Redactor(), exchanges.append)
    contexts = [clients.for_eportal(eportal) for eportal in config.eportals]
    assert [(context.account, context.client.api) for context in contexts] == [
        ("dc1", "eportal.example.net"),
        ("dc2", "other.example.net"),
    ]
    assert all(isinstance(context.client, EportalClient) for context in contexts)
    assert contexts[0].catalog is contexts[1].catalog is not None
    assert contexts[0].cves == ("CVE-2026-11111",)
    assert config.eportal_transport_of(config.eportals[0]).proxy is None
    assert config.patch_transport().proxy == "http://proxy.example.net:3128"
    assert config.proxy == Secret("http://proxy.example.net:3128")
    for context in contexts:
        context.client.close()
