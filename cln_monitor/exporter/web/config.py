"""The file of ``--web.config.file``: TLS, users, and headers, in the format of the Prometheus exporter-toolkit."""

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
    """The settings of a web configuration file; by default none. ``files`` are the files it was read from."""

    tls: Tls | None = None
    users: Mapping[bytes, bytes] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    rate_limit: RateLimit | None = None
    warnings: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    is_blank: bool = False
    disables_auth: bool = False
    """Whether it has ``basic_auth_users: {}``, so that no client needs a password."""


_HEADERS: dict[str, tuple[str, ...]] = {
    "Content-Security-Policy": (),
    "Strict-Transport-Security": (),
    "X-Content-Type-Options": ("nosniff",),
    "X-Frame-Options": ("deny", "sameorigin"),
    "X-XSS-Protection": (),
}
"""The headers that can be set, with their allowed values; an empty tuple allows any value."""

_HASH = re.compile(r"\$2[abxy]\$(\d\d)\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}", re.ASCII)
_HEADER_VALUE = re.compile(r"[\x20-\x7e]*")
_MAX_COST = 14  # a first login takes a second or two


def load_web_config(file: Path) -> WebConfig:
    """Return the settings of ``file``, including its certificates. Raises ConfigError with a line for each problem."""
    document = read_yaml(file)
    if _has_surrogates(document):
        problem = "contains an unpaired UTF-16 surrogate, which is not a valid character"
        raise ConfigError(str(file), [ConfigProblem("", problem)])
    validator = Validator()
    config = _config(validator, {} if document is None else document, file, is_blank=document is None)
    if config is None or validator.problems:
        raise ConfigError(str(file), validator.problems)
    return config


def _has_surrogates(value: object) -> bool:
    """Return whether a string in ``value`` has an unpaired surrogate, which YAML can contain as an escape."""
    if isinstance(value, dict):
        return any(map(_has_surrogates, (*value, *value.values())))
    if isinstance(value, list):
        return any(map(_has_surrogates, value))
    return isinstance(value, str) and re.search("[\ud800-\udfff]", value) is not None


def _config(validator: Validator, document: object, file: Path, *, is_blank: bool) -> WebConfig | None:
    validator.struct(
        WebConfigFile, document, "", skip=("tls_server_config", "http_server_config", "basic_auth_users", "rate_limit")
    )
    if not isinstance(document, dict):
        return None
    settings = _tls_settings(validator, document.get("tls_server_config"))
    headers = _headers(validator, document.get("http_server_config"))
    users = _users(validator, document.get("basic_auth_users"))
    rate_limit = _rate_limit(validator, document.get("rate_limit"))
    warnings = [
        f"basic_auth_users.{name}: cost {cost}, not {USUAL_COST}: response times reveal that this user exists"
        for name, hashed in users.items()
        if (cost := int(hashed[4:6])) != USUAL_COST
    ]
    tls, files = None, [file]
    if settings is not None:
        try:
            tls, tls_files, tls_warnings = make_tls(settings, file.parent)
        except TlsConfigError as error:
            validator.note(f"tls_server_config.{error.key}", str(error))
        else:
            files += tls_files
            warnings += (f"tls_server_config.{warning}" for warning in tls_warnings)
    return WebConfig(
        tls=tls,
        users={name.encode(): hashed.encode() for name, hashed in users.items()},
        headers=headers,
        rate_limit=rate_limit,
        warnings=tuple(warnings),
        files=tuple(files),
        is_blank=is_blank,
        disables_auth=document.get("basic_auth_users") == {},
    )


def _tls_settings(validator: Validator, document: object) -> TlsServerConfig | None:
    if document is None:
        return None
    before = len(validator.problems)
    values = validator.struct(TlsServerConfig, document, "tls_server_config")
    for key, known in (("cipher_suites", CIPHERS), ("curve_preferences", CURVES)):
        for index, name in enumerate(values.get(key, ())):
            if name not in known:
                validator.note(
                    f"tls_server_config.{key}[{index}]", f"unknown value; expected one of: {', '.join(known)}"
                )
    return None if len(validator.problems) > before else TlsServerConfig(**values)


def _headers(validator: Validator, document: object) -> dict[str, str]:
    place = "http_server_config"
    if document is None:
        return {}
    validator.struct(HttpServerConfig, document, place, skip=("headers",))
    headers = document.get("headers") if isinstance(document, dict) else None
    if not isinstance(headers, dict | None):
        validator.note(f"{place}.headers", "expected a mapping of header names to values")
    headers = headers if isinstance(headers, dict) else {}
    validator.only_known(headers, list(_HEADERS), f"{place}.headers")
    read = {}
    for name in headers.keys() & _HEADERS.keys():
        at, values = f"{place}.headers.{name}", _HEADERS[name]
        value = "" if headers[name] is None else headers[name]
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)  # X-XSS-Protection: 1
        if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
            validator.note(at, "expected printable ASCII characters on one line")
        elif values and value not in values:
            validator.note(at, f"expected {' or '.join(values)}")
        elif value:
            read[name] = value
    return read


def _users(validator: Validator, document: object) -> dict[str, str]:
    place = "basic_auth_users"
    if document is None:
        return {}
    if not isinstance(document, dict):
        validator.note(place, "expected a mapping of user names to bcrypt hashes of their passwords")
        return {}
    read = {}
    for user, hashed in document.items():
        name = str(user)
        found = _HASH.fullmatch(hashed) if isinstance(hashed, str) else None
        if not isinstance(user, str | int) or isinstance(user, bool):
            validator.note(f"{place}.{name}", "expected a user name; put it in quotes")
        elif ":" in name:
            validator.note(f"{place}.{name}", "a user name of HTTP basic authentication cannot contain a colon")
        elif found is None or not 4 <= int(found[1]) <= 31:
            # The value is not shown: it may be the password itself.
            validator.note(f"{place}.{name}", "not a bcrypt hash; create one with: htpasswd -nBC 10 ''")
        elif int(found[1]) > _MAX_COST:
            validator.note(
                f"{place}.{name}",
                f"cost {int(found[1])} is too high: each login attempt would take seconds of CPU time; the maximum "
                f"is {_MAX_COST}, {USUAL_COST} is usual",
            )
        else:
            read[name] = found[0]
    return read


def _rate_limit(validator: Validator, document: object) -> RateLimit | None:
    if document is None or (isinstance(document, dict) and document.get("interval") in (None, 0, "0", "0s")):
        validator.only_known(document or {}, list(RateLimit.__struct_fields__), "rate_limit")
        return None
    values = validator.struct(RateLimit, document, "rate_limit")
    if values.get("burst", 1) < 1:
        validator.note("rate_limit.burst", "expected 1 or more; with 0 every request would be rejected")
    return None if validator.problems else RateLimit(**values)
