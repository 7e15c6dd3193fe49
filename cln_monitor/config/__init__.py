"""The configuration: typed, strict, with errors that name the place."""

from .clients import ClientFactory
from .dump import show_config
from .durations import format_duration, parse_duration
from .load import ConfigError, load_config, make_config, parse_config
from .model import AccountConfig, Config
from .selection import AccountSelection, SelectionError
from .warn import warnings_of

__all__ = [
    "AccountConfig",
    "AccountSelection",
    "ClientFactory",
    "Config",
    "ConfigError",
    "SelectionError",
    "format_duration",
    "load_config",
    "make_config",
    "parse_config",
    "parse_duration",
    "show_config",
    "warnings_of",
]
