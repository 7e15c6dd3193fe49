"""The account that the tests of clntool use: all its values are known, and each test starts with a new one."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import certifi

from cln_monitor.simulator import REVISIONS, Account, Simulator, serve
from cln_monitor.simulator.model import SubAccountServer

LOGIN, SECRET_KEY, TOKEN = "pl4nted_login", "pl4nted-secret-key", "pl4nted-registration-token"
PROXY_PASSWORD = "pr0xy-pl4nted-pass"
SECRETS = (SECRET_KEY, TOKEN, PROXY_PASSWORD)
"""Secrets that clntool never shows. License keys are shown in lists, as people look for them there."""

KEY, OTHER_KEY = "WsTs821nSAtiastD", "Zq7T0p1xVb93LmKe"
IMUNIFY_KEY, OTHER_IMUNIFY_KEY = "IM250SOMENONSENSETEXT", "IMUNOTHERKEY"
ELS_KEY = "CELS-yUDxBd5ethmGO5d3hnAZEau0"
CLOUDLINUX_KEY = "CLN7aaPl4nted0000000001"
MONITORING_KEY = "M0nitoringKey00001"
NEW_ELS = "RHEL9 ELS+"  # no code of the document: the configuration names it
MONTH = "2023-12"
EMAIL = "pl4nted@example.org"  # which is never shown
CREATED = 1398871560  # 2014-04-30T15:26Z
CHECKED_IN = 1682868360  # 2023-04-30T15:26Z
HOSTILE_NOTE = "[red]x[/red]|\x1b[31mé\n\u202eクラウド"


@dataclass(frozen=True)
class Cln:
    """The account in its simulator, served at ``url``; ``config`` is a configuration for it."""

    simulator: Simulator
    url: str
    config: Path

    @property
    def account(self) -> Account:
        """The current account."""
        return self.simulator.accounts[LOGIN]

    def sent(self) -> list[tuple[str, str, dict[str, str]]]:
        """Return the requests: method, path, and the query without its token."""
        return [
            (
                request.method,
                request.path.replace(TOKEN, "{token}"),
                {name: value for name, value in request.query.items() if name != "token"},
            )
            for request in self.simulator.requests
        ]


@contextlib.contextmanager
def a_cln(directory: Path, revision: str = REVISIONS[-1]) -> Iterator[Cln]:
    """Serve the account at a CLN of ``revision``; its configuration is in the new directory ``directory``."""
    directory.mkdir()
    simulator = Simulator(seed=1, revision=revision)
    populate_account(simulator)
    with serve(simulator) as served:
        yield Cln(simulator, served.url, write_config(directory, served.url))


def populate_account(simulator: Simulator) -> None:
    """Replace all accounts of ``simulator`` by the initial account."""
    for account in simulator.accounts.values():
        for name in [*account.kernelcare_keys]:
            account.remove_kernelcare_key(name)
        for name in [*account.imunify_keys]:
            account.remove_imunify_key(name)
        for name in [*account.els_keys]:
            account.remove_els_key(name)
        for name in [*account.cloudlinux_keys]:
            account.remove_cloudlinux_key(name)
    simulator.accounts.clear()
    simulator.faults.clear()
    simulator.clear_requests()
    account = simulator.add_account(LOGIN, SECRET_KEY, TOKEN)
    key = account.add_kernelcare_key(KEY, limit=4, note=HOSTILE_NOTE, created=CREATED)
    key.add_server("fresh", ip="192.0.2.1", hostname="web1.example.net", created=CREATED, last_checkin=CHECKED_IN)
    key.add_server(
        "never",
        ip="2001:db8::1",
        hostname="web2.example.net",
        created=CREATED,
        last_checkin=None,
        patch_state="outofdate",
    )
    account.add_kernelcare_key(OTHER_KEY, limit=0, enabled=False, created=CREATED)
    protected = account.add_imunify_key(IMUNIFY_KEY, code="360_250", limit=2)
    guarded = protected.add_server("im-1", ip="198.51.100.1", hostname="im1.example.net", last_checkin=CHECKED_IN)
    account.add_imunify_key(OTHER_IMUNIFY_KEY, code="360_UN", limit=0)
    account.els_codes.add(NEW_ELS)
    els = account.add_els_key(ELS_KEY, code="CELS", limit=2, note="12")
    els.add_server("12345", ip="1.1.1.1", hostname="test", created=CREATED, last_checkin=CHECKED_IN)
    web_farm = account.add_cloudlinux_key(CLOUDLINUX_KEY, "CL", limit=12, note="web farm")
    web_farm.add_server("40211", ip="198.51.100.9", hostname="web9.example.net")
    account.sub_account_servers += [
        SubAccountServer("reseller7", EMAIL, 40211, CLOUDLINUX_KEY, 9, "198.51.100.9"),
        SubAccountServer(EMAIL, EMAIL, 40212, CLOUDLINUX_KEY, 8, "198.51.100.10"),
    ]
    account.add_ip_license("192.0.2.1", 1, created=CREATED, last_checkin=CHECKED_IN, server_info="release-8")
    account.add_ip_license("192.0.2.1", 41, registered=False, created=CREATED)
    account.add_ip_license("2001:db8::9", 5010, registered=False, created=CREATED)
    account.add_group("web", "all that must be up").add_server(guarded)
    account.add_awp_entity("example1.com", username="user1", month=MONTH)
    account.add_awp_entity("example2.com", "AWP_CDN", cdn_limit_type="50 GB", month=MONTH)


def write_config(directory: Path, api_url: str) -> Path:
    """Write a configuration for the account, with its secret in a file, and return its path."""
    (directory / "acme.secret").write_text(f"{SECRET_KEY}\n")
    (directory / "one.pem").write_text(_one_certificate())
    config = directory / "cln-monitor.yml"
    config.write_text(f"""\
api_url: {api_url}
requests_per_second: 0
timeout: 20s
tls_config: {{ca_file: one.pem}}
probes:
  els: {{products: [CELS, OELS, {NEW_ELS}]}}
accounts:
  - name: acme
    login: {LOGIN}
    secret_key_file: acme.secret
    registration_token: {TOKEN}
""")
    return config


@functools.cache
def _one_certificate() -> str:
    """Return a bundle with one authority: loading all of them takes 20 ms per run."""
    bundle = Path(certifi.where()).read_text(encoding="ascii", errors="ignore")
    end = "-----END CERTIFICATE-----\n"
    return bundle[bundle.index("-----BEGIN") : bundle.index(end)] + end
