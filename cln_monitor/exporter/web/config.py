"""The file of ``--web.config.file``: TLS, users and headers, in the format that all exporters of Prometheus take."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cln_monitor.config import ConfigError, ConfigProblem, Validator, read_yaml

from .config_schema import HttpServerConfig, RateLimit, TlsServerConfig, WebConfigFile
from .passwords import USUAL_COST
from .tls import CIPHERS, CURVES, Tls, TlsConfigError, make_tls


@dataclass(frozen=True, slots=True)
class WebConfig:
    """What such a file asks for; by default nothing. ``files`` are those it was made from."""

    tls: Tls | None = None
    users: Mapping[bytes, bytes] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    rate_limit: RateLimit | None = None
    warnings: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    is_blank: bool = False
    means_nobody: bool = False
    """Whether it says by ``basic_auth_users: {}`` that nobody needs a password."""


_HEADERS: dict[str, tuple[str, ...]] = {
    "Content-Security-Policy": (),
    "Strict-Transport-Security": (),
    "X-Content-Type-Options": ("nosniff",),
    "X-Frame-Options": ("deny", "sameorigin"),
    "X-XSS-Protection": (),
}
"""The headers that can be set, with the values they can have where that is not free."""

_HASH = re.compile(r"\$2[abxy]\$(\d\d)\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}", re.ASCII)
_HEADER_VALUE = re.compile(r"[\x20-\x7e]*")
_MOST_COST = 14  # at which a first request waits for a second or two


def load_web_config(file: Path) -> WebConfig:
    """Return what ``file`` asks for, its certificates read. Raises ConfigError, with a line for each problem."""
    document = read_yaml(file)
    if _has_surrogates(document):
        raise ConfigError(str(file), [ConfigProblem("", "has half a character of UTF-16 in it, which is none")])
    typer = Validator()
    config = _config(typer, {} if document is None else document, file, is_blank=document is None)
    if config is None or typer.problems:
        raise ConfigError(str(file), typer.problems)
    return config


def _has_surrogates(value: object) -> bool:
    """Tell whether a text in ``value`` cannot be sent or stored, as YAML can spell it by an escape."""
    if isinstance(value, dict):
        return any(map(_has_surrogates, (*value, *value.values())))
    if isinstance(value, list):
        return any(map(_has_surrogates, value))
    return isinstance(value, str) and re.search("[\ud800-\udfff]", value) is not None


def _config(typer: Validator, document: object, file: Path, *, is_blank: bool) -> WebConfig | None:
    typer.struct(
        WebConfigFile, document, "", skip=("tls_server_config", "http_server_config", "basic_auth_users", "rate_limit")
    )
    if not isinstance(document, dict):
        return None
    settings = _tls_settings(typer, document.get("tls_server_config"))
    headers = _headers(typer, document.get("http_server_config"))
    users = _users(typer, document.get("basic_auth_users"))
    rate_limit = _rate_limit(typer, document.get("rate_limit"))
    warnings = [
        f"basic_auth_users.{name}: cost {cost}, not {USUAL_COST}: the time a guess takes tells that this user exists"
        for name, hashed in users.items()
        if (cost := int(hashed[4:6])) != USUAL_COST
    ]
    tls, files = None, [file]
    if settings is not None:
        try:
            tls, of_tls, warned = make_tls(settings, file.parent)
        except TlsConfigError as error:
            typer.note(f"tls_server_config.{error.key}", str(error))
        else:
            files += of_tls
            warnings += (f"tls_server_config.{each}" for each in warned)
    return WebConfig(
        tls=tls,
        users={name.encode(): hashed.encode() for name, hashed in users.items()},
        headers=headers,
        rate_limit=rate_limit,
        warnings=tuple(warnings),
        files=tuple(files),
        is_blank=is_blank,
        means_nobody=document.get("basic_auth_users") == {},
    )


def _tls_settings(typer: Validator, document: object) -> TlsServerConfig | None:
    if document is None:
        return None
    before = len(typer.problems)
    values = typer.struct(TlsServerConfig, document, "tls_server_config")
    for key, known in (("cipher_suites", CIPHERS), ("curve_preferences", CURVES)):
        for index, name in enumerate(values.get(key, ())):
            if name not in known:
                typer.note(f"tls_server_config.{key}[{index}]", f"unknown; known here: {', '.join(known)}")
    return None if len(typer.problems) > before else TlsServerConfig(**values)


def _headers(typer: Validator, document: object) -> dict[str, str]:
    place = "http_server_config"
    if document is None:
        return {}
    typer.struct(HttpServerConfig, document, place, skip=("headers",))
    headers = document.get("headers") if isinstance(document, dict) else None
    if not isinstance(headers, dict | None):
        typer.note(f"{place}.headers", "expected a mapping of headers to their values")
    headers = headers if isinstance(headers, dict) else {}
    typer.only_known(headers, list(_HEADERS), f"{place}.headers")
    read = {}
    for name in headers.keys() & _HEADERS.keys():
        at, values = f"{place}.headers.{name}", _HEADERS[name]
        value = "" if headers[name] is None else headers[name]
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)  # X-XSS-Protection: 1
        if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
            typer.note(at, "expected a text of plain characters on one line")
        elif values and value not in values:
            typer.note(at, f"expected {' or '.join(values)}")
        elif value:
            read[name] = value
    return read


def _users(typer: Validator, document: object) -> dict[str, str]:
    place = "basic_auth_users"
    if document is None:
        return {}
    if not isinstance(document, dict):
        typer.note(place, "expected a mapping of users to the bcrypt hashes of their passwords")
        return {}
    read = {}
    for user, hashed in document.items():
        name = str(user)
        found = _HASH.fullmatch(hashed) if isinstance(hashed, str) else None
        if not isinstance(user, str | int) or isinstance(user, bool):
            typer.note(f"{place}.{name}", "expected the name of a user; put it in quotes")
        elif ":" in name:
            typer.note(f"{place}.{name}", "has a colon, at which HTTP ends the name of a user")
        elif found is None or not 4 <= int(found[1]) <= 31:
            # Not shown: it may be the password itself.
            typer.note(f"{place}.{name}", "is no bcrypt hash; make one with: htpasswd -nBC 10 ''")
        elif int(found[1]) > _MOST_COST:
            typer.note(
                f"{place}.{name}",
                f"has a cost of {int(found[1])}, at which a guess takes a core for seconds; {_MOST_COST} is the most "
                f"and {USUAL_COST} the usual",
            )
        else:
            read[name] = found[0]
    return read


def _rate_limit(typer: Validator, document: object) -> RateLimit | None:
    if document is None or (isinstance(document, dict) and document.get("interval") in (None, 0, "0", "0s")):
        typer.only_known(document or {}, list(RateLimit.__struct_fields__), "rate_limit")
        return None
    values = typer.struct(RateLimit, document, "rate_limit")
    if values.get("burst", 1) < 1:
        typer.note("rate_limit.burst", "expected 1 or more, or nothing would be answered")
    return None if typer.problems else RateLimit(**values)
