"""Reads a configuration file: strictly, and with an error that names the place for whatever is wrong in it."""

from __future__ import annotations

import math
import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from cln_monitor.cln import (
    Secret,
    problem_of_api_url,
    problem_of_proxy,
    problem_of_secret,
    suspicion_of_secret,
    trusting,
)
from cln_monitor.probes import PROBES, Duration, Probe, ProbeSettings

from .exposed_secrets import exposed_secrets
from .model import SECRET_NAMES, AccountConfig, Config, ConfigFile, SecretName, secret_fields
from .secrets import EmptySecretError, expand
from .validator import ConfigProblem, Validator, at

T = TypeVar("T")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LICENCE_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")


class ConfigError(Exception):
    """A configuration that cannot be used; ``problems`` has a line for each thing that is wrong with it."""

    def __init__(self, file: str, problems: list[ConfigProblem]) -> None:
        super().__init__("\n".join(_on_one_line(f"{file}: {problem}") for problem in problems))
        self.problems = problems


def _on_one_line(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


def load_config(file: Path, *, with_secrets: bool = True, guard_secrets: bool = False) -> Config:
    """Return the configuration in ``file``, all its secrets read once unless not wanted. Raises ConfigError.

    ``guard_secrets``: files of secrets that all users of the machine can read are refused, unless it allows them.
    """
    text = _text(file)
    try:
        config = msgspec.structs.replace(parse_config(text, file.parent, with_secrets=with_secrets), file=file)
    except ConfigError as error:
        raise ConfigError(str(file), error.problems) from None
    if guard_secrets and not config.allow_world_readable_secrets:
        exposed = [each for each in exposed_secrets(config) if each.path != file.absolute()]
        if exposed:
            or_allow = ", or set allow_world_readable_secrets: true"
            raise ConfigError(str(file), [ConfigProblem("", f"{each}{or_allow}") for each in exposed])
    return config


def read_yaml(file: Path) -> object:
    """Return the YAML document in a configuration file, as plain values. Raises ConfigError."""
    return _document(_text(file), str(file))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")  # each time anew, whatever it is: a reload may find another
    except OSError as error:
        missing = "; create it, or name another file" if isinstance(error, FileNotFoundError) else ""
        text = f"cannot be read: {error.strerror}{missing}{_right_to_read(error)}"
        raise ConfigError(str(file), [ConfigProblem("", text)]) from None
    except UnicodeDecodeError:
        raise ConfigError(str(file), [ConfigProblem("", "is not UTF-8 text")]) from None


def parse_config(text: str, base: Path, *, with_secrets: bool = True) -> Config:
    """Return the configuration in the YAML ``text``; relative file names start from ``base``. Raises ConfigError."""
    return make_config(_document(text), base, with_secrets=with_secrets)


def _document(text: str, name: str = "") -> object:
    from .yaml_loader import YamlError, read_document  # noqa: PLC0415 # a check that is given options pays for no YAML

    try:
        return read_document(text)
    except YamlError as error:
        raise ConfigError(name, [error.problem]) from None


def make_config(document: object, base: Path, *, with_secrets: bool = True) -> Config:
    """Return the configuration in a ``document`` as YAML has it, of plain values. Raises ConfigError."""
    validator = Validator()
    config = _config(validator, {} if document is None else document, base, with_secrets=with_secrets)
    if validator.problems or config is None:
        raise ConfigError("", validator.problems)
    return config


def _config(validator: Validator, document: object, base: Path, *, with_secrets: bool) -> Config | None:
    top = validator.struct(ConfigFile, document, "", leave=("probes", "accounts"))
    if not isinstance(document, dict):
        return None
    _check_top(validator, top)
    defaults = _probe_values(validator, document.get("probes"), "probes")
    accounts = document.get("accounts")
    if not isinstance(accounts, list) or not accounts:
        validator.note("accounts", "at least one account has to be listed here, with its name, login and secret key")
        return None
    read = [_account(validator, account, defaults, f"accounts[{index}]") for index, account in enumerate(accounts)]
    if validator.problems:
        return None
    config = Config(**top, probes=_probes(defaults), accounts=[account for account in read if account], base=base)
    _check_accounts(validator, config, with_secrets=with_secrets)
    return config


_ProbeValues = dict[str, dict[str, Any]]


def _account(validator: Validator, account: object, defaults: _ProbeValues, place: str) -> AccountConfig | None:
    values = validator.struct(AccountConfig, account, place, leave=("probes",))
    if values.get("api_url"):
        values["api_url"] = _api_url(validator, values["api_url"], at(place, "api_url"))
    own = _probe_values(validator, account.get("probes") if isinstance(account, dict) else None, at(place, "probes"))
    if validator.problems:
        return None
    return AccountConfig(**values, probes=_probes({name: defaults[name] | own[name] for name in PROBES}))


def _probe_values(validator: Validator, document: object, place: str) -> _ProbeValues:
    """Return the values that ``document`` sets of each probe."""
    if not isinstance(document, dict | None):
        validator.note(place, "expected a mapping of the probes to their settings")
    document = document if isinstance(document, dict) else {}
    validator.only_known(document, list(PROBES), place)
    return {name: _settings(validator, probe, document.get(name), at(place, name)) for name, probe in PROBES.items()}


def _settings(validator: Validator, probe: Probe[Any], document: object, place: str) -> dict[str, Any]:
    values = validator.struct(probe.settings, {} if document is None else document, place)
    if not validator.problems:
        for field, text in probe.settings(**values).problems():
            validator.note(at(place, field), text)
    return values


def _probes(values: _ProbeValues) -> dict[str, ProbeSettings]:
    return {name: _with_room_for_age(probe.settings(**values[name]), values[name]) for name, probe in PROBES.items()}


def _with_room_for_age(settings: ProbeSettings, values: dict[str, Any]) -> ProbeSettings:
    """Let data live for two polls where only the interval was set: else they would vanish between polls."""
    if "max_age" in values or settings.max_age >= 2 * settings.interval:
        return settings
    return msgspec.structs.replace(settings, max_age=Duration(2 * settings.interval))


def _check_top(validator: Validator, top: dict[str, Any]) -> None:
    if not 1 <= top.get("concurrency", 1) <= 256:
        validator.note("concurrency", "expected a number of calls from 1 to 256")
    if not 0 <= top.get("requests_per_second", 0) < math.inf:
        validator.note("requests_per_second", "expected a number above 0, or 0 for no limit")
    if top.get("max_server_series", 0) < 0:
        validator.note("max_server_series", "expected a number of series, 0 or more")
    if "api_url" in top:
        top["api_url"] = _api_url(validator, top["api_url"], "api_url")
    if (proxy := top.get("proxy")) and (problem := problem_of_proxy(proxy.reveal())):
        validator.note("proxy", problem)


def _api_url(validator: Validator, url: str, place: str) -> str:
    if problem := problem_of_api_url(url):
        validator.note(place, problem)
    return url.rstrip("/")


def _check_accounts(validator: Validator, config: Config, *, with_secrets: bool) -> None:
    first: dict[str, int] = {}
    for index, account in enumerate(config.accounts):
        place = f"accounts[{index}]"
        if not _NAME.fullmatch(account.name):
            validator.note(at(place, "name"), "expected 1 to 64 letters, digits, dots, dashes and underscores")
        if first.setdefault(account.name, index) != index:
            validator.note(at(place, "name"), f"{account.name} is the name of accounts[{first[account.name]}] already")
        if not account.login.reveal().strip():
            validator.note(at(place, "login"), "is empty; expected the login of the CLN account")
        elif problem := problem_of_secret(account.login.reveal(), ascii_only=False):
            validator.note(at(place, "login"), problem)
        if with_secrets:
            _check_secrets(validator, config, account, place)
    if ca_file := config.tls_config.ca_file:
        _check_readable(
            validator,
            "tls_config.ca_file",
            ca_file,
            lambda: _read_certificates(expand(ca_file, config.base)),
            goal="certificates",
            base=config.base,
        )


def _check_secrets(validator: Validator, config: Config, account: AccountConfig, place: str) -> None:
    for name in SECRET_NAMES:
        _check_secret(validator, config, account, name, place)
    _check_monitoring_keys(validator, config, account, place)


def _read_certificates(file: Path) -> None:
    try:
        trusting(file)
    except ssl.SSLError:
        raise ValueError("holds no certificates; expected a bundle in PEM") from None


def _check_secret(validator: Validator, config: Config, account: AccountConfig, name: SecretName, place: str) -> None:
    trio = secret_fields(name)
    given = [field for field in trio if getattr(account, field) is not None]
    if len(given) > 1:
        validator.note(at(place, given[1]), f"{given[0]} is set too; one of {', '.join(trio)} is enough")
    elif not given and name == "secret_key":
        validator.note(at(place, "secret_key_file"), f"is missing; one of {', '.join(trio)} has to be set")
    elif given:
        base = config.base if given[0] == trio[0] else None
        what, read = getattr(account, given[0]), config.secret_of(account, name)
        _check_readable(validator, at(place, given[0]), what, read, goal=name.replace("_", " "), base=base)


def _check_monitoring_keys(validator: Validator, config: Config, account: AccountConfig, place: str) -> None:
    field = "monitoring_keys_file" if account.monitoring_keys_file else "monitoring_keys"
    if account.monitoring_keys_file and account.monitoring_keys:
        validator.note(at(place, "monitoring_keys"), "monitoring_keys_file is set too; one of them is enough")
    what, read = account.monitoring_keys_file or None, config.monitoring_keys_of(account)
    keys = _check_readable(validator, at(place, field), what, read, goal="monitoring keys", base=config.base)
    for index, key in enumerate(keys or ()):
        if not _LICENCE_KEY.fullmatch(key.reveal()):
            odd = suspicion_of_secret(key.reveal())
            expected = "expected a key of 16 to 64 letters, digits, dashes, underscores"
            validator.note(f"{at(place, field)}[{index}]", f"{expected}; it {odd}" if odd else expected)


def _check_readable(
    validator: Validator, place: str, what: object, read: Callable[[], T], *, goal: str, base: Path | None = None
) -> T | None:
    """Return what ``read`` gives, or note why it gives nothing and what is to be put there, ``goal``.

    ``what`` is the name of a variable, or that of a file where there is a folder ``base``.
    """
    named = f"{what} " if isinstance(what, str) else ""
    relative = ""
    if base is not None and isinstance(what, str):
        if not what or "\0" in what:
            validator.note(place, "expected the name of a file")
            return None
        path = _whole(what, base)
        named = f"{path} "
        if path == base.absolute() / what and not Path(what).is_absolute():
            relative = f"; relative names start from {base.absolute()}"
    try:
        value = read()
        if isinstance(value, Secret) and not value.reveal().strip():
            raise EmptySecretError("is empty")  # noqa: TRY301 # as when its file is
    except OSError as error:
        validator.note(place, f"cannot read {named}({error.strerror}){_right_to_read(error) or relative}")
    except UnicodeDecodeError:
        validator.note(place, f"{named}is not UTF-8 text")
    except EmptySecretError as error:
        validator.note(place, f"{named}{error}; put the {goal} there")
    except ValueError as error:
        validator.note(place, f"{named}{error}")
    else:
        return value
    return None


def _whole(name: str, base: Path) -> Path:
    try:
        return expand(name, base).absolute()
    except ValueError:  # which the reading of it tells
        return Path(name)


def _right_to_read(error: OSError) -> str:
    return "; let the user who runs this read it" if isinstance(error, PermissionError) else ""
