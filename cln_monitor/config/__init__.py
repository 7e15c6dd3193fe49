"""The configuration: typed and strict, with errors that name the field."""

from typing import Any

from .advice import reason_disabled, reason_not_configured, warnings_of
from .clients import ClientFactory
from .dump import show_config
from .environment import DEFAULT_CONFIG, ENVIRONMENT, load_file_or_environment
from .exposed_secrets import Exposed, is_world_readable
from .load import ConfigError, load_config, make_config, parse_config, read_yaml
from .model import AccountConfig, Config, EportalConfig, Source
from .secrets import SecretFile, expand
from .selection import AccountSelection, SelectionError
from .validator import ConfigProblem, Validator

__all__ = [
    "DEFAULT_CONFIG",
    "ENVIRONMENT",
    "AccountConfig",
    "AccountSelection",
    "ClientFactory",
    "Config",
    "ConfigError",
    "ConfigProblem",
    "EportalConfig",
    "Exposed",
    "SecretFile",
    "SelectionError",
    "Source",
    "Validator",
    "config_schema",
    "expand",
    "is_world_readable",
    "load_config",
    "load_file_or_environment",
    "make_config",
    "parse_config",
    "read_yaml",
    "reason_disabled",
    "reason_not_configured",
    "show_config",
    "warnings_of",
]


def config_schema() -> dict[str, Any]:
    """Return the JSON schema of a configuration file, as plain values."""
    from .schema import make_schema  # noqa: PLC0415 # plugins start often and never need it

    return make_schema()
