"""Read a configuration file strictly; an error names the field of each problem."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec

from cln_monitor.cln import problem_of_api_url, problem_of_proxy
from cln_monitor.probes import ALL_PROBES, PROBES, WITHOUT_LOGIN, Duration, Probe, ProbeSettings
from cln_monitor.source_kinds import SOURCE_KINDS

from .account_checks import check_accounts, permission_hint
from .eportal_checks import check_eportals
from .exposed_secrets import exposed_secrets
from .model import LOGIN_FIELDS, SECRET_NAMES, AccountConfig, Config, ConfigFile, secret_fields
from .validator import ConfigProblem, Validator, at


class ConfigError(Exception):
    """The configuration is invalid; ``problems`` lists everything that is wrong with it."""

    def __init__(self, file: str, problems: list[ConfigProblem]) -> None:
        super().__init__("\n".join(_on_one_line(f"{file}: {problem}") for problem in problems))
        self.problems = problems


def _on_one_line(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


def load_config(file: Path, *, with_secrets: bool = True, guard_secrets: bool = False) -> Config:
    """Return the configuration in ``file``; ``with_secrets``: also check that each secret can be read.

    ``guard_secrets``: refuse world-readable secret files, unless the configuration allows them. Raises ConfigError.
    """
    text = _text(file)
    try:
        config = msgspec.structs.replace(parse_config(text, file.parent, with_secrets=with_secrets), file=file)
    except ConfigError as error:
        raise ConfigError(str(file), error.problems) from None
    if guard_secrets and not config.allow_world_readable_secrets:
        exposed = [secret for secret in exposed_secrets(config) if secret.path != file.absolute()]
        if exposed:
            or_allow = ", or set allow_world_readable_secrets: true"
            raise ConfigError(str(file), [ConfigProblem("", f"{secret}{or_allow}") for secret in exposed])
    return config


def read_yaml(file: Path) -> object:
    """Return the YAML document in a configuration file as plain values. Raises ConfigError."""
    return _document(_text(file), str(file))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")  # never cached: a reload must read it again
    except OSError as error:
        missing = "; create it, or use another file" if isinstance(error, FileNotFoundError) else ""
        text = f"cannot be read: {error.strerror}{missing}{permission_hint(error)}"
        raise ConfigError(str(file), [ConfigProblem("", text)]) from None
    except UnicodeDecodeError:
        raise ConfigError(str(file), [ConfigProblem("", "is not UTF-8 text")]) from None


def parse_config(text: str, base: Path, *, with_secrets: bool = True) -> Config:
    """Return the configuration in the YAML ``text``; relative file names start from ``base``. Raises ConfigError."""
    return make_config(_document(text), base, with_secrets=with_secrets)


def _document(text: str, name: str = "") -> object:
    from .yaml_loader import YamlError, read_document  # noqa: PLC0415 # a check without a configuration file needs no YAML

    try:
        return read_document(text)
    except YamlError as error:
        raise ConfigError(name, [error.problem]) from None


def make_config(document: object, base: Path, *, with_secrets: bool = True) -> Config:
    """Return the configuration in a ``document`` of plain values, as YAML gives them. Raises ConfigError."""
    validator = Validator()
    config = _config(validator, {} if document is None else document, base, with_secrets=with_secrets)
    if validator.problems or config is None:
        raise ConfigError("", validator.problems)
    return config


def _config(validator: Validator, document: object, base: Path, *, with_secrets: bool) -> Config | None:
    top = validator.struct(ConfigFile, document, "", skip=("probes", "accounts"))
    if not isinstance(document, dict):
        return None
    _check_top(validator, top)
    defaults = _probe_values(validator, document.get("probes"), "probes", ALL_PROBES)
    accounts = [] if document.get("accounts") is None else document["accounts"]
    if not isinstance(accounts, list):
        validator.value(list[AccountConfig], accounts, "accounts")  # notes that it is no list
        return None
    if not any(document.get(kind.field) for kind in SOURCE_KINDS):
        nouns = " or ".join(kind.noun for kind in SOURCE_KINDS)
        ways = ", or ".join(f"one with {kind.fields} to {kind.field}" for kind in SOURCE_KINDS)
        validator.note("", f"at least one {nouns} is required: add {ways}")
        return None
    read = [_account(validator, account, defaults, f"accounts[{index}]") for index, account in enumerate(accounts)]
    if validator.problems:
        return None
    config = Config(
        **top, probes=_probes(defaults, ALL_PROBES), accounts=[account for account in read if account], base=base
    )
    check_accounts(validator, config, with_secrets=with_secrets)
    check_eportals(validator, config, with_secrets=with_secrets)
    cves = [cve.strip().upper() for cve in config.patches.cves]
    return msgspec.structs.replace(
        config,
        patches=msgspec.structs.replace(config.patches, cves=cves),
        eportals=[msgspec.structs.replace(eportal, url=eportal.url.rstrip("/")) for eportal in config.eportals],
    )


_ProbeValues = dict[str, dict[str, Any]]
_Probes = dict[str, Probe[Any]]


def _account(validator: Validator, account: object, defaults: _ProbeValues, place: str) -> AccountConfig | None:
    values = validator.struct(AccountConfig, account, place, skip=("probes",))
    if values.get("api_url"):
        values["api_url"] = _api_url(validator, values["api_url"], at(place, "api_url"))
    if isinstance(account, dict):
        _check_one_login(validator, account, place)
    own = _probe_values(
        validator, account.get("probes") if isinstance(account, dict) else None, at(place, "probes"), PROBES
    )
    if validator.problems:
        return None
    read = AccountConfig(**values, probes=_probes({name: defaults[name] | own[name] for name in PROBES}, PROBES))
    if read.has_login:
        return read
    return msgspec.structs.replace(read, probes=_without_login(validator, read.probes, own, place))


def _without_login(
    validator: Validator, probes: dict[str, ProbeSettings], own: _ProbeValues, place: str
) -> dict[str, ProbeSettings]:
    """Return the ``probes`` of an account of monitoring keys alone: the others need a login, and are disabled.

    What the account itself enables is a problem; what is enabled for all accounts is not.
    """
    needed = "needs a login and a secret key, which the account does not have"
    scopes = own["patch_status"].get("scopes", ["key"])
    if "reseller" in scopes:
        validator.note(at(place, "probes.patch_status.scopes"), f"reseller {needed}")
    for name, values in own.items():
        if values.get("enabled") and name not in WITHOUT_LOGIN:
            validator.note(at(place, f"probes.{name}.enabled"), f"the probe {needed}")
    disabled = {
        name: settings if name in WITHOUT_LOGIN else msgspec.structs.replace(settings, enabled=False)
        for name, settings in probes.items()
    }
    return disabled | {"patch_status": msgspec.structs.replace(probes["patch_status"], scopes=scopes)}


def _check_one_login(validator: Validator, account: dict[Any, Any], place: str) -> None:
    set_fields = [field for field in LOGIN_FIELDS if account.get(field) is not None]
    if not set_fields:
        secrets = [field for name in SECRET_NAMES for field in secret_fields(name) if account.get(field) is not None]
        if secrets or not (account.get("monitoring_keys") or account.get("monitoring_keys_file")):
            fields = ", ".join(LOGIN_FIELDS)
            problem = f"is required; set one of {fields}; only an account of monitoring keys alone needs none"
            validator.note(at(place, "login"), problem)
    elif len(set_fields) > 1:
        validator.note(at(place, "login_env"), f"login is also set; set only one of {', '.join(LOGIN_FIELDS)}")


def _probe_values(validator: Validator, document: object, place: str, probes: _Probes) -> _ProbeValues:
    """Return the settings of each of ``probes`` that ``document`` sets."""
    if not isinstance(document, dict | None):
        validator.note(place, "expected a mapping of probes to settings")
    document = document if isinstance(document, dict) else {}
    validator.only_known(document, list(probes), place)
    return {name: _settings(validator, probe, document.get(name), at(place, name)) for name, probe in probes.items()}


def _settings(validator: Validator, probe: Probe[Any], document: object, place: str) -> dict[str, Any]:
    values = validator.struct(probe.settings, {} if document is None else document, place)
    if not validator.problems:
        for field, text in probe.settings(**values).problems():
            validator.note(at(place, field), text)
    return values


def _probes(values: _ProbeValues, probes: _Probes) -> dict[str, ProbeSettings]:
    return {name: _with_default_max_age(probe.settings(**values[name]), values[name]) for name, probe in probes.items()}


def _with_default_max_age(settings: ProbeSettings, values: dict[str, Any]) -> ProbeSettings:
    """Raise a default ``max_age`` to two intervals, so that data does not expire between polls."""
    if "max_age" in values or settings.max_age >= 2 * settings.interval:
        return settings
    return msgspec.structs.replace(settings, max_age=Duration(2 * settings.interval))


def _check_top(validator: Validator, top: dict[str, Any]) -> None:
    if not 1 <= top.get("concurrency", 1) <= 256:
        validator.note("concurrency", "expected a number from 1 to 256")
    if not 0 <= top.get("requests_per_second", 0) < math.inf:
        validator.note("requests_per_second", "expected a number above 0, or 0 for no limit")
    if top.get("max_server_series", 0) < 0:
        validator.note("max_server_series", "expected 0 or a positive number")
    if "api_url" in top:
        top["api_url"] = _api_url(validator, top["api_url"], "api_url")
    if (proxy := top.get("proxy")) and (problem := problem_of_proxy(proxy.reveal())):
        validator.note("proxy", problem)


def _api_url(validator: Validator, url: str, place: str) -> str:
    if problem := problem_of_api_url(url):
        validator.note(place, problem)
    return url.rstrip("/")
