"""The TLS settings of a web configuration as a context of Python's ``ssl``; unsupported settings are errors."""

from __future__ import annotations

import contextlib
import os
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cln_monitor.config import Exposed, expand, is_world_readable
from cln_monitor.file_reading import pem_text, read_file

from .config_schema import TlsServerConfig

_TLS12_CIPHERS = {
    f"TLS_{exchange}_WITH_{cipher}": f"{before}{openssl}"
    for exchange, before in (
        ("ECDHE_ECDSA", "ECDHE-ECDSA-"),
        ("ECDHE_RSA", "ECDHE-RSA-"),
        ("RSA", ""),
    )
    for cipher, openssl in (
        ("AES_128_GCM_SHA256", "AES128-GCM-SHA256"),
        ("AES_256_GCM_SHA384", "AES256-GCM-SHA384"),
        ("CHACHA20_POLY1305_SHA256", "CHACHA20-POLY1305"),
        ("AES_128_CBC_SHA", "AES128-SHA"),
        ("AES_256_CBC_SHA", "AES256-SHA"),
    )
    if (exchange, cipher) != ("RSA", "CHACHA20_POLY1305_SHA256")
}
"""The cipher suites of TLS 1.2: their names in Go, and those in OpenSSL."""

CIPHERS = (*_TLS12_CIPHERS, "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")
"""All supported cipher suites. As in Go, those of TLS 1.3 are always enabled."""

CURVES = {"CurveP256": "prime256v1", "CurveP384": "secp384r1", "CurveP521": "secp521r1", "X25519": "X25519"}

_DEFAULT_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""The default cipher suites of TLS 1.2: without CBC, as in Go, and only with forward secrecy."""

_UNVERIFIED = ("RequestClientCert", "RequireAnyClientCert", "RequireClientCert")
_VERIFIED = {"VerifyClientCertIfGiven": ssl.CERT_OPTIONAL, "RequireAndVerifyClientCert": ssl.CERT_REQUIRED}
_AUTH_TYPES = ("NoClientCert", *_VERIFIED)


class TlsConfigError(Exception):
    """The value of ``key`` is invalid."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__(text)
        self.key = key


@dataclass(frozen=True, slots=True)
class Tls:
    """The ``context`` for new connections, and the accepted names of verified clients, None for all."""

    context: ssl.SSLContext
    allowed_sans: frozenset[str] | None = None

    def is_weaker_than(self, other: Tls) -> bool:
        """Return whether it accepts clients that ``other`` rejects: without certificate, of any name, or old TLS."""
        return (
            self.context.verify_mode < other.context.verify_mode
            or (self.allowed_sans is None and other.allowed_sans is not None)
            or self.context.minimum_version < other.context.minimum_version
        )


def make_tls(settings: TlsServerConfig, base: Path) -> tuple[Tls | None, list[Path], list[str]]:
    """Return the TLS configuration, None if ``settings`` enable none; the files it was read from; and warnings.

    File names are relative to ``base``. Raises TlsConfigError.
    """
    if not _enables_tls(settings):
        return None, [], []
    files = {
        key: _path(key, getattr(settings, key), base)
        for key in ("cert_file", "key_file", "client_ca_file")
        if getattr(settings, key)
    }
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # A resumed session would outlive the certificate, CA, and TLS versions it was started with.
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 0
    context.set_alpn_protocols(["http/1.1"])
    _load_certificate(context, settings, files)
    warnings = [
        *_verify_clients(context, settings, files),
        *_set_versions(context, settings),
        *_set_ciphers(context, settings),
        *_set_curves(context, settings),
    ]
    if "key_file" in files and is_world_readable(files["key_file"]):  # other exporters accept it
        warnings.append(str(Exposed("key_file", files["key_file"])))
    sans = None if settings.client_allowed_sans is None else frozenset(settings.client_allowed_sans)
    return Tls(context, sans), list(files.values()), warnings


def _enables_tls(settings: TlsServerConfig) -> bool:
    texts = (settings.cert, settings.key.reveal(), settings.client_ca, settings.client_auth_type)
    return any((*texts, settings.cert_file, settings.key_file, settings.client_ca_file))


def _path(key: str, name: str, base: Path) -> Path:
    try:
        return expand(name, base)
    except ValueError as error:
        raise TlsConfigError(key, str(error)) from None


def _text_of(key: str, file: Path | None, text: str) -> tuple[str, str]:
    """Return a PEM text and the configuration key that it comes from. Raises TlsConfigError."""
    if file is None:
        if not text:
            raise TlsConfigError(f"{key}_file", "is missing")
        return key, pem_text(text.encode())
    if text:
        raise TlsConfigError(key, f"mutually exclusive with {key}_file")
    try:
        return f"{key}_file", pem_text(read_file(file))
    except OSError as error:
        raise TlsConfigError(f"{key}_file", f"cannot read {file} ({error.strerror})") from None
    except ValueError as error:
        raise TlsConfigError(f"{key}_file", f"{file} {error}") from None


