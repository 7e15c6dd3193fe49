"""The JSON schema of the configuration file, for editors and for checks in a repository of configurations.

It is generated from the types of the configuration. Errors that a schema cannot express, such as a missing file or a
duplicate name, are found only by ``clntool check config``.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from itertools import chain, combinations
from typing import Any, Literal

import msgspec

from cln_monitor.cln import Secret
from cln_monitor.durations import format_duration
from cln_monitor.probes import ALL_PROBES, Duration, Shard
from cln_monitor.source_kinds import ACCOUNT, SOURCE_KINDS

from . import schema_texts as texts
from .model import (
    LOGIN_FIELDS,
    SECRET_NAMES,
    AccountConfig,
    ConfigFile,
    EportalConfig,
    PatchesConfig,
    TlsConfig,
    secret_fields,
)

Schema = dict[str, Any]

DRAFT = "http://json-schema.org/draft-07/schema#"
"""The newest draft that every editor supports."""

# In some languages, "$" also matches before a line break at the end.
_END = r"(?![\s\S])"
_DURATION = rf"^(?=.*[1-9])((\d{{1,12}}(\.\d{{1,9}})?|\.\d{{1,9}})(ms|[smhdw]))+{_END}"
_INTERVAL = _DURATION.replace("^", r"^(?=.*(\d\.?(s|m(?!s)|h|d|w)|\d{4}ms))", 1)
_CONTROL = r"\u0000-\u001f\u007f-\u009f"
_LABEL = rf"[^{_CONTROL}\ud800-\udfff\s/?#@:\[\]\\.]{{1,63}}"
_PORT = r"0*([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])"
_HOST = rf"({_LABEL}(\.{_LABEL})*\.?|\[[0-9A-Fa-f:.]+\])(:({_PORT})?)?"
_API_URL = rf"^[hH][tT][tT][pP][sS]?://{_HOST}(/[^{_CONTROL}\s?#@]*)?{_END}"
_PROXY = rf"^[hH][tT][tT][pP][sS]?://([^{_CONTROL}\s/?#]*@)?{_HOST}([/?#][^{_CONTROL}\s]*)?{_END}"
_ON_ONE_LINE = rf"^(?=.*\S)[^{_CONTROL}]+{_END}"
_FILE_NAME = rf"^[^\u0000]+{_END}"

_LIMITS: dict[str, Schema] = {
    "api_url": {"pattern": _API_URL},
    "concurrency": {"minimum": 1, "maximum": 256},
    "requests_per_second": {"minimum": 0, "maximum": 1.7976931348623157e308},  # the largest number: .inf is refused
    "proxy": {"pattern": _PROXY},
    "max_server_series": {"minimum": 0},
    "interval": {"pattern": _INTERVAL},
    "scopes": {"minItems": 1},
    "products": {"minItems": 1},
    "name": {"pattern": rf"^[A-Za-z0-9][A-Za-z0-9._-]{{0,63}}{_END}"},
    "login": {"pattern": _ON_ONE_LINE},
    "secret_key": {"pattern": rf"^ *[!-~][ -~]*{_END}"},
    "registration_token": {"pattern": _ON_ONE_LINE},
    "ca_file": {"pattern": _FILE_NAME},
    "secret_key_file": {"pattern": _FILE_NAME},
    "registration_token_file": {"pattern": _FILE_NAME},
    "api_key_file": {"pattern": _FILE_NAME},
    "username": {"pattern": rf"^(?=.*\S)[^{_CONTROL}:]+{_END}"},
    "password_file": {"pattern": _FILE_NAME},
}
"""Restrictions of a key in addition to its type, by name."""
_ITEM_LIMITS: dict[str, Schema] = {
    "monitoring_keys": {"pattern": rf"^[A-Za-z0-9_-]{{16,64}}{_END}"},
    "cves": {"pattern": rf"^\s*[cC][vV][eE]-[0-9]{{4}}-[0-9]{{4,19}}\s*{_END}"},
}

_LEAVES: dict[Any, Schema] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    Secret: {"type": "string"},
    Duration: {"type": "string", "pattern": _DURATION},
    Shard: {"type": "string", "pattern": rf"^\d{{1,4}}/0*([1-9]\d{{0,2}}|1000){_END}"},
}


def make_schema() -> Schema:
    """Return the JSON schema of a configuration file, as plain values."""
    probes = {name: _struct(probe.settings, texts.PROBE) for name, probe in ALL_PROBES.items()}
    for name, settings in probes.items():
        settings |= {"type": ["object", "null"], "description": texts.PROBES[name]}
    top = _struct(ConfigFile, texts.TOP)
    properties = top["properties"]
    properties["tls_config"] |= _struct(TlsConfig, texts.TLS)
    properties["patches"] |= _struct(PatchesConfig, texts.PATCHES) | {"type": ["object", "null"]}
    properties["patches"]["properties"]["url"] |= {"pattern": _API_URL}
    # A list whose entries are comments is null.
    properties["accounts"] |= {"type": ["array", "null"], "items": _account()}
    properties["eportals"] |= {"type": ["array", "null"], "items": _eportal()}
    for owner, names in ((top, ALL_PROBES), (properties["accounts"]["items"], ACCOUNT.probes)):
        owner["properties"]["probes"] = {
            "type": ["object", "null"],
            "description": owner["properties"]["probes"]["description"],
            "additionalProperties": False,
            "properties": {name: {"$ref": f"#/definitions/{name}"} for name in names},
        }
    is_any = [
        {"required": [kind.field], "properties": {kind.field: {"type": "array", "minItems": 1}}}
        for kind in SOURCE_KINDS
    ]
    return {"$schema": DRAFT, "title": "Configuration of cln-monitor", **top, "anyOf": is_any, "definitions": probes}


def _account() -> Schema:
    account = _struct(AccountConfig, texts.ACCOUNT)
    groups = [LOGIN_FIELDS, *(secret_fields(name) for name in SECRET_NAMES)]
    pairs = [pair for group in groups for pair in combinations(group, 2)]
    both = [{"required": [*pair], "properties": {name: {"type": "string"} for name in pair}} for pair in pairs]
    keys: Schema = {
        "required": ["monitoring_keys_file", "monitoring_keys"],
        "properties": {"monitoring_keys_file": {"type": "string", "minLength": 1}, "monitoring_keys": {"minItems": 1}},
    }
    needed = [{"anyOf": [_is_set(name) for name in group]} for group in (LOGIN_FIELDS, secret_fields("secret_key"))]
    # An account of monitoring keys alone.
    without_login = {
        "properties": {name: {"type": "null"} for name in chain.from_iterable(groups)},
        "anyOf": [{"required": [name], "properties": {name: limit}} for name, limit in keys["properties"].items()],
    }
    return account | {"anyOf": [{"allOf": needed}, without_login], "not": {"anyOf": [*both, keys]}}


def _eportal() -> Schema:
    eportal = _struct(EportalConfig, texts.EPORTAL)
    eportal["properties"]["url"] |= {"pattern": _API_URL}
    login = ["username", "password_file"]
    without_key = {"properties": {"api_key_file": {"type": "null"}}, "allOf": [_is_set(name) for name in login]}
    without_login = {"properties": {name: {"type": "null"} for name in login}, "allOf": [_is_set("api_key_file")]}
    return eportal | {"anyOf": [without_key, without_login]}


def _is_set(field: str) -> Schema:
    return {"required": [field], "properties": {field: {"type": "string"}}}


def _struct(kind: type[msgspec.Struct], descriptions: Mapping[str, str]) -> Schema:
    """Return the schema of a mapping with the fields of ``kind``."""
    fields = msgspec.structs.fields(kind)
    required = [field.name for field in fields if field.required]
    return {
        "type": "object",
        "additionalProperties": False,
        **({"required": required} if required else {}),
        "properties": {field.name: {"description": descriptions[field.name]} | _field(field) for field in fields},
    }


def _field(field: msgspec.structs.FieldInfo) -> Schema:
    schema = _kind(field.type)
    if limits := _LIMITS.get(field.name):
        schema |= limits
    if limits := _ITEM_LIMITS.get(field.name):
        schema["items"] |= limits
    if isinstance(field.default, bool | int | float | str):
        is_duration = field.type is Duration and isinstance(field.default, float)
        schema["default"] = format_duration(float(field.default)) if is_duration else field.default
    return schema


def _kind(kind: Any) -> Schema:
    """Return the schema of a type, which accepts the same as ``Validator.value``."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in {typing.Union, types.UnionType}:
        schema = _kind(next(argument for argument in arguments if argument is not types.NoneType))
        return schema | {"type": [schema["type"], "null"]}
    if origin is Literal:
        return {"type": "string", "enum": list(arguments)}
    if origin is list:
        return {"type": "array", "items": _kind(arguments[0])}
    return dict(_LEAVES.get(kind, {"type": "object"}))
