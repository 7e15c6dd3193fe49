"""Select the configuration, and the account in it, by the options of a command."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from cln_monitor.cln import Secret, problem_of_api_url, problem_of_proxy
from cln_monitor.source_kinds import ACCOUNT, EPORTAL, SourceKind

from . import environment
from .environment import DEFAULT_CONFIG
from .load import ConfigError, load_config, make_config
from .model import AccountConfig, Config, EportalConfig, Source

_OPTION_OF_FIELD = {
    "secret_key_file": "--secret-key-file",
    "registration_token": "--api-token",
    "login": "--login",
    "name": environment.ACCOUNT,
    "api_url": "--api-url",
    "proxy": "--proxy",
}


class SelectionError(Exception):
    """The options select no valid configuration or account; the text is for the user who gave them."""


class AccountSelection(NamedTuple):
    """The options that select a configuration and an account; None is not given.

    ``needs_account``: the command needs credentials. ``kind`` is what it reads, of which ``account`` is the name of
    one; options and variables give only accounts. ``also`` names further options, for the error that none is given.
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
    kind: SourceKind = ACCOUNT

    def load(self) -> Config:
        """Return the configuration of a file, or of a single account given by options and environment variables.

        The variables are CLN_LOGIN, CLN_SECRET_KEY, CLN_ACCOUNT and CLN_API_URL; they are used if neither a file nor an
        account of an existing file is given. A command that needs no account reads no secrets, so unreadable ones do
        not matter. Raises SelectionError.
        """
        file = Path(self.config or DEFAULT_CONFIG)
        if self.kind is not ACCOUNT:
            if not (self.config or environment.is_there(file)):
                has = f"use --config with a file that has {self.kind.field}{self.also}"
                raise SelectionError(f"no {self.kind.noun} given: {has}")
            return self._from_file(file, with_secrets=False)
        needed = self.needs_account or self.account is not None
        exists = bool(self.config) or _exists(file, needed=needed)
        has_variables = not self.config and environment.value_of(environment.LOGIN) is not None
        if self.login or (has_variables and not (exists and self.account)) or not (exists or needed):
            return self._from_options()
        if not exists and self.account is not None:
            raise SelectionError(f"--account needs a configuration, and {file} does not exist: use --config{self.also}")
        if not exists:
            ways = "use --config, or --login with --secret-key-file, or CLN_LOGIN with CLN_SECRET_KEY"
            raise SelectionError(f"no account given: {ways}{self.also}")
        return self._from_file(file, with_secrets=self.needs_account)

    def eportals_of(self, config: Config) -> list[EportalConfig]:
        """Return the selected ePortal, or all of ``config``, which are one or more. Raises SelectionError."""
        return [config.eportals[index] for index in self._chosen(config, EPORTAL)]

    def eportal_of(self, config: Config) -> EportalConfig:
        """Return the selected ePortal, or the only one of ``config``. Raises SelectionError."""
        return config.eportals[self._only(config, EPORTAL)]

    def account_of(self, config: Config) -> AccountConfig:
        """Return the selected account, or the only one of ``config``. Raises SelectionError."""
        return config.accounts[self._only(config, ACCOUNT)]

    def source_of(self, config: Config) -> Source:
        """Return the selected source of ``kind``, or the only one of ``config``. Raises SelectionError."""
        return config.sources_of(self.kind)[self._only(config, self.kind)]

    def _only(self, config: Config, kind: SourceKind) -> int:
        """Return the index of the selected source of ``kind``, or of the only one. Raises SelectionError."""
        chosen, *others = self._chosen(config, kind)
        if others:
            names = ", ".join(config.names_of(kind))
            raise SelectionError(f"the configuration has several {kind.plural}; use --account with one of: {names}")
        return chosen

    def _chosen(self, config: Config, kind: SourceKind) -> list[int]:
        """Return the index of the selected source of ``kind``, or of all, which are one or more, in ``config``."""
        names = config.names_of(kind)
        chosen = [index for index, name in enumerate(names) if self.account in {None, name}]
        if chosen:
            return chosen
        of_other_kind = config.problem_of_kind(kind, self.account or "")
        known = f"known {kind.plural}: {', '.join(names)}" if names else config.problem_of_none(kind)
        if of_other_kind:
            raise SelectionError(f"--account: {of_other_kind}; {known}")
        if names:
            raise SelectionError(f"--account: unknown {kind.noun} {self.account}; {known}")
        raise SelectionError(known)

    def api_url_of(self, config: Config) -> str:
        """Return the API root for a call without an account: that of the selected account, or of all accounts.

        Raises SelectionError if accounts use different API roots.
        """
        if self.account is not None:
            return config.api_url_of(self.account_of(config))
        roots = config.api_urls
        if len(roots) > 1:
            names = ", ".join(config.names_of(ACCOUNT))
            raise SelectionError(
                f"the accounts of the configuration use several APIs; use --account with one of: {names}"
            )
        return roots[0]

    def _from_file(self, file: Path, *, with_secrets: bool) -> Config:
        try:
            return self._with_overrides(load_config(file, with_secrets=with_secrets))
        except ConfigError as error:
            raise SelectionError(str(error).replace("\n", "; ")) from None

    def _with_overrides(self, config: Config) -> Config:
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

    def _from_options(self) -> Config:
        is_from_variables = self.login is None and environment.value_of(environment.LOGIN) is not None
        account: dict[str, Any] = {"name": "options", "login": self.login or "options"}
        if is_from_variables:
            account = environment.account_of_environment()
        if self.secret_key_file:
            account["secret_key_file"] = self.secret_key_file
        elif os.environ.get(environment.SECRET_KEY):
            account["secret_key_env"] = environment.SECRET_KEY
        elif self.needs_account and self.registration_token is None:
            raise SelectionError("no secret key given: use --secret-key-file, or set CLN_SECRET_KEY")
        else:
            account["secret_key"] = "not needed for this command"  # noqa: S105 # a dummy
        if self.registration_token is not None:
            account["registration_token"] = self.registration_token
        document: dict[str, Any] = {"accounts": [account]}
        document |= {key: value for key in ("api_url", "proxy") if (value := getattr(self, key))}
        names = dict(_OPTION_OF_FIELD)
        if not self.api_url and (api_url := environment.value_of(environment.API_URL)):
            document["api_url"], names["api_url"] = api_url, environment.API_URL
        try:
            config = make_config(document, Path(), with_secrets=self.needs_account)
        except ConfigError as error:
            raise SelectionError("; ".join(_as_options(error.problems, names))) from None
        return msgspec.structs.replace(config, from_environment=is_from_variables)


def _exists(file: Path, *, needed: bool) -> bool:
    """Return whether a default configuration exists; an unreadable one counts only if it is ``needed``."""
    return environment.is_there(file) and (needed or os.access(file, os.R_OK))


def _as_options(problems: Sequence[object], names: Mapping[str, str]) -> list[str]:
    """Return the ``problems`` of a configuration with the ``names`` of the options that its fields come from."""
    texts = [str(problem).replace("accounts[0].", "") for problem in problems]
    for field in ("login_env: ", "secret_key_env: "):
        texts = [text.removeprefix(field) for text in texts]  # the name of the variable follows
    for field, option in names.items():
        texts = [text.replace(f"{field}:", f"{option}:") for text in texts]
    return texts
