"""The configuration: typed, strict, with errors that name the place."""

from .chosen import Choice, NotChosen
from .durations import format_duration, parse_duration
from .load import ConfigError, load_config, make_config, parse_config
from .model import AccountConfig, Config
from .show import show_config
from .source import Sources
from .warn import warnings_of

__all__ = [
    "AccountConfig",
    "Choice",
    "Config",
    "ConfigError",
    "NotChosen",
    "Sources",
    "format_duration",
    "load_config",
    "make_config",
    "parse_config",
    "parse_duration",
    "show_config",
    "warnings_of",
]
