"""Valid and invalid web configurations, with our error for each and the verdict of promtool."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import bcrypt

from cln_monitor.exporter.web.tls import CIPHERS, CURVES
from tests.helpers.certificates import Authority

PASSWORD = "pl4nted password"
SALT = b"$2b$04$sN7q0R3mT1kYbV5wZxC2De"
"""A fixed salt, as hashes are part of test names, and every process of a run has to collect the same names."""
HASH = bcrypt.hashpw(PASSWORD.encode(), SALT).decode()
TLS = "tls_server_config: {cert_file: server.pem, key_file: server.key"
AUTHORITY = "client_ca_file: ca.pem"


@dataclass(frozen=True)
class Case:
    """A file with its ``text``, our ``complaint`` (None if it is valid), and whether promtool 2.42 accepts it.

    ``why`` is the reason for a difference.
    """

    text: str
    complaint: str | None = None
    promtool: bool | None = None
    why: str = ""

    @property
    def is_good_to_promtool(self) -> bool:
        """Whether promtool accepts the file; by default as we do."""
        return self.complaint is None if self.promtool is None else self.promtool


NEWER = "the key is newer than that promtool"
STRICTER = "we refuse at the start what would fail, or protect less than it says, later"

_KNOWN = "known keys: tls_server_config, http_server_config, basic_auth_users, rate_limit"
_KIND = "tls_server_config.client_auth_type"
_NO_HASH = "not a bcrypt hash; create one with: htpasswd -nBC 10 ''"


def _unverified(kind: str) -> str:
    return (
        f"{_KIND}: {kind} accepts unverified certificates, which Python's ssl module does not support; "
        "use RequireAndVerifyClientCert with client_ca_file"
    )


def _user(hashed: str) -> str:
    return f"basic_auth_users: {{alice: '{hashed}'}}"


def _header(name: str, value: str) -> str:
    return f"http_server_config: {{headers: {{{name}: {value}}}}}"


def _not_free(name: str, values: str) -> str:
    return f"http_server_config.headers.{name}: expected {values}"


CASES = {
    # The whole
    "empty": Case(""),
    "nothing": Case("{}"),
    "null": Case("null"),
    "document-marker": Case(f"---\n{TLS}}}"),
    "a-list": Case("[]", "expected a mapping of names to values, got a list"),
    "a-text": Case("text", "expected a mapping of names to values, got a string"),
    "not-yaml": Case("tls_server_config: [}", "line 1, column 21: "),
    "unknown-key": Case("nonsense: 1", f"nonsense: unknown key; {_KNOWN}"),
    "misspelled-key": Case("basic_auth_user: {}", "basic_auth_user: unknown key; did you mean basic_auth_users?"),
    "key-twice": Case(
        "http_server_config:\nhttp_server_config:", "line 1, column 1: duplicate key http_server_config "
    ),
    # Certificates
    "tls": Case(TLS + "}"),
    "no-tls": Case("tls_server_config: {}"),
    "no-tls-either": Case("tls_server_config:"),
    "no-tls-in-blank-names": Case("tls_server_config: {cert_file: '', key_file: ''}"),
    "no-tls-but-a-version": Case("tls_server_config: {min_version: TLS13}"),
    "one-file-for-both": Case("tls_server_config: {cert_file: both.pem, key_file: both.pem}"),
    "tls-is-a-list": Case(
        "tls_server_config: []", "tls_server_config: expected a mapping of names to values, got a list"
    ),
    "no-key": Case("tls_server_config: {cert_file: server.pem}", "tls_server_config.key_file: is missing"),
    "no-certificate": Case("tls_server_config: {key_file: server.key}", "tls_server_config.cert_file: is missing"),
    "only-an-auth-type": Case("tls_server_config: {client_auth_type: NoClientCert}", "tls_server_config.cert_file: is"),
    "certificate-not-there": Case(
        "tls_server_config: {cert_file: no.pem, key_file: server.key}",
        "tls_server_config.cert_file: cannot read {folder}/no.pem (No such file or directory)",
    ),
    "key-not-there": Case(
        "tls_server_config: {cert_file: server.pem, key_file: no.key}",
        "tls_server_config.key_file: cannot read {folder}/no.key (No such file or directory)",
    ),
    "certificate-is-a-folder": Case(
        "tls_server_config: {cert_file: ., key_file: server.key}",
        "tls_server_config.cert_file: cannot read {folder} (Is a directory)",
    ),
    "certificate-is-junk": Case(
        "tls_server_config: {cert_file: junk.pem, key_file: server.key}",
        "tls_server_config.cert_file: contains no PEM certificate",
    ),
    "certificate-is-cut": Case(
        "tls_server_config: {cert_file: cut.pem, key_file: server.key}",
        "tls_server_config.cert_file: certificate and key cannot be used: ",
    ),
    "key-is-the-certificate": Case(
        "tls_server_config: {cert_file: server.pem, key_file: server.pem}",
        "tls_server_config.key_file: contains no PEM private key",
    ),
    "key-of-another": Case(
        "tls_server_config: {cert_file: server.pem, key_file: client.key}",
        "tls_server_config.key_file: does not match the certificate",
    ),
    "key-is-encrypted": Case(
        "tls_server_config: {cert_file: server.pem, key_file: encrypted.key}",
        "tls_server_config.key_file: is encrypted; store it without a password, readable only by the exporter",
    ),
    "unknown-tls-key": Case(
        TLS + ", Cert_File: x}", "tls_server_config.Cert_File: unknown key; did you mean cert_file?"
    ),
    "tls-key-twice": Case(TLS + ", key_file: server.key}", "line 1, column "),
    # Client certificates
    "no-client-certificate": Case(TLS + ", client_auth_type: NoClientCert}"),
    "blank-auth-type": Case(TLS + ", client_auth_type: ''}"),
    "clients-verified": Case(f"{TLS}, client_auth_type: RequireAndVerifyClientCert, {AUTHORITY}}}"),
    "clients-verified-if-given": Case(f"{TLS}, client_auth_type: VerifyClientCertIfGiven, {AUTHORITY}}}"),
    "unknown-auth-type": Case(
        TLS + ", client_auth_type: require}",
        f"{_KIND}: expected one of NoClientCert, VerifyClientCertIfGiven, RequireAndVerifyClientCert",
    ),
    "authority-without-a-type": Case(
        f"{TLS}, {AUTHORITY}}}", f"{_KIND}: is missing; without it client_ca_file has no effect"
    ),
    "authority-not-there": Case(
        TLS + ", client_auth_type: RequireAndVerifyClientCert, client_ca_file: no.pem}",
        "tls_server_config.client_ca_file: cannot read {folder}/no.pem (No such file or directory)",
    ),
    "authority-is-junk": Case(
        TLS + ", client_auth_type: RequireAndVerifyClientCert, client_ca_file: junk.pem}",
        "tls_server_config.client_ca_file: contains no PEM certificate",
        promtool=True,
        why=STRICTER,
    ),
    "clients-verified-if-given-without-an-authority": Case(f"{TLS}, client_auth_type: VerifyClientCertIfGiven}}"),
    "clients-verified-without-an-authority": Case(
        f"{TLS}, client_auth_type: RequireAndVerifyClientCert}}",
        "tls_server_config.client_ca_file: is missing: RequireAndVerifyClientCert needs the CA certificates",
        promtool=True,
        why=STRICTER,
    ),
    **{
        kind: Case(f"{TLS}, client_auth_type: {kind}, {AUTHORITY}}}", _unverified(kind), promtool=True, why=STRICTER)
        for kind in ("RequestClientCert", "RequireAnyClientCert", "RequireClientCert")
    },
    "allowed-sans": Case(
        f"{TLS}, client_auth_type: RequireAndVerifyClientCert, {AUTHORITY}, client_allowed_sans: [prometheus]}}",
        promtool=False,
        why=NEWER,
    ),
    "allowed-sans-of-nobody": Case(
        TLS + ", client_allowed_sans: [prometheus]}",
        "tls_server_config.client_allowed_sans: needs client_auth_type: RequireAndVerifyClientCert",
    ),
    # Versions
    **{
        f"at-least-{version}": Case(f"{TLS}, min_version: {version}}}")
        for version in ("TLS10", "TLS11", "TLS12", "TLS13")
    },
    **{f"at-most-{version}": Case(f"{TLS}, max_version: {version}}}") for version in ("TLS12", "TLS13")},
    **{
        f"at-most-{version}": Case(
            f"{TLS}, max_version: {version}}}",
            f"tls_server_config.max_version: {version} is insecure and not supported; use TLS12 or TLS13",
            promtool=True,
            why=STRICTER,
        )
        for version in ("TLS10", "TLS11")
    },
    "version-null": Case(TLS + ", min_version: null}"),
    "unknown-version": Case(
        TLS + ", min_version: TLS14}",
        "tls_server_config.min_version: expected TLS10 or TLS11 or TLS12 or TLS13, got a string",
    ),
    "version-in-small-letters": Case(
        TLS + ", max_version: tls12}", "tls_server_config.max_version: expected TLS10 or "
    ),
    "version-is-blank": Case(TLS + ", min_version: ''}", "tls_server_config.min_version: expected TLS10 or TLS11 or "),
    "versions-cross": Case(
        TLS + ", min_version: TLS13, max_version: TLS12}",
        "tls_server_config.min_version: TLS13 is higher than max_version, so no client could connect",
        promtool=True,
        why=STRICTER,
    ),
    # Ciphers and curves
    **{name: Case(f"{TLS}, cipher_suites: [{name}]}}") for name in CIPHERS},
    "all-ciphers": Case(f"{TLS}, cipher_suites: [{', '.join(CIPHERS)}]}}"),
    "no-ciphers": Case(TLS + ", cipher_suites: []}"),
    "client-chooses": Case(TLS + ", prefer_server_cipher_suites: false}"),
    **{
        f"cipher-{name}": Case(
            f"{TLS}, cipher_suites: [{name}]}}",
            f"tls_server_config.cipher_suites[0]: unknown value; expected one of: {', '.join(CIPHERS)}",
        )
        for name in (
            "TLS_RSA_WITH_RC4_128_SHA",
            "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
            "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
            "ECDHE-RSA-AES128-GCM-SHA256",
            "nonsense",
        )
    },
    "ciphers-as-a-text": Case(
        TLS + ", cipher_suites: TLS_AES_128_GCM_SHA256}",
        "tls_server_config.cipher_suites: expected a list, got a string",
    ),
    "no-cipher-for-the-version": Case(
        TLS + ", cipher_suites: [TLS_AES_128_GCM_SHA256], max_version: TLS12}",
        "tls_server_config.cipher_suites: contains no cipher suite of TLS 1.2, the only version",
        promtool=True,
        why=STRICTER,
    ),
    **{name: Case(f"{TLS}, curve_preferences: [{name}]}}") for name in CURVES},
    "all-curves": Case(f"{TLS}, curve_preferences: [{', '.join(CURVES)}]}}"),
    "some-curves": Case(TLS + ", curve_preferences: [X25519, CurveP256]}"),
    "unknown-curve": Case(
        TLS + ", curve_preferences: [P256]}",
        f"tls_server_config.curve_preferences[0]: unknown value; expected one of: {', '.join(CURVES)}",
    ),
    # HTTP
    "http2": Case("http_server_config: {http2: true}"),
    "no-http2": Case("http_server_config: {http2: false}"),
    "http2-yes": Case("http_server_config: {http2: yes}"),
    "http2-as-a-text": Case(
        "http_server_config: {http2: 'true'}", "http_server_config.http2: expected true or false, got a string"
    ),
    "http2-as-a-number": Case(
        "http_server_config: {http2: 1}", "http_server_config.http2: expected true or false, got a number"
    ),
    "no-http": Case("http_server_config:"),
    "unknown-http-key": Case(
        "http_server_config: {nonsense: 1}", "http_server_config.nonsense: unknown key; known keys: "
    ),
    "no-headers": Case("http_server_config: {headers: }"),
    "headers-as-a-list": Case(
        "http_server_config: {headers: []}", "http_server_config.headers: expected a mapping of header names to values"
    ),
    **{
        f"header-{name}": Case(_header(name, value))
        for name, value in (
            ("X-Frame-Options", "deny"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-XSS-Protection", "1"),
            ("Content-Security-Policy", "default-src self"),
            ("Strict-Transport-Security", "max-age=3600"),
        )
    },
    "frames-of-ours": Case(_header("X-Frame-Options", "sameorigin")),
    "blank-policy": Case(_header("Content-Security-Policy", "''")),
    "frames-in-capitals": Case(_header("X-Frame-Options", "DENY"), _not_free("X-Frame-Options", "deny or sameorigin")),
    "frames-blank": Case(_header("X-Frame-Options", "''"), _not_free("X-Frame-Options", "deny or sameorigin")),
    "frames-null": Case(_header("X-Frame-Options", ""), _not_free("X-Frame-Options", "deny or sameorigin")),
    "sniff": Case(_header("X-Content-Type-Options", "sniff"), _not_free("X-Content-Type-Options", "nosniff")),
    "unknown-header": Case(_header("Server", "x"), "http_server_config.headers.Server: unknown key; known keys: "),
    "header-in-small-letters": Case(
        _header("x-frame-options", "deny"), "http_server_config.headers.x-frame-options: unknown key; "
    ),
    "header-as-a-list": Case(
        _header("X-XSS-Protection", "[a]"),
        "http_server_config.headers.X-XSS-Protection: expected printable ASCII characters on one line",
    ),
    "header-of-two-lines": Case(
        _header("Content-Security-Policy", '"a\\nb: c"'),
        "http_server_config.headers.Content-Security-Policy: expected printable ASCII characters on one line",
        promtool=True,
        why=STRICTER,
    ),
    # Users
    "user": Case(_user(HASH)),
    "users": Case(f"basic_auth_users: {{alice: {HASH}, bob: {HASH}}}"),
    "no-users": Case("basic_auth_users: {}"),
    "no-users-either": Case("basic_auth_users:"),
    "user-without-a-name": Case(f"basic_auth_users: {{'': {HASH}}}"),
    "user-is-a-number": Case(f"basic_auth_users: {{12: {HASH}}}"),
    **{f"hash-{kind}": Case(_user(HASH.replace("$2b$", f"${kind}$"))) for kind in ("2a", "2b", "2x", "2y")},
    "hash-of-the-highest-cost": Case(_user(HASH.replace("$04$", "$14$"))),
    **{
        f"hash-of-cost-{cost}": Case(
            _user(HASH.replace("$04$", f"${cost}$")),
            f"basic_auth_users.alice: cost {cost} is too high: each login attempt would take seconds of CPU",
            promtool=True,
            why=STRICTER,
        )
        for cost in (15, 31)
    },
    "users-as-a-list": Case(
        "basic_auth_users: [alice]",
        "basic_auth_users: expected a mapping of user names to bcrypt hashes of their passwords",
    ),
    "user-twice": Case(
        f"basic_auth_users: {{alice: {HASH}, alice: {HASH}}}", "line 1, column 20: duplicate key alice "
    ),
    "password-in-the-clear": Case(_user("pl4nted"), f"basic_auth_users.alice: {_NO_HASH}"),
    "blank-password": Case(_user(""), f"basic_auth_users.alice: {_NO_HASH}"),
    "no-password": Case("basic_auth_users: {alice: }", f"basic_auth_users.alice: {_NO_HASH}"),
    "password-is-a-number": Case("basic_auth_users: {alice: 12}", f"basic_auth_users.alice: {_NO_HASH}"),
    "another-hash": Case(_user(HASH.replace("$2b$", "$3b$")), f"basic_auth_users.alice: {_NO_HASH}"),
    "cost-too-low": Case(_user(HASH.replace("$04$", "$03$")), f"basic_auth_users.alice: {_NO_HASH}"),
    "cost-too-high": Case(_user(HASH.replace("$04$", "$32$")), f"basic_auth_users.alice: {_NO_HASH}"),
    "hash-cut": Case(_user(HASH[:58]), f"basic_auth_users.alice: {_NO_HASH}"),
    "hash-too-long": Case(_user(HASH + "x"), f"basic_auth_users.alice: {_NO_HASH}", promtool=True, why=STRICTER),
    "hash-of-other-letters": Case(
        _user(HASH[:20] + "!" + HASH[21:]), f"basic_auth_users.alice: {_NO_HASH}", promtool=True, why=STRICTER
    ),
    "hash-of-no-salt": Case(
        _user(HASH[:28] + "a" + HASH[29:]), f"basic_auth_users.alice: {_NO_HASH}", promtool=True, why=STRICTER
    ),
    "user-is-true": Case(
        f"basic_auth_users: {{true: '{HASH}'}}",
        "basic_auth_users.True: expected a user name; put it in quotes",
        promtool=True,
        why=STRICTER,
    ),
    "user-with-a-colon": Case(
        f"basic_auth_users: {{'a:b': {HASH}}}",
        "basic_auth_users.a:b: a user name of HTTP basic authentication cannot contain a colon",
        promtool=True,
        why=STRICTER,
    ),
    # Rate
    "rate": Case("rate_limit: {burst: 20, interval: 100ms}", promtool=False, why=NEWER),
    "rate-off": Case("rate_limit: {burst: 20, interval: 0}", promtool=False, why=NEWER),
    "no-rate": Case("rate_limit: ", promtool=False, why=NEWER),
    "rate-without-a-burst": Case("rate_limit: {interval: 1s}", "rate_limit.burst: is required"),
    "rate-of-nothing": Case(
        "rate_limit: {interval: 1s, burst: 0}",
        "rate_limit.burst: expected 1 or more; with 0 every request would be rejected",
    ),
    "rate-without-a-unit": Case("rate_limit: {interval: '1', burst: 1}", "rate_limit.interval: invalid duration '1': "),
    "rate-as-a-list": Case("rate_limit: []", "rate_limit: expected a mapping of names to values, got a list"),
}


def write_files(folder: Path) -> Authority:
    """Write the certificates and keys of the cases to a directory, and return their CA."""
    authority = Authority(folder)
    certificate, key = authority.issue("server")
    authority.issue("client", of="DNS:prometheus")
    (folder / "both.pem").write_text(key.read_text() + certificate.read_text())
    (folder / "junk.pem").write_text("junk\n")
    (folder / "cut.pem").write_text(certificate.read_text()[:200] + "\n-----END CERTIFICATE-----\n")
    (folder / "encrypted.key").write_bytes(_encrypted(key.read_bytes()))
    return authority


def _encrypted(key: bytes) -> bytes:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 # what trustme makes its keys with

    return serialization.load_pem_private_key(key, None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"pl4nted"),
    )
