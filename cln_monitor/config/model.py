"""The configuration in use: the fields of the file, with all defaults filled in."""

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
from cln_monitor.eportal import EportalCredentials
from cln_monitor.patches import PATCHES_URL, patch_settings
from cln_monitor.probes import WHOLE, Duration, ProbeSettings, Shard
from cln_monitor.source_kinds import SOURCE_KINDS, SourceKind

from .secrets import SecretFile, SecretText, SecretVariable, expand

SecretName = Literal["secret_key", "registration_token"]
SECRET_NAMES: tuple[SecretName, ...] = get_args(SecretName)
LOGIN_FIELDS = ("login", "login_env")
"""The fields that can set the login of an account: its value, or an environment variable."""


def secret_fields(name: SecretName) -> tuple[str, str, str]:
    """Return the three fields that can set the secret ``name``: a file, an environment variable, or its value."""
    return f"{name}_file", f"{name}_env", name


class TlsConfig(msgspec.Struct, frozen=True, kw_only=True):
    """TLS towards CLN: ``ca_file`` is a PEM bundle that replaces the built-in one."""

    ca_file: str | None = None
    insecure_skip_verify: bool = False


class AccountConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A CLN account. ``name`` is the value of the label ``account``.

    One of ``login`` and ``login_env``, and at most one field of each secret, is set. An account of monitoring keys
    alone has neither a login nor a secret key.
    """

    name: str
    login: Secret | None = None
    login_env: str | None = None
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

    @property
    def has_login(self) -> bool:
        """Whether it has a login: an account of monitoring keys alone has none."""
        return self.login is not None or self.login_env is not None


class PatchesConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The patch server at ``url``, and the CVEs to count servers of, in capitals."""

    url: str = PATCHES_URL
    cves: list[str] = []


class EportalConfig(msgspec.Struct, frozen=True, kw_only=True):
    """An ePortal. ``name`` is the value of the label ``account``, ``url`` is the root of its API.

    Either ``api_key_file``, or ``username`` and ``password_file`` are set.
    """

    name: str
    url: str
    api_key_file: str | None = None
    username: Secret | None = None
    password_file: str | None = None


Source = AccountConfig | EportalConfig
"""What is monitored, of one of the kinds of :mod:`cln_monitor.source_kinds`."""


