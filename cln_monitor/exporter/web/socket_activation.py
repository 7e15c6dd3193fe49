"""Sockets that systemd listens on and hands over, as sd_listen_fds(3) has it."""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping

from .listening import ListenError

_FIRST = 3  # after standard input, output and error


def take_sockets(environment: MutableMapping[str, str] = os.environ, first: int = _FIRST) -> list[socket.socket]:
    """Take the sockets that the ``environment`` hands over to this process; none without a ``.socket`` unit.

    Raises ListenError for what is no TCP socket that listens.
    """
    pid, count, names = (environment.pop(f"LISTEN_{name}", "") for name in ("PID", "FDS", "FDNAMES"))
    if pid != str(os.getpid()) or not (count.isascii() and count.isdecimal()):
        return []
    called = names.split(":")
    return [_take(first + index, called[index] if index < len(called) else "") for index in range(int(count))]


def _take(descriptor: int, name: str) -> socket.socket:
    expected = "expected ListenStream=HOST:PORT and no Accept=yes in the .socket unit"
    problem = ListenError(f"cannot listen on what systemd hands over as {name or descriptor}: {expected}")
    try:
        os.set_inheritable(descriptor, False)
        sock = socket.socket(fileno=descriptor)
    except OSError:
        raise problem from None
    is_tcp = sock.family in {socket.AF_INET, socket.AF_INET6} and sock.type == socket.SOCK_STREAM
    if not is_tcp or not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        sock.close()
        raise problem
    sock.setblocking(False)
    return sock
