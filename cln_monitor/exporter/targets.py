"""The targets that a configuration asks for."""

from __future__ import annotations

from collections.abc import Callable

from cln_monitor.cln import Clock, Exchange, Limits, ReadOnlyClient, Redactor, Transport, mask_key
from cln_monitor.config import AccountConfig, Config
from cln_monitor.probes import PROBES, ProbeSettings, Source

from .target import Target


def make_targets(
    config: Config, limits: Limits, clock: Clock, redactor: Redactor, observe: Callable[[Exchange], None]
) -> list[Target]:
    """Return a target for each enabled probe: of each account, and of each distinct API root for CLN itself."""
    key_label = mask_key if config.key_labels == "masked" else str
    config.hide_secrets(redactor)
    # One for each root: to load the certificates for each of a thousand accounts takes half a minute.
    transports = {
        api_url: Transport(config.transport_of(api_url), limits, clock, redactor, observe)
        for api_url in dict.fromkeys(map(config.api_url_of, config.accounts))
    }

    def client(api_url: str, account: AccountConfig | None = None) -> ReadOnlyClient:
        return ReadOnlyClient(transports[api_url], None if account is None else config.credentials_of(account))

    targets: list[Target] = []
    for api_url in transports:
        of_root = [account for account in config.accounts if config.api_url_of(account) == api_url]
        reach = config.transport_of(api_url)
        for name in [name for name, probe in PROBES.items() if not probe.of_account]:
            settings = _of_root([account.probes[name] for account in of_root])
            if settings is not None:
                source = Source(client(api_url), settings)
                targets.append(Target(PROBES[name], source, api_url, asks=api_url, made_from=(settings, reach)))
    for account in config.accounts:
        api_url = config.api_url_of(account)
        reader = client(api_url, account)
        asks = (api_url, account.login, config.key_labels)
        made_from = (account, config.transport_of(api_url))
        for name, probe in PROBES.items():
            settings = account.probes[name]
            if probe.of_account and settings.enabled:
                source = Source(reader, settings, account.name, key_label, config.monitoring_keys_of(account))
                targets.append(Target(probe, source, api_url, asks=asks, made_from=made_from))
    return targets


def _of_root(settings: list[ProbeSettings]) -> ProbeSettings | None:
    """Return what holds for an API root that several accounts use: enabled by any, as often as the keenest asks."""
    enabled = [each for each in settings if each.enabled]
    return min(enabled, key=lambda each: each.interval, default=None)