class ConfigFile(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a configuration file. Times are in seconds; ``probes``: the defaults of all accounts, by name."""

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
    patches: PatchesConfig = PatchesConfig()
    eportals: list[EportalConfig] = []
    accounts: list[AccountConfig] = []


class Config(ConfigFile, frozen=True, kw_only=True):
    """A configuration in use; relative file names start from the directory ``base``.

    ``file`` is the path of the configuration file, if there is one. ``from_environment``: environment variables made
    its only account.
    """

    base: Path
    file: Path | None = None
    from_environment: bool = False

    @property
    def names(self) -> list[str]:
        """The values of the label ``account``: the names of the accounts, then those of the ePortals."""
        return [name for kind in SOURCE_KINDS for name in self.names_of(kind)]

    @property
    def counts(self) -> str:
        """The numbers of accounts and ePortals: ``1 account``, or ``2 accounts and 1 ePortal``."""
        numbers = [(len(self.sources_of(kind)), kind) for kind in SOURCE_KINDS]
        return " and ".join(
            f"{number} {kind.noun if number == 1 else kind.plural}" for number, kind in numbers if number
        )

    def sources_of(self, kind: SourceKind) -> Sequence[Source]:
        """Return the sources of ``kind`` in the order of the configuration."""
        sources: Sequence[Source] = getattr(self, kind.field)
        return sources

    def names_of(self, kind: SourceKind) -> list[str]:
        """Return the names of the sources of ``kind``."""
        return [source.name for source in self.sources_of(kind)]

    def problem_of_none(self, kind: SourceKind) -> str:
        """Return that there is no source of ``kind``, and what to do about it; empty if there is one."""
        return "" if self.sources_of(kind) else f"no {kind.plural} are configured; add one to {kind.field}"

    def problem_of_kind(self, kind: SourceKind, name: str) -> str:
        """Return that the source called ``name`` is not of ``kind`` but of another one; empty without one."""
        others = [other for other in SOURCE_KINDS if other is not kind and name in self.names_of(other)]
        return f"{name} is an {others[0].noun}, not an {kind.noun}" if others else ""

    def settings_of(self, source: Source, probe: str) -> ProbeSettings:
        """Return the settings of ``probe`` for ``source``: only an account has its own."""
        return (source.probes if isinstance(source, AccountConfig) else self.probes)[probe]

    @property
    def enabled_probes(self) -> set[str]:
        """The names of the probes that are enabled for any source."""
        return {
            probe
            for kind in SOURCE_KINDS
            for source in self.sources_of(kind)
            for probe in kind.probes
            if self.settings_of(source, probe).enabled
        }

    def api_url_of(self, account: AccountConfig) -> str:
        """Return the API root of ``account``."""
        return account.api_url or self.api_url

    @property
    def api_urls(self) -> list[str]:
        """The API roots of all accounts; without accounts that of the configuration, whose status needs none."""
        return list(dict.fromkeys(map(self.api_url_of, self.accounts))) or [self.api_url]

    def transport_of(self, api_url: str) -> TransportSettings:
        """Return the transport settings of the API root ``api_url``."""
        ca_file = self.tls_config.ca_file
        # The first root on a host is labeled with the host alone, so that another root does not change its series.
        roots = sorted(self.api_urls, key=lambda root: root != self.api_url)
        same_host = [root for root in roots if urlsplit(root).netloc == urlsplit(api_url).netloc]
        return TransportSettings(
            api_url=api_url,
            label="" if api_url in same_host[:1] else api_url,
            timeout=self.timeout,
            proxy=self.proxy.reveal() if self.proxy else None,
            ca_file=str(expand(ca_file, self.base)) if ca_file else None,
            insecure_skip_verify=self.tls_config.insecure_skip_verify,
        )

    def eportal_transport_of(self, eportal: EportalConfig) -> TransportSettings:
        """Return the transport settings of ``eportal``, which is in the own network and needs no proxy."""
        ca_file = self.tls_config.ca_file
        return TransportSettings(
            api_url=eportal.url,
            timeout=self.timeout,
            ca_file=str(expand(ca_file, self.base)) if ca_file else None,
            insecure_skip_verify=self.tls_config.insecure_skip_verify,
        )

    def eportal_credentials_of(self, eportal: EportalConfig) -> EportalCredentials:
        """Return the credentials of ``eportal``; ``load_config`` has checked that they exist."""
        if eportal.api_key_file is not None:
            return EportalCredentials(api_key=SecretFile(eportal.api_key_file, self.base, ascii_only=True))
        return EportalCredentials(
            username=(eportal.username or Secret("")).reveal(),
            password=SecretFile(eportal.password_file or "", self.base),
        )

    def patch_transport(self) -> TransportSettings:
        """Return the transport settings of the patch server."""
        ca_file = self.tls_config.ca_file
        return patch_settings(
            self.patches.url,
            timeout=self.timeout,
            proxy=self.proxy.reveal() if self.proxy else None,
            ca_file=str(expand(ca_file, self.base)) if ca_file else None,
            insecure_skip_verify=self.tls_config.insecure_skip_verify,
        )

    def credentials_of(self, account: AccountConfig) -> Credentials:
        """Return the credentials of ``account``; ``load_config`` has checked that they exist."""
        token = self.secret_of(account, "registration_token") if self.has(account, "registration_token") else None
        keys = self.monitoring_keys_of(account)
        if not account.has_login:
            return Credentials(None, None, None, keys)
        return Credentials(self.login_of(account).reveal(), self.secret_of(account, "secret_key"), token, keys)

    def login_of(self, account: AccountConfig) -> Secret:
        """Return the login of ``account``. Raises ValueError if its environment variable holds none."""
        if account.login_env is not None:
            return SecretVariable(account.login_env)()
        return account.login or Secret("")

    def has(self, account: AccountConfig, name: SecretName) -> bool:
        """Return whether the secret ``name`` of ``account`` is set in any of the three ways."""
        return any(getattr(account, field) is not None for field in secret_fields(name))

    def secret_of(self, account: AccountConfig, name: SecretName) -> Callable[[], Secret]:
        """Return the function that reads the secret ``name`` of ``account``; it raises OSError or ValueError."""
        file, variable, text = (getattr(account, field) for field in secret_fields(name))
        ascii_only = name == "secret_key"  # the character set of tokens is not documented
        if file is not None:
            return SecretFile(file, self.base, ascii_only=ascii_only)
        if variable is not None:
            return SecretVariable(variable, ascii_only=ascii_only)
        return SecretText(text, ascii_only=ascii_only)

    def monitoring_keys_of(self, account: AccountConfig) -> Callable[[], Sequence[Secret]]:
        """Return the function that reads the monitoring keys of ``account``; it raises OSError or ValueError."""
        if account.monitoring_keys_file:
            return SecretFile(account.monitoring_keys_file, self.base).lines
        return lambda: account.monitoring_keys

    def hide_secrets(self, redactor: Redactor) -> None:
        """Register all secrets of this configuration with ``redactor``, before the first call."""
        for account in self.accounts:
            redactor.publish(account.name)
        for eportal in self.eportals:
            redactor.publish(eportal.name)
            self.eportal_credentials_of(eportal).hide(redactor)
        if self.proxy is not None:
            redactor.hide_password_of(self.proxy.reveal())
        for account in self.accounts:
            # A secret that cannot be read is reported by the call that needs it; the others are still registered.
            with contextlib.suppress(ValueError):
                redactor.hide_login(self.login_of(account).reveal())
            for name in SECRET_NAMES:
                if self.has(account, name):
                    with contextlib.suppress(OSError, ValueError):
                        redactor.hide(self.secret_of(account, name)().reveal())
            with contextlib.suppress(OSError, ValueError):
                for key in self.monitoring_keys_of(account)():
                    redactor.hide_key(key.reveal())
