"""Creates the targets of a configuration."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from cln_monitor.cln import Clock, Exchange, RateLimiter, Redactor
from cln_monitor.config import ClientFactory, Config
from cln_monitor.probes import EPORTAL_PROBES, PROBES, Probe, ProbeSettings, Shard

from .target import Target


def make_targets(
    config: Config,
    clock: Clock,
    redactor: Redactor,
    observe: Callable[[Exchange], None],
    rate_limiter: RateLimiter | None = None,
) -> list[Target]:
    """Return one target per account and ePortal for each enabled probe, and one per API root for each of CLN itself."""
    clients = ClientFactory(config, clock, redactor, observe, rate_limiter=rate_limiter, shard=config.shard)
    targets: list[Target] = []
    for api_url in dict.fromkeys(map(config.api_url_of, config.accounts)):
        accounts = [account for account in config.accounts if config.api_url_of(account) == api_url]
        transport = config.transport_of(api_url)
        for name in [name for name, probe in PROBES.items() if not probe.per_account]:
            settings = _merge_settings([account.probes[name] for account in accounts])
            if settings is not None:
                context = clients.for_api(api_url, settings)
                identity, relevant = _digest(api_url), (settings, transport)
                targets.append(
                    Target(PROBES[name], context, api_url, identity_digest=identity, config_fingerprint=relevant)
                )
    for account in config.accounts:
        api_url = config.api_url_of(account)
        identity = _digest(api_url, config.login_of(account).reveal(), config.key_labels)
        fingerprint = (account, config.transport_of(api_url), config.shard)
        for name, probe in PROBES.items():
            if (
                probe.per_account
                and account.probes[name].enabled
                and reader_of(probe, account.name, config.shard) is None
            ):
                context = clients.for_account(account, name)
                targets.append(
                    Target(probe, context, api_url, identity_digest=identity, config_fingerprint=fingerprint)
                )
    for eportal in config.eportals:
        of_eportal = (eportal, config.patches, config.probes, config.eportal_transport_of(eportal), config.shard)
        for name, probe in EPORTAL_PROBES.items():
            if config.probes[name].enabled and reader_of(probe, eportal.name, config.shard) is None:
                identity = _digest(eportal.url, eportal.name, config.key_labels)
                context = clients.for_eportal(eportal)
                targets.append(
                    Target(probe, context, eportal.url, identity_digest=identity, config_fingerprint=of_eportal)
                )
    return targets


def reader_of(probe: Probe[Any], account: str, shard: Shard) -> Shard | None:
    """Return the other shard that reads ``probe`` of ``account``, or None if ``shard`` reads it or a part of it."""
    if probe.is_sharded or not probe.per_account:
        return None  # each shard monitors whether CLN is up
    owner = shard.owner(account, f"({probe.name})")  # not the name of any key
    return None if owner == shard else owner


def _digest(*texts: str) -> str:
    """Return a digest of ``texts``, so that the login itself is not saved."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def _merge_settings(settings: list[ProbeSettings]) -> ProbeSettings | None:
    """Return the settings for an API root that several accounts share: the shortest enabled interval, or None."""
    enabled = [candidate for candidate in settings if candidate.enabled]
    return min(enabled, key=lambda candidate: candidate.interval, default=None)