def _load_certificate(context: ssl.SSLContext, settings: TlsServerConfig, files: dict[str, Path]) -> None:
    cert_key, cert = _text_of("cert", files.get("cert_file"), settings.cert)
    key_key, key = _text_of("key", files.get("key_file"), settings.key.reveal())
    if "-----BEGIN CERTIFICATE-----" not in cert:
        raise TlsConfigError(cert_key, "contains no PEM certificate")
    if "PRIVATE KEY-----" not in key:
        raise TlsConfigError(key_key, "contains no PEM private key")
    password_requested = False

    def no_password() -> bytes:
        nonlocal password_requested
        password_requested = True
        return b""

    try:
        with _as_file(cert) as cert_file, _as_file(key) as key_file:
            context.load_cert_chain(cert_file, key_file, no_password)
    except OSError as error:  # includes ssl.SSLError
        if password_requested:
            raise TlsConfigError(
                key_key, "is encrypted; store it without a password, readable only by the exporter"
            ) from None
        reason = getattr(error, "reason", None) or ""
        if reason == "KEY_VALUES_MISMATCH":
            raise TlsConfigError(key_key, "does not match the certificate") from None
        problem = reason.replace("_", " ").lower() or "not valid PEM"
        raise TlsConfigError(cert_key, f"certificate and key cannot be used: {problem}") from None


@contextlib.contextmanager
def _as_file(text: str) -> Iterator[str]:
    """Yield the name of an in-memory file with ``text``, so that ``ssl`` reads exactly what was checked."""
    with os.fdopen(os.memfd_create("pem"), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}"


def _verify_clients(context: ssl.SSLContext, settings: TlsServerConfig, files: dict[str, Path]) -> Iterator[str]:
    kind, has_ca = settings.client_auth_type, bool(settings.client_ca or settings.client_ca_file)
    if kind in _UNVERIFIED:
        raise TlsConfigError(
            "client_auth_type",
            f"{kind} accepts unverified certificates, which Python's ssl module does not support; "
            "use RequireAndVerifyClientCert with client_ca_file",
        )
    if kind not in {"", *_AUTH_TYPES}:
        raise TlsConfigError("client_auth_type", f"expected one of {', '.join(_AUTH_TYPES)}")
    if settings.client_allowed_sans is not None and kind != "RequireAndVerifyClientCert":
        raise TlsConfigError("client_allowed_sans", "needs client_auth_type: RequireAndVerifyClientCert")
    if kind not in _VERIFIED:
        if has_ca:
            raise TlsConfigError("client_auth_type", "is missing; without it client_ca_file has no effect")
        return
    if not has_ca and kind == "VerifyClientCertIfGiven":
        yield f"client_auth_type: {kind} without client_ca_file: clients are not asked for a certificate"
        return
    if not has_ca:
        raise TlsConfigError("client_ca_file", f"is missing: {kind} needs the CA certificates of the clients")
    key, text = _text_of("client_ca", files.get("client_ca_file"), settings.client_ca)
    try:
        context.load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError):
        raise TlsConfigError(key, "contains no PEM certificate") from None
    context.verify_mode = _VERIFIED[kind]
    # As in Go, every listed certificate is a trust anchor, not only root certificates.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN


def _set_versions(context: ssl.SSLContext, settings: TlsServerConfig) -> Iterator[str]:
    old = ("TLS10", "TLS11")
    if settings.max_version in old:
        raise TlsConfigError("max_version", f"{settings.max_version} is insecure and not supported; use TLS12 or TLS13")
    if settings.min_version > settings.max_version:
        raise TlsConfigError(
            "min_version", f"{settings.min_version} is higher than max_version, so no client could connect"
        )
    versions = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}
    context.minimum_version = versions.get(settings.min_version, ssl.TLSVersion.TLSv1_2)
    context.maximum_version = versions[settings.max_version]
    if settings.min_version in old:
        yield f"min_version: {settings.min_version} is insecure and not supported; TLS12 is used instead"


def _set_ciphers(context: ssl.SSLContext, settings: TlsServerConfig) -> Iterator[str]:
    if not settings.prefer_server_cipher_suites:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    if not settings.cipher_suites:
        context.set_ciphers(_DEFAULT_CIPHERS)
        return
    named = [_TLS12_CIPHERS[name] for name in settings.cipher_suites if name in _TLS12_CIPHERS]
    if named:
        context.set_ciphers(":".join(named))
    elif settings.max_version == "TLS12":
        raise TlsConfigError(
            "cipher_suites", "contains no cipher suite of TLS 1.2, the only version that max_version allows"
        )
    else:
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        yield "cipher_suites: contains no cipher suite of TLS 1.2, so only TLS 1.3 is enabled"


def _set_curves(context: ssl.SSLContext, settings: TlsServerConfig) -> Iterator[str]:
    if not settings.curve_preferences or set(settings.curve_preferences) == set(CURVES):
        return
    for name in settings.curve_preferences:
        with contextlib.suppress(ssl.SSLError):  # Python of Debian 12 rejects X25519 as the only curve
            context.set_ecdh_curve(CURVES[name])
            if len(settings.curve_preferences) > 1:
                yield f"curve_preferences: Python's ssl module supports only one curve, so only {name} is used"
            return
    yield f"curve_preferences: Python's ssl module cannot use {name} alone, so its defaults are used"
