"""Creates the targets of a configuration."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from cln_monitor.cln import Clock, Exchange, RateLimiter, Redactor
from cln_monitor.config import AccountConfig, ClientFactory, Config, Source
from cln_monitor.probes import ALL_PROBES, Probe, ProbeSettings, Shard, probes_of
from cln_monitor.source_kinds import SOURCE_KINDS

from .target import Target


def make_targets(
    config: Config,
    clock: Clock,
    redactor: Redactor,
    observe: Callable[[Exchange], None],
    rate_limiter: RateLimiter | None = None,
) -> list[Target]:
    """Return one target per account and ePortal for each enabled probe, and one per API root for each of CLN itself.

    Without accounts there is no target for CLN itself.
    """
    clients = ClientFactory(config, clock, redactor, observe, rate_limiter=rate_limiter, shard=config.shard)
    targets = _targets_of_cln(config, clients)
    for kind in SOURCE_KINDS:
        for source in config.sources_of(kind):
            for name, probe in probes_of(kind).items():
                is_enabled = probe.per_account and config.settings_of(source, name).enabled
                if is_enabled and reader_of(probe, source.name, config.shard) is None:
                    targets.append(_target_of(probe, source, config, clients))
    return targets


def _targets_of_cln(config: Config, clients: ClientFactory) -> list[Target]:
    targets: list[Target] = []
    for api_url in dict.fromkeys(map(config.api_url_of, config.accounts)):
        accounts = [account for account in config.accounts if config.api_url_of(account) == api_url]
        transport = config.transport_of(api_url)
        for name in [name for name, probe in ALL_PROBES.items() if not probe.per_account]:
            settings = _merge_settings([account.probes[name] for account in accounts])
            if settings is not None:
                context = clients.for_api(api_url, settings)
                identity, relevant = _digest(api_url), (settings, transport)
                targets.append(
                    Target(ALL_PROBES[name], context, api_url, identity_digest=identity, config_fingerprint=relevant)
                )
    return targets


def _target_of(probe: Probe[Any], source: Source, config: Config, clients: ClientFactory) -> Target:
    """Return the target of ``probe`` for ``source``, with what identifies its data and what changes its requests."""
    fingerprint: tuple[Any, ...]
    if isinstance(source, AccountConfig):
        api_url = config.api_url_of(source)
        identity = _digest(api_url, config.login_of(source).reveal(), config.key_labels)
        fingerprint = (source, config.transport_of(api_url), config.shard)
    else:
        api_url = source.url
        identity = _digest(api_url, source.name, config.key_labels)
        fingerprint = (source, config.patches, config.probes, config.eportal_transport_of(source), config.shard)
    context = clients.for_source(source, probe.name)
    return Target(probe, context, api_url, identity_digest=identity, config_fingerprint=fingerprint)


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
