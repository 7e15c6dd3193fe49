"""What is odd in an answer that was read all the same."""

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
    """A ``fact`` of ``cln_monitor.policy`` and the ``names``, the first twenty, of the ``count`` that it is true of."""

    fact: str
    names: tuple[str, ...]
    count: int = 1

    @classmethod
    def of(cls, fact: str, names: Sequence[str]) -> tuple[Caution, ...]:
        """Return a caution of what is named in ``names``, none where there are none."""
        return (cls(fact, tuple(names[:_MOST_NAMED]), len(names)),) if names else ()


class KeyLimits(NamedTuple):
    """The cautions of the limits of a list of keys: ``of_all`` of them, and ``of_key``, by its label."""

    of_all: tuple[Caution, ...]
    of_key: Mapping[str, tuple[Caution, ...]]


def phrases_of(cautions: Iterable[Caution]) -> list[facts.Phrase]:
    """Return what ``cautions`` say, a phrase for each fact, the worst first."""
    return facts.phrases((caution.fact, caution.names, caution.count) for caution in cautions)


class Keyed(Protocol):
    """A key as CLN lists it."""

    @property
    def key(self) -> str:
        """The key itself."""

    @property
    def limit(self) -> Limit:
        """Its limit."""


def of_limits(client: ReadOnlyClient, keys: Sequence[Keyed], label: Callable[[str], str], of: str) -> KeyLimits:
    """Return what is odd in the limits of ``keys``, a list that CLN gave; ``of`` says of what they are."""
    if keys and all(key.limit is None for key in keys):
        return KeyLimits(Caution.of(facts.FIELD_MISSING, [f"limit of {counted(len(keys), f'{of} key')}"]), {})
    of_key = {
        label(key.key): Caution.of(facts.LIMIT_UNREADABLE, [f"{label(key.key)} ('{client.scrub(key.limit)}')"])
        if isinstance(key.limit, str)
        else Caution.of(facts.LIMIT_NOT_TOLD, [label(key.key)])
        for key in keys
        if key.limit is None or isinstance(key.limit, str)
    }
    return KeyLimits((), of_key)


def of_addresses(servers: Sequence[Any], of: str) -> tuple[Caution, ...]:
    """Return a caution where CLN tells the address of none of ``servers``, a list that it gave; ``of`` whose it is."""
    is_missing = servers and not any(is_address(server.ip) for server in servers)
    return Caution.of(facts.FIELD_MISSING, [f"ip of {counted(len(servers), 'server')} {of}"] if is_missing else [])


def is_address(ip: str) -> bool:
    """Tell whether ``ip`` is an address, of IPv4 or IPv6."""
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in ip else socket.AF_INET, ip)  # a tenth of what ipaddress takes
    except (OSError, ValueError):
        return False
    return True


def of_checkins(servers: Sequence[Any], ahead: Sequence[Any], of: str) -> tuple[Caution, ...]:
    """Return the cautions of the check-ins of ``servers``, a list that CLN gave, and of those that are ``ahead``."""
    is_missing = servers and not ahead and all(server.last_checkin is UNSET for server in servers)
    told = [f"last_checkin of {counted(len(servers), 'server')} {of}"] if is_missing else []
    return Caution.of(facts.FIELD_MISSING, told) + Caution.of(facts.CHECKIN_AHEAD, list(map(_named, ahead)))


def of_servers(servers: Sequence[Any], ahead: Sequence[Any], of: str) -> tuple[Caution, ...]:
    """Return the cautions of addresses and check-ins of the ``servers`` of a key."""
    return of_addresses(servers, of) + of_checkins(servers, ahead, of)


def counted(number: int, what: str) -> str:
    """Return ``1 key``, ``2 keys``."""
    return f"{number} {what}{'s' * (number != 1)}"


def _named(server: Any) -> str:
    return (
        f"{server.ip or getattr(server, 'server_id', '')} ({datetime.fromtimestamp(server.last_checkin, UTC):%Y-%m-%d})"
    )
