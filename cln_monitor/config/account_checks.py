"""Checks of the accounts of a configuration, and of the secrets and certificates that it names."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from cln_monitor.cln import Secret, ca_context, problem_of_secret, suspicion_of_secret

from .model import SECRET_NAMES, AccountConfig, Config, SecretName, secret_fields
from .secrets import EmptySecretError, expand
from .validator import Validator, at

T = TypeVar("T")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LICENSE_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")


def check_accounts(validator: Validator, config: Config, *, with_secrets: bool) -> None:
    """Note what is wrong with the accounts of ``config``; ``with_secrets``: also with what is to be read for them."""
    first: dict[str, int] = {}
    for index, account in enumerate(config.accounts):
        place = f"accounts[{index}]"
        check_name(validator, account.name, at(place, "name"))
        if first.setdefault(account.name, index) != index:
            validator.note(
                at(place, "name"),
                f"duplicate account name {account.name}; accounts[{first[account.name]}] has the same name",
            )
        if account.login is not None:
            _check_login(validator, account.login.reveal(), at(place, "login"))
        if with_secrets:
            _check_secrets(validator, config, account, place)
    if ca_file := config.tls_config.ca_file:
        check_readable(
            validator,
            "tls_config.ca_file",
            ca_file,
            lambda: _read_certificates(expand(ca_file, config.base)),
            content="certificates",
            base=config.base,
        )


def check_name(validator: Validator, name: str, place: str) -> None:
    """Note if ``name`` cannot be the value of the label ``account``."""
    if not _NAME.fullmatch(name):
        validator.note(place, "expected 1 to 64 letters, digits, dots, dashes and underscores")


def _check_login(validator: Validator, login: str, place: str) -> None:
    if not login.strip():
        validator.note(place, "is empty; expected the login of the CLN account")
    elif problem := problem_of_secret(login, ascii_only=False):
        validator.note(place, problem)


def _check_secrets(validator: Validator, config: Config, account: AccountConfig, place: str) -> None:
    if account.login_env is not None:
        login = partial(config.login_of, account)
        check_readable(validator, at(place, "login_env"), account.login_env, login, content="login")
    for name in SECRET_NAMES:
        _check_secret(validator, config, account, name, place)
    _check_monitoring_keys(validator, config, account, place)


def _read_certificates(file: Path) -> None:
    import ssl  # noqa: PLC0415 # a slow import that only this check needs

    try:
        ca_context(file)
    except ssl.SSLError:
        raise ValueError("contains no certificates; expected a PEM bundle") from None


def _check_secret(validator: Validator, config: Config, account: AccountConfig, name: SecretName, place: str) -> None:
    trio = secret_fields(name)
    set_fields = [field for field in trio if getattr(account, field) is not None]
    if len(set_fields) > 1:
        validator.note(at(place, set_fields[1]), f"{set_fields[0]} is also set; set only one of {', '.join(trio)}")
    elif not set_fields and name == "secret_key" and account.has_login:
        validator.note(at(place, "secret_key_file"), f"is required; set one of {', '.join(trio)}")
    elif set_fields:
        field = set_fields[0]
        base = config.base if field == trio[0] else None
        source, read = getattr(account, field), config.secret_of(account, name)
        check_readable(validator, at(place, field), source, read, content=name.replace("_", " "), base=base)


def _check_monitoring_keys(validator: Validator, config: Config, account: AccountConfig, place: str) -> None:
    field = "monitoring_keys_file" if account.monitoring_keys_file else "monitoring_keys"
    if account.monitoring_keys_file and account.monitoring_keys:
        validator.note(at(place, "monitoring_keys"), "monitoring_keys_file is also set; set only one of them")
    source, read = account.monitoring_keys_file or None, config.monitoring_keys_of(account)
    keys = check_readable(validator, at(place, field), source, read, content="monitoring keys", base=config.base)
    for index, key in enumerate(keys or ()):
        if not _LICENSE_KEY.fullmatch(key.reveal()):
            suspicion = suspicion_of_secret(key.reveal())
            expected = "expected a key of 16 to 64 letters, digits, dashes and underscores"
            validator.note(f"{at(place, field)}[{index}]", f"{expected}; it {suspicion}" if suspicion else expected)


def check_readable(
    validator: Validator, place: str, source: object, read: Callable[[], T], *, content: str, base: Path | None = None
) -> T | None:
    """Return the result of ``read``; if it fails, note the problem and return None.

    ``source`` is the name of an environment variable, or of a file if there is a directory ``base``; ``content`` is
    what belongs there.
    """
    named = f"{source} " if isinstance(source, str) else ""
    relative = ""
    if base is not None and isinstance(source, str):
        if not source or "\0" in source:
            validator.note(place, "expected a file name")
            return None
        path = _absolute(source, base)
        named = f"{path} "
        if path == base.absolute() / source and not Path(source).is_absolute():
            relative = f"; relative paths start from {base.absolute()}"
    try:
        value = read()
        if isinstance(value, Secret) and not value.reveal().strip():
            raise EmptySecretError("is empty")  # noqa: TRY301 # as for an empty file
    except OSError as error:
        validator.note(place, f"cannot read {named}({error.strerror}){permission_hint(error) or relative}")
    except UnicodeDecodeError:
        validator.note(place, f"{named}is not UTF-8 text")
    except EmptySecretError as error:
        validator.note(place, f"{named}{error}; put the {content} there")
    except ValueError as error:
        validator.note(place, f"{named}{error}")
    else:
        return value
    return None


def _absolute(name: str, base: Path) -> Path:
    try:
        return expand(name, base).absolute()
    except ValueError:  # reported when the file is read
        return Path(name)


def permission_hint(error: OSError) -> str:
    """Return what to do about a denied permission, to be added to a message; empty for another ``error``."""
    return "; grant read permission to the user that runs this program" if isinstance(error, PermissionError) else ""
