"""The targets that a configuration asks for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from cln_monitor.cln import Clock, Exchange, RateLimiter, Redactor
from cln_monitor.config import ClientFactory, Config
from cln_monitor.probes import PROBES, Probe, ProbeSettings, Shard

from .target import Target


def make_targets(
    config: Config,
    clock: Clock,
    redactor: Redactor,
    observe: Callable[[Exchange], None],
    rate_limiter: RateLimiter | None = None,
) -> list[Target]:
    """Return a target for each enabled probe: of each account, and of each distinct API root for CLN itself."""
    sources = ClientFactory(config, clock, redactor, observe, rate_limiter=rate_limiter, shard=config.shard)
    targets: list[Target] = []
    for api_url in dict.fromkeys(map(config.api_url_of, config.accounts)):
        of_root = [account for account in config.accounts if config.api_url_of(account) == api_url]
        reach = config.transport_of(api_url)
        for name in [name for name, probe in PROBES.items() if not probe.of_account]:
            settings = _of_root([account.probes[name] for account in of_root])
            if settings is not None:
                source = sources.for_api(api_url, settings)
                targets.append(
                    Target(PROBES[name], source, api_url, asks=_digest(api_url), made_from=(settings, reach))
                )
    for account in config.accounts:
        api_url = config.api_url_of(account)
        asks = _digest(api_url, account.login.reveal(), config.key_labels)
        made_from = (account, config.transport_of(api_url), config.shard)
        for name, probe in PROBES.items():
            if (
                probe.of_account
                and account.probes[name].enabled
                and reader_of(probe, account.name, config.shard) is None
            ):
                source = sources.for_account(account, name)
                targets.append(Target(probe, source, api_url, asks=asks, made_from=made_from))
    return targets


def reader_of(probe: Probe[Any], account: str, shard: Shard) -> Shard | None:
    """Return which other shard reads ``probe`` of ``account``, or None where ``shard`` reads it, or its part of it."""
    if probe.is_shared or not probe.of_account:
        return None  # each shard has to know for itself whether CLN is up
    owner = shard.owner(account, f"({probe.name})")  # no key is called so
    return None if owner == shard else owner


def _digest(*what: str) -> str:
    """Return what tells ``what`` from all else, and does not tell it: a login is nobody's business."""
    return hashlib.sha256("\0".join(what).encode()).hexdigest()


def _of_root(settings: list[ProbeSettings]) -> ProbeSettings | None:
    """Return what holds for an API root that several accounts use: enabled by any, as often as the keenest asks."""
    enabled = [each for each in settings if each.enabled]
    return min(enabled, key=lambda each: each.interval, default=None)
