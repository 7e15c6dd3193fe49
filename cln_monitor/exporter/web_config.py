"""The file of ``--web.config.file``: TLS, users and headers, in the format that all exporters of Prometheus take."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec
import structlog

from cln_monitor.cln import Secret
from cln_monitor.config import ConfigError
from cln_monitor.config.document import NotYaml, read_document
from cln_monitor.config.load import read_text
from cln_monitor.config.typed import Problem, Typer
from cln_monitor.probes import Duration

from .passwords import USUAL_COST
from .tls import CIPHERS, CURVES, Tls, TlsProblem, make_tls

_log = structlog.get_logger(__name__)

Version = Literal["TLS10", "TLS11", "TLS12", "TLS13"]


class TlsServerConfig(msgspec.Struct, frozen=True):
    """The section ``tls_server_config``; an empty text is as good as none."""

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
    """The section ``http_server_config``. ``http2`` changes nothing: HTTP/1.1 is what we speak."""

    http2: bool = True
    headers: dict[str, str] = {}


class RateLimit(msgspec.Struct, frozen=True):
    """The section ``rate_limit``: ``burst`` requests at once, and one more each ``interval``."""

    burst: int
    interval: Duration


class WebConfigFile(msgspec.Struct, frozen=True):
    """The whole file."""

    tls_server_config: TlsServerConfig = TlsServerConfig()
    http_server_config: HttpServerConfig = HttpServerConfig()
    basic_auth_users: dict[str, Secret] = {}
    rate_limit: RateLimit | None = None


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
    try:
        document = read_document(read_text(file))
    except NotYaml as error:
        raise ConfigError(str(file), [error.problem]) from None
    if _has_surrogates(document):
        raise ConfigError(str(file), [Problem("", "has half a character of UTF-16 in it, which is none")])
    typer = Typer()
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


def _config(typer: Typer, document: object, file: Path, *, is_blank: bool) -> WebConfig | None:
    typer.struct(
        WebConfigFile, document, "", leave=("tls_server_config", "http_server_config", "basic_auth_users", "rate_limit")
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
        except TlsProblem as error:
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


def _tls_settings(typer: Typer, document: object) -> TlsServerConfig | None:
    if document is None:
        return None
    before = len(typer.problems)
    values = typer.struct(TlsServerConfig, document, "tls_server_config")
    for key, known in (("cipher_suites", CIPHERS), ("curve_preferences", CURVES)):
        for index, name in enumerate(values.get(key, ())):
            if name not in known:
                typer.note(f"tls_server_config.{key}[{index}]", f"unknown; known here: {', '.join(known)}")
    return None if len(typer.problems) > before else TlsServerConfig(**values)


def _headers(typer: Typer, document: object) -> dict[str, str]:
    place = "http_server_config"
    if document is None:
        return {}
    typer.struct(HttpServerConfig, document, place, leave=("headers",))
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


def _users(typer: Typer, document: object) -> dict[str, str]:
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


def _rate_limit(typer: Typer, document: object) -> RateLimit | None:
    if document is None or (isinstance(document, dict) and document.get("interval") in (None, 0, "0", "0s")):
        typer.only_known(document or {}, list(RateLimit.__struct_fields__), "rate_limit")
        return None
    values = typer.struct(RateLimit, document, "rate_limit")
    if values.get("burst", 1) < 1:
        typer.note("rate_limit.burst", "expected 1 or more, or nothing would be answered")
    return None if typer.problems else RateLimit(**values)


_RETRY = 5.0
"""Seconds after which a file that is not good is read again, though it has not changed: another file may have."""


class WatchedWebConfig:
    """The web configuration in use: that of ``file`` as it now is, or as it was when it was last good.

    To call it gives it. Each call looks whether a file has changed, so a change holds from the next request on.
    ``reloaded`` is told how each reading went.
    """

    def __init__(
        self, file: Path, reloaded: Callable[[bool], object], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._file, self._reloaded, self._clock = file, reloaded, clock
        self._error: str | None = None
        self._read_at = clock()
        self._seen = _state_of((file,))
        self._used = load_web_config(file)
        self._seen = _state_of(self._used.files)
        self._warn()

    def __call__(self) -> WebConfig:
        seen = _state_of(self._used.files)
        if seen != self._seen or (self._error is not None and self._clock() - self._read_at >= _RETRY):
            self._read(seen)
        return self._used

    def _read(self, seen: _State) -> None:
        self._seen, self._read_at = seen, self._clock()
        try:
            read = load_web_config(self._file)
            self._refuse_surprises(read)
        except Exception as error:  # noqa: BLE001 # whatever it is, raised here it would end all connections
            if str(error) != self._error:
                told = str(error) if isinstance(error, ConfigError) else f"an error of ours: {type(error).__name__}"
                _log.error("web configuration not reloaded, the one in use stays", error=told)
            self._error = str(error)
            self._reloaded(False)
            return
        if read.files != self._used.files:
            self._seen = _state_of(read.files)
        self._used, self._error = read, None
        self._reloaded(True)
        _log.info("web configuration reloaded", tls=read.tls is not None, users=len(read.users))
        self._warn()

    def _refuse_surprises(self, read: WebConfig) -> None:
        """Raise ConfigError where ``read`` lets in more than what is in use, or takes what a restart takes.

        A file that an editor or a script writes piece by piece is valid after some of the pieces, and would open the
        exporter to everybody; the rest might never come.
        """
        before, now = self._used.tls, read.tls
        problem = None
        if read.is_blank:
            problem = "is empty; write basic_auth_users: {} to mean that"
        elif (now is None) != (before is None):
            problem = f"tls_server_config: turns TLS {'off' if now is None else 'on'}, which takes a restart"
        elif self._used.users and not read.users and not read.means_nobody:
            problem = "basic_auth_users: are gone; write basic_auth_users: {} to mean that, or restart"
        elif before is not None and now is not None and now.asks_less_than(before):
            problem = "tls_server_config: takes clients that it did not take before, which takes a restart"
        elif self._used.rate_limit is not None and read.rate_limit is None:
            problem = "rate_limit: is gone, which takes a restart"
        if problem is not None:
            raise ConfigError(str(self._file), [Problem("", problem)])

    def _warn(self) -> None:
        for warning in self._used.warnings:
            _log.warning("web configuration allows something unusual", warning=warning)


_State = list[tuple[int, ...] | None]


def _state_of(files: tuple[Path, ...]) -> _State:
    """Return what changes when one of ``files`` does."""
    states: _State = []
    for file in files:
        try:
            state = file.stat()
        except OSError:
            states.append(None)
        else:
            states.append((state.st_mtime_ns, state.st_ctime_ns, state.st_size, state.st_ino))
    return states
