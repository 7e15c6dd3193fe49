"""The configuration that the options of a command choose, or spell out themselves, and the account in it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from cln_monitor.cln import Secret, problem_of_api_url, problem_of_proxy

from .load import ConfigError, load_config, make_config
from .model import AccountConfig, Config

DEFAULT_CONFIG = Path("/etc/cln-monitor/cln-monitor.yml")

_OPTION_OF_FIELD = {
    "secret_key_file": "--secret-key-file",
    "registration_token": "--api-token",
    "login": "--login",
    "api_url": "--api-url",
    "proxy": "--proxy",
}


class SelectionError(Exception):
    """What to ask, and as whom, is not said, or wrong: a text for the person who gave the options."""


class AccountSelection(NamedTuple):
    """What options say about whom to ask; None is not said. ``needs_account``: credentials are needed for it.

    ``also`` names what else could have been given, for the error that nothing was.
    """

    config: str | None = None
    account: str | None = None
    login: str | None = None
    secret_key_file: str | None = None
    registration_token: str | None = None
    api_url: str | None = None
    proxy: str | None = None
    needs_account: bool = True
    also: str = ""

    def load(self) -> Config:
        """Return the configuration: a file's, or one of the single account that options and variables spell out.

        The variables are CLN_LOGIN and CLN_SECRET_KEY; they count where neither file nor account is named. What needs
        no account takes no secrets either, so that those which cannot be read do not matter. Raises SelectionError.
        """
        login = self.login
        if not (self.config or self.account):
            login = login or os.environ.get("CLN_LOGIN")
        file = Path(self.config or DEFAULT_CONFIG)
        needed = self.needs_account or self.account is not None
        is_there = bool(self.config) or _is_there(file, needed=needed)
        if login or not (is_there or needed):
            return self._spelled_out(login)
        if not is_there and self.account is not None:
            raise SelectionError(
                f"--account is one of a configuration, and {file} is not there: give --config{self.also}"
            )
        if not is_there:
            ways = "give --config, or --login with --secret-key-file"
            raise SelectionError(f"whom to ask is not said: {ways}{self.also}")
        try:
            return self._changed(load_config(file, with_secrets=self.needs_account))
        except ConfigError as error:
            raise SelectionError(str(error).replace("\n", "; ")) from None

    def account_of(self, config: Config) -> AccountConfig:
        """Return the account that is named, or the only one of ``config``. Raises SelectionError."""
        names = [account.name for account in config.accounts]
        if self.account is None:
            if len(names) > 1:
                all_names = ", ".join(names)
                raise SelectionError(f"the configuration has several accounts, name one with --account: {all_names}")
            return config.accounts[0]
        if self.account not in names:
            there = ", ".join(names)
            raise SelectionError(f"--account: there is no {self.account} in the configuration; there are: {there}")
        return config.accounts[names.index(self.account)]

    def api_url_of(self, config: Config) -> str:
        """Return the API root to ask what is no account's: of the account named, or that of all.

        Raises SelectionError.
        """
        if self.account is not None:
            return config.api_url_of(self.account_of(config))
        roots = list(dict.fromkeys(map(config.api_url_of, config.accounts)))
        if len(roots) > 1:
            names = ", ".join(account.name for account in config.accounts)
            raise SelectionError(
                f"the accounts of the configuration use several APIs, name one with --account: {names}"
            )
        return roots[0]

    def _changed(self, config: Config) -> Config:
        changes: dict[str, Any] = {}
        for option, url, problem_of in (
            ("--proxy", self.proxy, problem_of_proxy),
            ("--api-url", self.api_url, problem_of_api_url),
        ):
            if url and (problem := problem_of(url)):
                raise SelectionError(f"{option}: {problem}")
        if self.proxy:
            changes["proxy"] = Secret(self.proxy)
        if self.api_url:
            accounts = [msgspec.structs.replace(account, api_url=None) for account in config.accounts]
            changes |= {"api_url": self.api_url.rstrip("/"), "accounts": accounts}
        return msgspec.structs.replace(config, **changes)

    def _spelled_out(self, login: str | None) -> Config:
        account: dict[str, Any] = {"name": "options", "login": login or "options"}
        if self.secret_key_file:
            account["secret_key_file"] = self.secret_key_file
        elif os.environ.get("CLN_SECRET_KEY"):
            account["secret_key_env"] = "CLN_SECRET_KEY"  # noqa: S105 # the name of a variable
        elif self.needs_account and self.registration_token is None:
            raise SelectionError(
                "the secret key of the login is missing: give --secret-key-file, or set CLN_SECRET_KEY"
            )
        else:
            account["secret_key"] = "none is needed for what is asked"  # noqa: S105 # it says so
        if self.registration_token is not None:
            account["registration_token"] = self.registration_token
        document: dict[str, Any] = {"accounts": [account]}
        document |= {key: value for key in ("api_url", "proxy") if (value := getattr(self, key))}
        try:
            return make_config(document, Path(), with_secrets=self.needs_account)
        except ConfigError as error:
            raise SelectionError("; ".join(_in_options(error.problems))) from None


def _is_there(file: Path, *, needed: bool) -> bool:
    """Tell whether there is a default configuration to read; one that is barred to us counts where it is ``needed``."""
    try:
        file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return needed  # reading it tells what is wrong
    return needed or os.access(file, os.R_OK)


def _in_options(problems: Sequence[object]) -> list[str]:
    """Return ``problems`` of a configuration in the words of the options that it comes from."""
    texts = [str(problem).replace("accounts[0].", "") for problem in problems]
    texts = [text.removeprefix("secret_key_env: ") for text in texts]  # the variable's name follows
    for field, option in _OPTION_OF_FIELD.items():
        texts = [text.replace(f"{field}:", f"{option}:") for text in texts]
    return texts
