"""The account that environment variables define, as in a container, if there is no configuration file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from .load import ConfigError, load_config, make_config
from .model import Config
from .validator import ConfigProblem

DEFAULT_CONFIG = Path("/etc/cln-monitor/cln-monitor.yml")

LOGIN = "CLN_LOGIN"
SECRET_KEY = "CLN_SECRET_KEY"  # noqa: S105 # the name of a variable
ACCOUNT = "CLN_ACCOUNT"
API_URL = "CLN_API_URL"
ENVIRONMENT = "environment"
"""What such a configuration is called in messages, in place of the name of a file."""

_DEFAULT_ACCOUNT = "default"
_VARIABLES = {"login_env": LOGIN, "secret_key_env": SECRET_KEY, "name": ACCOUNT, "api_url": API_URL}


def value_of(variable: str) -> str | None:
    """Return the value of an environment ``variable`` without surrounding whitespace, or None if it has none."""
    return os.environ.get(variable, "").strip() or None


def account_of_environment() -> dict[str, Any]:
    """Return the name and login of the account that the environment defines, as fields of a configuration file."""
    return {"name": value_of(ACCOUNT) or _DEFAULT_ACCOUNT, "login_env": LOGIN}


def load_file_or_environment(file: Path | None = None, *, guard_secrets: bool = False) -> Config:
    """Return the configuration in ``file``, else in the default file if it exists, else in the environment.

    ``guard_secrets``: see ``load_config``. Raises ConfigError.
    """
    if file is None and not is_there(DEFAULT_CONFIG):
        return _from_environment()
    return load_config(file or DEFAULT_CONFIG, guard_secrets=guard_secrets)


def is_there(file: Path) -> bool:
    """Return whether ``file`` exists; an inaccessible one counts, because reading it reports what is wrong."""
    try:
        file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def _from_environment() -> Config:
    missing = [variable for variable in (LOGIN, SECRET_KEY) if value_of(variable) is None]
    if len(missing) == 2:
        ways = "create it, use --config.file, or set the environment variables CLN_LOGIN and CLN_SECRET_KEY"
        raise ConfigError(str(DEFAULT_CONFIG), [ConfigProblem("", f"does not exist; {ways}")])
    if missing:
        state = "is empty" if missing[0] in os.environ else "is not set"
        text = f"{state}; set both CLN_LOGIN and CLN_SECRET_KEY, or use --config.file"
        raise ConfigError(ENVIRONMENT, [ConfigProblem(missing[0], text)])
    document: dict[str, Any] = {"accounts": [account_of_environment() | {"secret_key_env": SECRET_KEY}]}
    if api_url := value_of(API_URL):
        document["api_url"] = api_url
    try:
        config = make_config(document, Path.cwd())
    except ConfigError as error:
        raise ConfigError(ENVIRONMENT, [_of_variable(problem) for problem in error.problems]) from None
    return msgspec.structs.replace(config, from_environment=True)


def _of_variable(problem: ConfigProblem) -> ConfigProblem:
    """Return a problem of a field as that of the variable that sets it."""
    variable = _VARIABLES[problem.place.removeprefix("accounts[0].")]
    text = problem.text.removeprefix(f"{variable} ")
    return ConfigProblem(variable, text)


def in_variables(text: str) -> str:
    """Return the ``text`` of a warning or an error about such a configuration with variables in place of fields."""
    for field, variable in _VARIABLES.items():
        text = text.replace(f"accounts[0].{field}:", f"{variable}:")
    return text
