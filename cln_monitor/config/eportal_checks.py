"""Checks of the ePortals and of the patch server of a configuration."""

from __future__ import annotations

from cln_monitor.cln import problem_of_api_url, problem_of_secret
from cln_monitor.patches import parse_cve

from .account_checks import check_name, check_readable
from .model import Config, EportalConfig
from .secrets import SecretFile
from .validator import Validator, at

_ONE_OF = "set either api_key_file, or username and password_file"


def check_eportals(validator: Validator, config: Config, *, with_secrets: bool) -> None:
    """Note what is wrong with ``patches`` and ``eportals``; ``with_secrets``: also with what is to be read for them."""
    _check_url(validator, config.patches.url, "patches.url", "https://patches.kernelcare.com")
    for index, cve in enumerate(config.patches.cves):
        place = f"patches.cves[{index}]"
        try:
            if parse_cve(cve) in map(str.upper, config.patches.cves[:index]):
                validator.note(place, f"{cve} is listed twice")
        except ValueError as error:
            validator.note(place, str(error))
    first = {account.name: f"accounts[{index}]" for index, account in enumerate(config.accounts)}
    for index, eportal in enumerate(config.eportals):
        place = f"eportals[{index}]"
        check_name(validator, eportal.name, at(place, "name"))
        if (other := first.setdefault(eportal.name, place)) != place:
            validator.note(at(place, "name"), f"duplicate name {eportal.name}; {other} has the same name")
        _check_url(validator, eportal.url, at(place, "url"), "https://eportal.example.net/admin/api")
        _check_credentials(validator, config, eportal, place, with_secrets=with_secrets)


def _check_url(validator: Validator, url: str, place: str, example: str) -> None:
    if problem_of_api_url(url):
        validator.note(place, f"expected an http or https URL, for example {example}")


def _check_credentials(
    validator: Validator, config: Config, eportal: EportalConfig, place: str, *, with_secrets: bool
) -> None:
    if eportal.api_key_file is not None:
        for field in ("username", "password_file"):
            if getattr(eportal, field) is not None:
                validator.note(at(place, field), f"api_key_file is also set; {_ONE_OF}")
        fields = [("api_key_file", "API key", True)]
    elif eportal.username is None and eportal.password_file is None:
        validator.note(at(place, "api_key_file"), f"is required; {_ONE_OF}")
        return
    else:
        for field in ("username", "password_file"):
            if getattr(eportal, field) is None:
                validator.note(at(place, field), f"is required; {_ONE_OF}")
        _check_username(validator, eportal, at(place, "username"))
        fields = [("password_file", "password", False)]
    for field, content, ascii_only in fields:
        name = getattr(eportal, field)
        if with_secrets and name is not None:
            read = SecretFile(name, config.base, ascii_only=ascii_only)
            check_readable(validator, at(place, field), name, read, content=content, base=config.base)


def _check_username(validator: Validator, eportal: EportalConfig, place: str) -> None:
    if eportal.username is None:
        return
    username = eportal.username.reveal()
    if not username.strip():
        validator.note(place, "is empty; expected the name of a user of the ePortal")
    elif problem := problem_of_secret(username, ascii_only=False):
        validator.note(place, problem)
    elif ":" in username:
        validator.note(place, "contains a colon, which RFC 7617 does not allow")
