"""Show the configuration in use as YAML, with every secret as ``<secret>``."""

from __future__ import annotations

import typing
from typing import Any

import msgspec

from cln_monitor.cln import PLACEHOLDER, Secret
from cln_monitor.durations import format_duration
from cln_monitor.probes import Duration, Shard

from .model import Config, ConfigFile


def show_config(config: Config) -> str:
    """Return ``config`` as the YAML of a configuration file, with all defaults and without secrets."""
    import yaml  # noqa: PLC0415 # a slow import that only this function needs

    return yaml.safe_dump(_fields(config, ConfigFile), sort_keys=False, allow_unicode=True)


def _fields(value: msgspec.Struct, kind: type[msgspec.Struct]) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {name: _plain(getattr(value, name), hints[name]) for name in kind.__struct_fields__}


def _plain(value: Any, kind: Any) -> Any:
    if kind is Duration:
        return format_duration(value)
    if isinstance(value, Secret):
        return PLACEHOLDER
    if isinstance(value, Shard):
        return str(value)
    if isinstance(value, msgspec.Struct):
        return _fields(value, type(value))
    if isinstance(value, list):
        return [_plain(item, None) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item, None) for name, item in value.items()}
    return value
