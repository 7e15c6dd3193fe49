"""The settings of the connection to the exporter: its URL, TLS, and a user."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from cln_monitor.config import ConfigProblem, Exposed, SecretFile, Validator, expand, is_world_readable
from cln_monitor.text_cleaning import is_clean
from cln_monitor.urls import is_http_url

_FILES = ("ca_file", "cert_file", "key_file", "password_file")
_SECRETS = ("key_file", "password_file")
_NEEDS = {"username": "password_file", "password_file": "username", "cert_file": "key_file", "key_file": "cert_file"}
"""The field that each field needs."""


class ExporterSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The exporter to read: its URL, the TLS of the connection, and a user with a password in a file."""

    url: str
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    username: str | None = None
    password_file: str | None = None


def read_exporter(validator: Validator, value: object, file: Path, base: Path) -> ExporterSettings | None:
    """Return the settings in ``value``, a URL or a mapping, of the configuration ``file``; note what is wrong."""
    if value is None:
        validator.note("exporter", "is required; set the URL of cln-exporter, such as http://127.0.0.1:10099")
        return None
    is_url = isinstance(value, str)
    before = len(validator.problems)
    fields = validator.struct(ExporterSettings, {"url": value} if is_url else value, "exporter")
    if len(validator.problems) > before:
        return None
    _check_url(validator, fields["url"], "exporter" if is_url else "exporter.url", file)
    if len(validator.problems) == before:
        _check_fields(validator, fields, base)
    return ExporterSettings(**{**fields, "url": fields["url"].rstrip("/")})


def _check_url(validator: Validator, url: str, place: str, file: Path) -> None:
    if not is_http_url(url) or set("?#") & set(url):
        validator.note(place, "expected a URL such as http://127.0.0.1:10099")
    elif urlsplit(url).password and is_world_readable(file):
        note_exposed(validator, Exposed(place, file.absolute()))


def _check_fields(validator: Validator, fields: dict[str, Any], base: Path) -> None:
    """Note what is wrong with ``fields``, and make their file names absolute."""
    parts = urlsplit(fields["url"])
    if parts.username and fields.get("username"):
        validator.note("exporter.username", "the URL contains a user; use only one of them")
    user = fields.get("username")
    if user is not None and (not user or ":" in user or not is_clean(user)):
        validator.note("exporter.username", "expected a name without a colon or control characters")
    for one, other in _NEEDS.items():
        if one in fields and other not in fields:
            validator.note(f"exporter.{one}", f"needs {other}")
    for name in set(_FILES) & fields.keys():
        if name != "password_file" and parts.scheme != "https":
            validator.note(f"exporter.{name}", "needs an https URL")
        fields[name] = path_of(validator, fields[name], f"exporter.{name}", base)
    for name in _SECRETS:
        if name in fields and is_world_readable(Path(fields[name])):
            note_exposed(validator, Exposed(f"exporter.{name}", Path(fields[name])))


def path_of(validator: Validator, name: str, place: str, base: Path) -> str:
    """Return the absolute path of the file ``name`` in a configuration in the directory ``base``."""
    if not name or "\0" in name:
        validator.note(place, "expected a file name")
        return name
    try:
        return str(expand(name, base))
    except ValueError as error:
        validator.note(place, str(error))
        return name


def note_exposed(validator: Validator, exposed: Exposed) -> None:
    """Note a secret in a world-readable file."""
    validator.problems.append(ConfigProblem("", str(exposed)))


def tls_of(validator: Validator, exporter: ExporterSettings) -> ssl.SSLContext | None:
    """Return the TLS context for the exporter; None for Python's default."""
    if exporter.ca_file is None and exporter.cert_file is None:
        return None
    place, name = "exporter.ca_file", exporter.ca_file
    try:
        context = ssl.create_default_context(cafile=exporter.ca_file)
        if exporter.cert_file is not None:
            place, name = "exporter.cert_file", exporter.cert_file
            # An encrypted key must fail here, not ask for a passphrase on a terminal.
            context.load_cert_chain(exporter.cert_file, exporter.key_file, password="")
    except ssl.SSLError as error:
        text = "contains no usable certificate" if place.endswith("ca_file") else "does not fit key_file, or is no PEM"
        validator.note(place, f"{name} {text} ({error.reason or error})")
    except OSError as error:
        validator.note(place, f"{name} cannot be read: {error.strerror}")
    else:
        return context
    return None


def password_of(validator: Validator, exporter: ExporterSettings) -> SecretFile | None:
    """Return the source of the password, if there is one; note that it cannot be read."""
    if exporter.password_file is None:
        return None
    password = SecretFile(exporter.password_file, Path())
    try:
        password()
    except OSError as error:
        validator.note("exporter.password_file", f"{exporter.password_file} cannot be read: {error.strerror}")
    except ValueError as error:
        validator.note("exporter.password_file", f"{exporter.password_file} {error}")
    return password
