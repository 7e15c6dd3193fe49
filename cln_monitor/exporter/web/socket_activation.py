"""Socket activation: listening sockets passed by systemd (sd_listen_fds(3))."""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping

from .listening import ListenError

_FIRST = 3  # SD_LISTEN_FDS_START


def take_sockets(environment: MutableMapping[str, str] = os.environ, first: int = _FIRST) -> list[socket.socket]:
    """Return the sockets that systemd passed to this process, an empty list without a ``.socket`` unit.

    Removes the variables ``LISTEN_*`` from ``environment``. Raises ListenError if a descriptor is not a listening TCP
    socket.
    """
    pid, count, names = (environment.pop(f"LISTEN_{name}", "") for name in ("PID", "FDS", "FDNAMES"))
    if pid != str(os.getpid()) or not (count.isascii() and count.isdecimal()):
        return []
    socket_names = names.split(":")
    return [
        _take(first + index, socket_names[index] if index < len(socket_names) else "") for index in range(int(count))
    ]


def _take(descriptor: int, name: str) -> socket.socket:
    expected = "expected ListenStream=HOST:PORT and no Accept=yes in the .socket unit"
    problem = ListenError(f"cannot listen on the socket {name or descriptor} passed by systemd: {expected}")
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
