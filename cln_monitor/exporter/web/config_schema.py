"""The sections of the file of ``--web.config.file``, in the format of the Prometheus exporter-toolkit."""

from __future__ import annotations

from typing import Literal

import msgspec

from cln_monitor.cln import Secret
from cln_monitor.probes import Duration

Version = Literal["TLS10", "TLS11", "TLS12", "TLS13"]


class TlsServerConfig(msgspec.Struct, frozen=True):
    """The section ``tls_server_config``; an empty string is the same as a missing key."""

    cert: str = ""
    key: Secret = Secret("")
    client_ca: str = ""
    cert_file: str = ""
    key_file: str = ""
    client_ca_file: str = ""
    client_auth_type: str = ""
    client_allowed_sans: list[str] | None = None
    min_version: Version = "TLS12"
    max_version: Version = "TLS13"
    cipher_suites: list[str] = []
    prefer_server_cipher_suites: bool = True
    curve_preferences: list[str] = []


class HttpServerConfig(msgspec.Struct, frozen=True):
    """The section ``http_server_config``. ``http2`` is ignored: only HTTP/1.1 is supported."""

    http2: bool = True
    headers: dict[str, str] = {}


class RateLimit(msgspec.Struct, frozen=True):
    """The section ``rate_limit``: ``burst`` requests at once, and one more per ``interval`` (in seconds)."""

    burst: int
    interval: Duration


class WebConfigFile(msgspec.Struct, frozen=True):
    """The whole file."""

    tls_server_config: TlsServerConfig = TlsServerConfig()
    http_server_config: HttpServerConfig = HttpServerConfig()
    basic_auth_users: dict[str, Secret] = {}
    rate_limit: RateLimit | None = None
