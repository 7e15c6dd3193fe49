"""The configuration: typed, strict, with errors that name the place."""

from .clients import ClientFactory
from .dump import show_config
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
    "load_config",
    "make_config",
    "parse_config",
    "show_config",
    "warnings_of",
]
