"""The configuration as the program uses it: the shape of the file, with all defaults filled in."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import urlsplit

import msgspec

from cln_monitor.cln import (
    API_URL,
    CONCURRENCY,
    REQUESTS_PER_SECOND,
    TIMEOUT,
    Credentials,
    Redactor,
    Secret,
    TransportSettings,
)
from cln_monitor.probes import WHOLE, Duration, ProbeSettings, Shard

from .secrets import SecretFile, SecretText, SecretVariable, expand

SecretName = Literal["secret_key", "registration_token"]
SECRET_NAMES: tuple[SecretName, ...] = get_args(SecretName)


def secret_fields(name: SecretName) -> tuple[str, str, str]:
    """Return the three fields that can hold the secret ``name``: a file's path, a variable's name, the text itself."""
    return f"{name}_file", f"{name}_env", name


class TlsConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How to trust CLN: ``ca_file`` is a PEM bundle in place of the built-in one."""

    ca_file: str | None = None
    insecure_skip_verify: bool = False


class AccountConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A CLN account. ``name`` is the value of the label ``account``; of each trio of secrets one is set at most."""

    name: str
    login: Secret
    secret_key_file: str | None = None
    secret_key_env: str | None = None
    secret_key: Secret | None = None
    registration_token_file: str | None = None
    registration_token_env: str | None = None
    registration_token: Secret | None = None
    monitoring_keys_file: str | None = None
    monitoring_keys: list[Secret] = []
    api_url: str | None = None
    probes: dict[str, ProbeSettings] = {}


class ConfigFile(msgspec.Struct, frozen=True, kw_only=True):
    """What a configuration file may say. Times are seconds; ``probes``: the settings accounts start from, by name."""

    api_url: str = API_URL
    timeout: Duration = Duration(TIMEOUT)
    concurrency: int = CONCURRENCY
    requests_per_second: float = REQUESTS_PER_SECOND
    proxy: Secret | None = None
    tls_config: TlsConfig = TlsConfig()
    key_labels: Literal["masked", "full"] = "masked"
    max_server_series: int = 200_000
    shard: Shard = WHOLE
    allow_world_readable_secrets: bool = False
    probes: dict[str, ProbeSettings] = {}
    accounts: list[AccountConfig]


class Config(ConfigFile, frozen=True, kw_only=True):
    """A configuration in use; relative file names start from the folder ``base``.

    ``file`` is where it stands, if it does.
    """

    base: Path
    file: Path | None = None

    def api_url_of(self, account: AccountConfig) -> str:
        """Return the API root of ``account``."""
        return account.api_url or self.api_url

    def transport_of(self, api_url: str) -> TransportSettings:
        """Return how to reach the API root ``api_url``."""
        ca_file = self.tls_config.ca_file
        # Of roots on one host the first keeps the host as its name, so that a further one changes no series of it.
        roots = sorted(dict.fromkeys(map(self.api_url_of, self.accounts)), key=lambda root: root != self.api_url)
        same_host = [root for root in roots if urlsplit(root).netloc == urlsplit(api_url).netloc]
        return TransportSettings(
            api_url=api_url,
            label="" if api_url in same_host[:1] else api_url,
            timeout=self.timeout,
            proxy=self.proxy.reveal() if self.proxy else None,
            ca_file=str(expand(ca_file, self.base)) if ca_file else None,
            insecure_skip_verify=self.tls_config.insecure_skip_verify,
        )

    def credentials_of(self, account: AccountConfig) -> Credentials:
        """Return the credentials of ``account``; ``load_config`` has seen to it that they are there."""
        token = self.secret_of(account, "registration_token") if self.has(account, "registration_token") else None
        keys = self.monitoring_keys_of(account)
        return Credentials(account.login.reveal(), self.secret_of(account, "secret_key"), token, keys)

    def has(self, account: AccountConfig, name: SecretName) -> bool:
        """Tell whether the secret ``name`` of ``account`` is set in any of the three ways."""
        return any(getattr(account, field) is not None for field in secret_fields(name))

    def secret_of(self, account: AccountConfig, name: SecretName) -> Callable[[], Secret]:
        """Return the source of the secret ``name`` of ``account``; it raises OSError or ValueError."""
        file, variable, text = (getattr(account, field) for field in secret_fields(name))
        ascii_only = name == "secret_key"  # of a token nobody knows that
        if file is not None:
            return SecretFile(file, self.base, ascii_only=ascii_only)
        if variable is not None:
            return SecretVariable(variable, ascii_only=ascii_only)
        return SecretText(text, ascii_only=ascii_only)

    def monitoring_keys_of(self, account: AccountConfig) -> Callable[[], Sequence[Secret]]:
        """Return the source of the monitoring keys of ``account``; it raises OSError or ValueError."""
        if account.monitoring_keys_file:
            return SecretFile(account.monitoring_keys_file, self.base).lines
        return lambda: account.monitoring_keys

    def hide_secrets(self, redactor: Redactor) -> None:
        """Keep all that is secret here out of the texts of ``redactor``, from before the first call on."""
        for account in self.accounts:
            redactor.publish(account.name)
        if self.proxy is not None:
            redactor.hide_password_of(self.proxy.reveal())
        for account in self.accounts:
            redactor.hide_login(account.login.reveal())
            # What cannot be read is told by the call that needs it, and leaves the others no less secret.
            for name in SECRET_NAMES:
                if self.has(account, name):
                    with contextlib.suppress(OSError, ValueError):
                        redactor.hide(self.secret_of(account, name)().reveal())
            with contextlib.suppress(OSError, ValueError):
                for key in self.monitoring_keys_of(account)():
                    redactor.hide_key(key.reveal())
