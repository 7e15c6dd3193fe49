"""The tests of the Prometheus exporter-toolkit for our server: TLS, users, and client certificates."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.exporter.asking import basic
from tests.helpers.certificates import Authority
from tests.helpers.running import PATIENCE, Exporter, running_exporter

from .web_configs import AUTHORITY, HASH, PASSWORD, TLS, write_files

pytestmark = pytest.mark.processes

USERS = f"basic_auth_users: {{alice: '{HASH}', bob: '{HASH}'}}"
IF_GIVEN = f"{TLS}, client_auth_type: VerifyClientCertIfGiven"
ALWAYS = f"{TLS}, client_auth_type: RequireAndVerifyClientCert, {AUTHORITY}"
GCM, LONGER = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"

CONFIGS = {
    "nothing": "{}",
    "TLS": f"{TLS}}}",
    "TLS, certificates if given": f"{IF_GIVEN}, {AUTHORITY}}}",
    "TLS, certificates if given, no authority": f"{IF_GIVEN}}}",
    "TLS, certificates": f"{ALWAYS}}}",
    "TLS, certificates of a name": f"{ALWAYS}, client_allowed_sans: [prometheus]}}",
    "TLS, one suite": f"{TLS}, max_version: TLS12, cipher_suites: [{GCM}]}}",
    "TLS, two suites": f"{TLS}, max_version: TLS12, cipher_suites: [{LONGER}, {GCM}]}}",
    "TLS, two suites, the client chooses": (
        f"{TLS}, max_version: TLS12, cipher_suites: [{LONGER}, {GCM}], prefer_server_cipher_suites: false}}"
    ),
    "TLS, one curve": f"{TLS}, curve_preferences: [CurveP521]}}",
    "TLS, no HTTP/2": f"{TLS}}}\nhttp_server_config: {{http2: false}}",
    "TLS 1.3": f"{TLS}, min_version: TLS13}}",
    "users": USERS,
    "TLS, users": f"{TLS}}}\n{USERS}",
    "headers": "http_server_config: {headers: {X-Frame-Options: deny, X-Content-Type-Options: nosniff}}",
    "a rate": "rate_limit: {burst: 1, interval: 1h}",
}


@dataclass(frozen=True)
class Client:
    """A client: with TLS, a user, a certificate, a maximum TLS version, cipher suites, or a curve."""

    tls: bool = False
    user: str = ""
    certificate: str = ""
    at_most: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
    suites: str = ""
    curve: str = ""
    times: int = 1
    extra: dict[str, str] = field(default_factory=dict)


PLAIN, SECURE = Client(), Client(tls=True)
NO_TLS, FAILS = "no TLS", "handshake"
OLD = ssl.TLSVersion.TLSv1_1
TLS12 = ssl.TLSVersion.TLSv1_2

ATTEMPTS: list[tuple[str, Client, str]] = [
    ("nothing", PLAIN, "200"),
    ("nothing", SECURE, FAILS),
    ("TLS", PLAIN, NO_TLS),
    ("TLS", SECURE, "200"),
    ("TLS", Client(tls=True, at_most=OLD), FAILS),
    ("TLS", Client(tls=True, at_most=TLS12), "200"),
    ("TLS", Client(tls=True, at_most=TLS12, suites="ECDHE-ECDSA-AES128-SHA"), FAILS),
    ("TLS", Client(tls=True, at_most=TLS12, suites="ECDHE-ECDSA-CHACHA20-POLY1305"), "200"),
    ("TLS, certificates if given", SECURE, "200"),
    ("TLS, certificates if given", Client(tls=True, certificate="client"), "200"),
    ("TLS, certificates if given", Client(tls=True, certificate="stranger"), FAILS),
    ("TLS, certificates if given, no authority", SECURE, "200"),
    ("TLS, certificates", SECURE, FAILS),
    ("TLS, certificates", Client(tls=True, certificate="client"), "200"),
    ("TLS, certificates", Client(tls=True, certificate="other"), "200"),
    ("TLS, certificates", Client(tls=True, certificate="stranger"), FAILS),
    ("TLS, certificates of a name", Client(tls=True, certificate="client"), "200"),
    ("TLS, certificates of a name", Client(tls=True, certificate="other"), FAILS),
    ("TLS, one suite", Client(tls=True, suites="ECDHE-ECDSA-AES128-GCM-SHA256"), "200"),
    ("TLS, one suite", Client(tls=True, suites="ECDHE-ECDSA-AES256-SHA"), FAILS),
    ("TLS, two suites", Client(tls=True, suites="ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"), "200"),
    ("TLS, two suites, the client chooses", Client(tls=True, suites="ECDHE-ECDSA-AES128-GCM-SHA256"), "200"),
    ("TLS, one curve", Client(tls=True, curve="secp521r1"), "200"),
    ("TLS, one curve", Client(tls=True, curve="secp384r1"), FAILS),
    ("TLS, no HTTP/2", SECURE, "200"),
    ("TLS 1.3", SECURE, "200"),
    ("TLS 1.3", Client(tls=True, at_most=TLS12), FAILS),
    ("users", PLAIN, "401"),
    ("users", Client(user="alice"), "200"),
    ("users", Client(user="bob"), "200"),
    ("users", Client(user="alice:wrong"), "401"),
    ("users", Client(user="alice:"), "401"),
    ("users", Client(user="carol"), "401"),
    ("TLS, users", SECURE, "401"),
    ("TLS, users", Client(tls=True, user="alice"), "200"),
    ("TLS, users", Client(tls=True, user="alice:wrong"), "401"),
    ("TLS, users", Client(tls=True, user="carol"), "401"),
    ("TLS, users", Client(user="alice"), NO_TLS),
    ("headers", PLAIN, "200"),
    ("a rate", Client(times=2), "429"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory with the certificates."""
    directory = tmp_path_factory.mktemp("toolkit")
    write_files(directory).issue("other", of="DNS:grafana")
    (directory / "strangers").mkdir()
    certificate, key = Authority(directory / "strangers").issue("stranger", of="DNS:prometheus")
    certificate.rename(directory / "stranger.pem")
    key.rename(directory / "stranger.key")
    return directory


