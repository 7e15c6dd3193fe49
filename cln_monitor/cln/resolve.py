"""The addresses of a host, within a time: nothing can interrupt ``getaddrinfo``, so who asks does not wait for it.

A look-up that hangs goes on in a thread of its own, for as long as the system lets it. Who asks for the same host
meanwhile waits for that one, so that a resolver which is down is not asked again and again.
"""

from __future__ import annotations

import errno
import socket
import threading
import time
from concurrent.futures import Future
from ipaddress import ip_address
from typing import Any

_STUCK = 60.0  # seconds after which an answer is not counted on any more, and the host is looked up anew
_MOST = 16  # look-ups under way; each is a thread that nobody can end

Addresses = list[tuple[Any, ...]]
"""As ``socket.getaddrinfo`` returns them."""


class _LookUp(Future[Addresses]):
    """A look-up under way."""

    def __init__(self) -> None:
        super().__init__()
        self.started = time.monotonic()


_under_way: dict[tuple[str, int], _LookUp] = {}
_threads = threading.BoundedSemaphore(_MOST)
_lock = threading.Lock()


def resolve(host: str, port: int, seconds: float) -> Addresses:
    """Return the stream addresses of ``host``. Raises TimeoutError after ``seconds``, or OSError."""
    if _is_address(host):
        return _addresses(host, port)
    look_up = _join(host, port)
    try:
        return look_up.result(seconds)
    except socket.gaierror as error:
        raise socket.gaierror(*error.args) from None  # one for each who waits: an error gathers where it was


def _addresses(host: str, port: int) -> Addresses:
    return list(socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM))


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _join(host: str, port: int) -> _LookUp:
    """Return the look-up of ``host`` that is under way, or a new one."""
    with _lock:
        known = _under_way.get((host, port))
        if known is not None and time.monotonic() - known.started < _STUCK:
            return known
        if not _threads.acquire(blocking=False):
            if known is not None:
                return known
            raise OSError(errno.EAGAIN, f"{_MOST} host names are being looked up already")
        look_up = _under_way[host, port] = _LookUp()
        try:
            threading.Thread(target=_look_up, args=(host, port, look_up), name="resolve", daemon=True).start()
        except RuntimeError:
            del _under_way[host, port]
            _threads.release()
            raise OSError(errno.EAGAIN, "no thread is left to look up the host name") from None
    return look_up


def _look_up(host: str, port: int, look_up: _LookUp) -> None:
    try:
        found = _addresses(host, port)
    except BaseException as error:  # noqa: BLE001 # whatever it is, it is for those who wait
        _end(host, port, look_up)
        look_up.set_exception(error)
    else:
        _end(host, port, look_up)
        look_up.set_result(found)


def _end(host: str, port: int, look_up: _LookUp) -> None:
    """Let the next who asks look up anew: it is the system that remembers answers."""
    with _lock:
        if _under_way.get((host, port)) is look_up:
            del _under_way[host, port]
    _threads.release()
