"""Advice on a configuration: settings that are valid, but risky or probably a mistake, and disabled probes."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from cln_monitor.cln import suspicion_of_secret
from cln_monitor.durations import format_duration
from cln_monitor.probes import WITHOUT_LOGIN
from cln_monitor.source_kinds import SOURCE_KINDS, kind_of

from .environment import in_variables
from .exposed_secrets import exposed_secrets
from .model import SECRET_NAMES, AccountConfig, Config, secret_fields


def warnings_of(config: Config) -> list[str]:
    """Return one line for each setting in ``config`` that works, but is risky or probably a mistake."""
    warnings = [*_exposed(config), *_counted_twice(config)]
    warnings += _placeholders(config)
    warnings += _odd_secrets(config)
    if not config.enabled_probes:
        warnings.append("probes: no probe is enabled, so nothing is monitored")
    warnings += _short_ages(config)
    return [in_variables(warning) for warning in warnings] if config.from_environment else warnings


def _counted_twice(config: Config) -> Iterator[str]:
    """Yield a warning for each account and ePortal that is the same as an earlier one."""
    first: dict[tuple[str, str], str] = {}
    for place, account, login in _logins(config):
        other = first.setdefault((config.api_url_of(account), login), account.name)
        if other != account.name:
            yield f"{place}: {account.name} has the same login as {other}; everything is requested and counted twice"
    names: dict[str, str] = {}
    for index, eportal in enumerate(config.eportals):
        other = names.setdefault(eportal.url.rstrip("/"), eportal.name)
        if other != eportal.name:
            place = f"eportals[{index}].url"
            yield f"{place}: {eportal.name} has the same URL as {other}; its servers are requested and counted twice"


def _short_ages(config: Config) -> Iterator[str]:
    """Yield a warning for each enabled probe whose data expires between polls."""
    for kind in SOURCE_KINDS:
        for source in config.sources_of(kind):
            for probe in kind.probes:
                settings = config.settings_of(source, probe)
                if settings.enabled and settings.max_age < settings.interval:
                    yield (
                        f"probes.{probe} of {source.name}: max_age {format_duration(settings.max_age)} is shorter than "
                        f"the interval {format_duration(settings.interval)}, so its data expires between polls"
                    )


def _logins(config: Config) -> Iterator[tuple[str, AccountConfig, str]]:
    """Yield the place of each login, the account, and the login."""
    for index, account in enumerate(config.accounts):
        if not account.has_login:
            continue
        field = "login" if account.login_env is None else "login_env"
        with contextlib.suppress(ValueError):  # reported by the call that needs it
            yield f"accounts[{index}].{field}", account, config.login_of(account).reveal()


def _exposed(config: Config) -> Iterator[str]:
    """Yield a warning for each setting that exposes secrets."""
    if config.tls_config.insecure_skip_verify:
        yield (
            "tls_config.insecure_skip_verify: TLS certificate verification is disabled; "
            "anyone on the network path can read the credentials"
        )
    yield from map(str, exposed_secrets(config))
    for api_url in sorted({config.api_url_of(account) for account in config.accounts}):
        parts = urlsplit(api_url)
        if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
            yield f"{api_url}: tokens are sent unencrypted over http"
    yield from _http_eportals(config)


def _http_eportals(config: Config) -> Iterator[str]:
    """Yield a warning for each ePortal whose credentials are sent unencrypted."""
    for index, eportal in enumerate(config.eportals):
        parts = urlsplit(eportal.url)
        if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
            yield f"eportals[{index}].url: the credentials are sent unencrypted over http"


_PLACEHOLDER = re.compile(
    r"(?:acme|my|your|example|demo|test|cln)[_ -]?(?:login|user|username|account)"
    r"|change[_ -]?me|xxx+|<[^>]*>|\.\.\.|todo",
    re.IGNORECASE,
)


def _placeholders(config: Config) -> Iterator[str]:
    """Yield a warning for each login that is a placeholder, except on loopback, where the simulator accepts one."""
    for place, account, login in _logins(config):
        if _PLACEHOLDER.fullmatch(login) and not _is_loopback(urlsplit(config.api_url_of(account)).hostname or ""):
            yield f"{place}: placeholder of an example; replace it with the login of the CLN account"


def _odd_secrets(config: Config) -> Iterator[str]:
    """Yield a warning for each secret with characters that are probably a mistake and hard to see."""
    for place, _, login in _logins(config):
        if suspicion := suspicion_of_secret(login):
            yield f"{place}: {suspicion}"
    for index, account in enumerate(config.accounts):
        place = f"accounts[{index}]"
        for name in SECRET_NAMES:
            field = next((field for field in secret_fields(name) if getattr(account, field) is not None), None)
            with contextlib.suppress(OSError, ValueError):  # reported by the call that needs it
                if field and (suspicion := suspicion_of_secret(config.secret_of(account, name)().reveal())):
                    yield f"{place}.{field}: the {name.replace('_', ' ')} {suspicion}"


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def reason_not_configured(config: Config, probe: str, names: Collection[str]) -> str:
    """Return why ``probe`` can read none of the sources called ``names`` in ``config``, and what to do about it.

    Empty if it can read all of them, and, without names, if there is a source of its kind.
    """
    kind = kind_of(probe)
    known = config.names_of(kind)
    if set(names) <= set(known) and known:
        return ""
    problems = (config.problem_of_kind(kind, name) for name in names)
    problem = next(filter(None, problems), "")
    if not known:
        return "; ".join(filter(None, [problem, config.problem_of_none(kind)]))
    return f"{problem or f'unknown {kind.noun}'}; configured {kind.plural}: {', '.join(known)}"


def reason_disabled(config: Config, probe: str, accounts: Collection[str], owner: str) -> str:
    """Return why ``config`` has disabled ``probe`` for ``accounts``, and what to do about it.

    ``owner`` names the accounts in the text, as in " of acme".
    """
    without_login = [account.name for account in config.accounts if account.name in accounts and not account.has_login]
    if probe not in WITHOUT_LOGIN and without_login and len(without_login) == len(accounts):
        have = "account {} has" if len(without_login) == 1 else "accounts {} have"
        return f"the {have.format(', '.join(without_login))} no login and secret key, which the probe {probe} needs"
    return f"the probe {probe}{owner} is disabled; to enable it, set probes.{probe}.enabled: true"