@pytest.fixture(scope="module")
def exporters(folder: Path) -> Iterator[dict[str, Exporter]]:
    """Return a running exporter for each configuration, one at a time: started when another configuration is used."""
    with ExitStack() as stack:

        class Started(dict[str, Exporter]):
            def __missing__(self, name: str) -> Exporter:
                stack.close()
                self.clear()
                web = folder / "web.yml"
                web.write_text(CONFIGS[name])
                self[name] = stack.enter_context(running_exporter(folder, "--demo", f"--web.config.file={web}"))
                return self[name]

        yield Started()


def attempt(address: str, client: Client, folder: Path) -> str:
    """Return the status code that ``client`` gets, or the error."""
    host, port = address.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=PATIENCE)
    if client.tls:
        context = ssl.create_default_context(cafile=folder / "ca.pem")
        if client.at_most is OLD:
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = OLD
        context.maximum_version = client.at_most
        if client.suites:
            context.set_ciphers(client.suites)
        if client.curve:
            context.set_ecdh_curve(client.curve)
        if client.certificate:
            context.load_cert_chain(folder / f"{client.certificate}.pem", folder / f"{client.certificate}.key")
        connection = http.client.HTTPSConnection(host, int(port), timeout=PATIENCE, context=context)
    name, _, password = client.user.partition(":")
    headers = basic(name, password if ":" in client.user else PASSWORD) if client.user else {}
    try:
        for _ in range(client.times):
            connection.request("GET", "/-/healthy", headers=headers)
            answer = connection.getresponse()
            answer.read()
    except (ssl.SSLError, ConnectionError, http.client.RemoteDisconnected, http.client.BadStatusLine):
        return FAILS if client.tls else NO_TLS
    finally:
        connection.close()
    return str(answer.status)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
@pytest.mark.parametrize(
    ("config", "client", "outcome"), ATTEMPTS, ids=[f"{place} {config}" for place, (config, *_) in enumerate(ATTEMPTS)]
)
def test_an_attempt(config: str, client: Client, outcome: str, exporters: dict[str, Exporter], folder: Path) -> None:
    """Each client gets the result that the configuration specifies."""
    assert attempt(exporters[config].address, client, folder) == outcome


def test_each_configuration_is_tried() -> None:
    """Each configuration is used by at least one test."""
    assert {config for config, *_ in ATTEMPTS} == set(CONFIGS)


def test_the_headers(exporters: dict[str, Exporter]) -> None:
    """Configured headers are in each response."""
    headers = exporters["headers"].ask("/-/healthy").headers
    assert (headers["X-Frame-Options"], headers["X-Content-Type-Options"]) == ("deny", "nosniff")
