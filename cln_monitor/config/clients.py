"""Make the clients of a configuration: what a probe reads an account or an ePortal with."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from cln_monitor.cln import Clock, Exchange, RateLimiter, ReadOnlyClient, Redactor, Transport, mask_key
from cln_monitor.eportal import EportalClient
from cln_monitor.patches import PatchCatalog, PatchServer
from cln_monitor.probes import WHOLE, ProbeContext, ProbeSettings, Shard

from .model import AccountConfig, Config, EportalConfig, Source


class ClientFactory:
    """Makes the clients of a configuration. They share ``rate_limiter``, by default a new one.

    ``shard`` is not taken from the configuration: a single check or command reads the whole account.
    """

    def __init__(
        self,
        config: Config,
        clock: Clock,
        redactor: Redactor,
        observe: Callable[[Exchange], None] = lambda _: None,
        *,
        rate_limiter: RateLimiter | None = None,
        shard: Shard = WHOLE,
    ) -> None:
        self._config = config
        self._clock = clock
        self._redactor = redactor
        self._observe = observe
        self._shard = shard
        self._rate_limiter = rate_limiter or RateLimiter(config.concurrency, config.requests_per_second, clock)
        self._key_label = mask_key if config.key_labels == "masked" else str
        self._clients: dict[str, ReadOnlyClient] = {}
        self._catalog: PatchCatalog | None = None
        config.hide_secrets(redactor)

    def for_source(self, source: Source, probe: str, settings: ProbeSettings | None = None) -> ProbeContext:
        """Return the context in which ``probe`` reads ``source``; ``settings`` override the configured ones."""
        if isinstance(source, AccountConfig):
            return self.for_account(source, probe, settings)
        return self.for_eportal(source, settings)

    def for_account(self, account: AccountConfig, probe: str, settings: ProbeSettings | None = None) -> ProbeContext:
        """Return the context in which ``probe`` reads ``account``; ``settings`` override the configured ones."""
        client = self._clients.get(account.name)
        if client is None:
            api_url = self._config.api_url_of(account)
            client = self._clients[account.name] = self._client(api_url, account)
        settings = settings or account.probes[probe]
        return ProbeContext(
            client,
            settings,
            account.name,
            self._key_label,
            self._config.monitoring_keys_of(account),
            shard=self._shard,
            now=self._clock.time,
        )

    def for_api(self, api_url: str, settings: ProbeSettings) -> ProbeContext:
        """Return the context of a probe that needs no account: the API root ``api_url``, without credentials."""
        return ProbeContext(self._client(api_url, None), settings, key_label=self._key_label, now=self._clock.time)

    def for_eportal(self, eportal: EportalConfig, settings: ProbeSettings | None = None) -> ProbeContext:
        """Return the context in which ``eportal`` is read; ``settings`` override the configured ones.

        The ePortals of a configuration share what is known about patches.
        """
        client = EportalClient(
            self._config.eportal_transport_of(eportal),
            self._config.eportal_credentials_of(eportal),
            self._rate_limiter,
            self._clock,
            self._redactor,
            observe=self._observe,
        )
        if self._catalog is None:
            self._catalog = PatchCatalog(PatchServer(self._config.patch_transport(), self._rate_limiter, self._clock))
        return ProbeContext(
            cast(ReadOnlyClient, client),  # it offers the runner of probes what a client of CLN does
            settings or self._config.probes["eportal"],
            eportal.name,
            self._key_label,
            now=self._clock.time,
            catalog=self._catalog,
            cves=tuple(self._config.patches.cves),
        )

    def _client(self, api_url: str, account: AccountConfig | None) -> ReadOnlyClient:
        settings = self._config.transport_of(api_url)
        transport = Transport(settings, self._rate_limiter, self._clock, self._redactor, self._observe)
        credentials = None if account is None else self._config.credentials_of(account)
        return ReadOnlyClient.over(transport, credentials)
