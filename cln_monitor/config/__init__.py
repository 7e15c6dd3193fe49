"""The configuration: typed, strict, with errors that name the place."""

from .clients import ClientFactory
from .dump import show_config
from .exposure import Exposed, is_world_readable
from .load import ConfigError, load_config, make_config, parse_config, read_text
from .model import AccountConfig, Config
from .secrets import expand
from .selection import AccountSelection, SelectionError
from .validator import ConfigProblem, Validator
from .warn import warnings_of
from .yaml_loader import YamlError, read_document

__all__ = [
    "AccountConfig",
    "AccountSelection",
    "ClientFactory",
    "Config",
    "ConfigError",
    "ConfigProblem",
    "Exposed",
    "SelectionError",
    "Validator",
    "YamlError",
    "expand",
    "is_world_readable",
    "load_config",
    "make_config",
    "parse_config",
    "read_document",
    "read_text",
    "show_config",
    "warnings_of",
]
