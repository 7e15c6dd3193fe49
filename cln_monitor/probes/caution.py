"""Cautions: anomalies in responses that could be read nevertheless."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

import msgspec
from msgspec import UNSET

from cln_monitor import facts
from cln_monitor.cln import Limit, ReadOnlyClient

_MOST_NAMED = 20


class Caution(msgspec.Struct, frozen=True, omit_defaults=True):
    """A ``fact`` of ``cln_monitor.facts``, the number of objects it applies to, and the ``names`` of the first 20."""

    fact: str
    names: tuple[str, ...]
    count: int = 1

    @classmethod
    def for_names(cls, fact: str, names: Sequence[str]) -> tuple[Caution, ...]:
        """Return a caution about everything in ``names``; an empty tuple if ``names`` is empty."""
        return (cls(fact, tuple(names[:_MOST_NAMED]), len(names)),) if names else ()


class KeyLimits(NamedTuple):
    """The cautions about the limits of a list of keys: those of the whole list, and those of single keys by label."""

    of_list: tuple[Caution, ...]
    by_key: Mapping[str, tuple[Caution, ...]]


def phrases_of(cautions: Iterable[Caution], probe: str = "") -> list[facts.Phrase]:
    """Return one phrase per fact in ``cautions`` about the data of ``probe``, the worst first."""
    return facts.phrases(((caution.fact, caution.names, caution.count) for caution in cautions), probe)


class Keyed(Protocol):
    """A license key as CLN lists it."""

    @property
    def key(self) -> str:
        """The key in full."""

    @property
    def limit(self) -> Limit:
        """The maximum number of servers."""


def limit_cautions(
    client: ReadOnlyClient, keys: Sequence[Keyed], label: Callable[[str], str], product: str
) -> KeyLimits:
    """Return the cautions about the limits of ``keys``, the complete list of a ``product`` as CLN sent it."""
    if keys and all(key.limit is None for key in keys):
        missing = f"limit of {counted(len(keys), f'{product} key')}"
        return KeyLimits(Caution.for_names(facts.FIELD_MISSING, [missing]), {})
    by_key = {
        label(key.key): Caution.for_names(facts.LIMIT_UNREADABLE, [f"{label(key.key)} ('{client.scrub(key.limit)}')"])
        if isinstance(key.limit, str)
        else Caution.for_names(facts.LIMIT_NOT_TOLD, [label(key.key)])
        for key in keys
        if key.limit is None or isinstance(key.limit, str)
    }
    return KeyLimits((), by_key)


def address_cautions(servers: Sequence[Any], owner: str) -> tuple[Caution, ...]:
    """Return a caution if no row of ``servers`` has an IP address.

    ``servers`` is a complete list as CLN sent it; ``owner`` completes the phrase "3 servers …", as "of key X" does.
    """
    is_missing = servers and not any(is_address(server.ip) for server in servers)
    names = [f"ip of {counted(len(servers), 'server')} {owner}"] if is_missing else []
    return Caution.for_names(facts.FIELD_MISSING, names)


def is_address(ip: str) -> bool:
    """Return whether ``ip`` is an IPv4 or IPv6 address."""
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in ip else socket.AF_INET, ip)  # ten times as fast as ipaddress
    except (OSError, ValueError):
        return False
    return True


def checkin_cautions(
    servers: Sequence[Any],
    ahead: Sequence[Any],
    owner: str,
    *,
    field: str = "last_checkin",
    missing_fact: str = facts.FIELD_MISSING,
) -> tuple[Caution, ...]:
    """Return the cautions about the check-ins of ``servers``, and about those whose check-in is ``ahead`` of CLN.

    ``missing_fact`` is the one that applies if no row has the ``field``.
    """
    is_missing = servers and not ahead and all(server.last_checkin is UNSET for server in servers)
    missing = [f"{field} of {counted(len(servers), 'server')} {owner}"] if is_missing else []
    return (
        *Caution.for_names(missing_fact, missing),
        *Caution.for_names(facts.CHECKIN_AHEAD, list(map(_name_with_date, ahead))),
    )


def server_cautions(servers: Sequence[Any], ahead: Sequence[Any], owner: str) -> tuple[Caution, ...]:
    """Return the cautions about the addresses and check-ins of ``servers``."""
    return address_cautions(servers, owner) + checkin_cautions(servers, ahead, owner)


def counted(number: int, noun: str) -> str:
    """Return the number with its noun: ``1 key``, ``2 keys``."""
    return f"{number} {noun}{'s' * (number != 1)}"


def _name_with_date(server: Any) -> str:
    return (
        f"{server.ip or getattr(server, 'server_id', '')} ({datetime.fromtimestamp(server.last_checkin, UTC):%Y-%m-%d})"
    )
