"""The listening sockets of the exporter, for the addresses of ``--web.listen-address``."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, NamedTuple

import structlog

_BACKLOG = 512
_ATTEMPTS = 50  # to find a port that is free on each address of a host
_NO_IPV6 = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT})

_ALL = IPv6Address("::")  # a dual-stack socket, which includes IPv4
_ALL_OF_IPV4 = IPv4Address("0.0.0.0")  # noqa: S104 # requested by the operator

_log = structlog.get_logger(__name__)


class ListenError(Exception):
    """The exporter cannot listen on an address."""


class _Address(NamedTuple):
    """An address and port to listen on; ``::`` means all addresses, including those of IPv4."""

    ip: IPv4Address | IPv6Address
    port: int
    scope: int = 0

    def is_covered_by(self, other: _Address) -> bool:
        """Return whether a socket on ``other`` accepts connections to this address too; port 0 is never the same."""
        if self == other:
            return True
        is_within = other.ip.is_unspecified and (other.ip.version == 6 or self.ip.version == 4)
        return is_within and self.port == other.port != 0

    def __str__(self) -> str:
        return f"[{self.ip}]:{self.port}" if self.ip.version == 6 else f"{self.ip}:{self.port}"


def listen(*addresses: str) -> list[socket.socket]:
    """Return sockets that listen on ``addresses``, such as ``127.0.0.1:10099``, ``[::1]:10099`` or ``:10099``.

    Without a host, or with ``*`` or ``[::]``, one socket accepts IPv6 and IPv4, or only IPv4 if there is no IPv6;
    ``0.0.0.0`` is IPv4 only. A host name means all of its addresses, with the same port if the port is 0. Duplicate
    addresses, and those covered by another one, share one socket. Raises ListenError.
    """
    wanted = [(text, _resolve(text)) for text in addresses]
    everything = [address for _, found in wanted for address in found]
    taken: list[_Address] = []
    with contextlib.ExitStack() as stack:
        sockets: list[socket.socket] = []
        for text, found in wanted:
            new = [address for address in found if not _is_elsewhere(address, everything, taken)]
            taken += new
            sockets += [stack.enter_context(sock) for sock in _listen_on_each(text, new)]
        stack.pop_all()
    return sockets


def _is_elsewhere(address: _Address, everything: Iterable[_Address], taken: Iterable[_Address]) -> bool:
    return address in taken or any(address != other and address.is_covered_by(other) for other in everything)


def address_of(sock: socket.socket) -> str:
    """Return ``HOST:PORT`` of a listening socket."""
    host, port = sock.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _resolve(text: str) -> list[_Address]:
    """Return the addresses of ``HOST:PORT``, in the order of the resolver. Raises ListenError."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not (port.isascii() and port.isdecimal()) or int(port) > 65535:
        expected = "expected HOST:PORT, such as 127.0.0.1:10099, or :10099 for all addresses"
        raise ListenError(f"cannot listen on {text!r}: {expected}")
    if host in {"", "*"}:
        return [_Address(_ALL, int(port))]
    try:
        found = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a host name"
        raise ListenError(f"cannot listen on {text}: {reason}") from None
    return list(dict.fromkeys(_address(where) for *_, where in found))


def _address(where: tuple[Any, ...]) -> _Address:
    """Return the address of a socket address tuple, with an IPv4-mapped IPv6 address as IPv4."""
    ip = ip_address(where[0].partition("%")[0])
    mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
    return _Address(mapped or ip, where[1], where[3] if len(where) > 3 else 0)


def _listen_on_each(text: str, addresses: list[_Address]) -> list[socket.socket]:
    """Return sockets for all ``addresses`` of ``text``, on the same port if it is 0. Raises ListenError."""
    for _ in range(_ATTEMPTS):
        try:
            return _try_each(text, addresses)
        except _PortTakenError:
            continue
    names = f"both {addresses[0].ip} and {addresses[1].ip}" if len(addresses) == 2 else "all addresses"
    raise ListenError(f"cannot listen on {text}: no port is free on {names}; specify a port")


class _PortTakenError(Exception):
    """A port that is free on one address of a host is in use on another."""


def _try_each(text: str, addresses: list[_Address]) -> list[socket.socket]:
    missing: dict[_Address, str] = {}
    sockets: list[socket.socket] = []
    with contextlib.ExitStack() as stack:
        for address in addresses:
            port = address.port or (sockets[0].getsockname()[1] if sockets else 0)
            try:
                sockets.append(stack.enter_context(_bound(address._replace(port=port))))
            except OSError as error:
                if error.errno == errno.EADDRINUSE and not address.port:
                    raise _PortTakenError from None
                if address.ip.version == 4 or error.errno not in _NO_IPV6 or len(missing) + 1 == len(addresses):
                    hint = "; is another exporter running?" if error.errno == errno.EADDRINUSE else ""
                    which = f" ({address.ip})" if len(addresses) > 1 else ""
                    raise ListenError(f"cannot listen on {text}{which}: {error.strerror}{hint}") from None
                missing[address] = str(error.strerror)
        stack.pop_all()
    for address, reason in missing.items():  # localhost may resolve to ::1 on a machine without IPv6
        _log.info("not listening", address=str(address), host=text, reason=reason)
    return sockets


def _bound(address: _Address) -> socket.socket:
    """Return a socket that listens on ``address``. Raises OSError."""
    if address.ip != _ALL:
        return _bound_to(address)
    try:
        return _bound_to(address)
    except OSError as error:
        if error.errno not in _NO_IPV6:
            raise
        return _bound_to(address._replace(ip=_ALL_OF_IPV4))


def _bound_to(address: _Address) -> socket.socket:
    is_ipv6 = address.ip.version == 6
    # The protocol is explicit so that asyncio sets TCP_NODELAY; otherwise small responses wait 40 ms for an ACK.
    sock = socket.socket(socket.AF_INET6 if is_ipv6 else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if is_ipv6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, address.ip != _ALL)
            sock.bind((str(address.ip), address.port, 0, address.scope))
        else:
            sock.bind((str(address.ip), address.port))
        sock.listen(_BACKLOG)
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)
    return sock
