"""Resolve host names with a timeout: ``getaddrinfo`` cannot be interrupted, so it runs in another thread.

A lookup that hangs continues in its thread until the system ends it. Other calls for the same host wait for the same
lookup, so that a resolver that is down does not get more and more queries. If no thread can be started, the lookup is
made in the current thread, without a timeout.
"""

from __future__ import annotations

import errno
import socket
import threading
import time
from concurrent.futures import CancelledError, Future
from ipaddress import ip_address
from typing import Any

from .threads import ThreadError, start_thread

_STUCK = 60.0  # seconds after which a lookup counts as hung, and the host is looked up again
_START = 5.0  # seconds within which a started thread must run, or it counts as dead
_MOST = 16  # concurrent lookups; each has a thread that cannot be stopped

Addresses = list[tuple[Any, ...]]
"""Addresses as returned by ``socket.getaddrinfo``."""


class _LookUp(Future[Addresses]):
    """A lookup in progress."""

    def __init__(self) -> None:
        super().__init__()
        self._started = time.monotonic()

    @property
    def age(self) -> float:
        """Return the seconds since it began."""
        return time.monotonic() - self._started


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
        raise socket.gaierror(
            *error.args
        ) from None  # a new exception for each waiting call, as an exception collects tracebacks
    except TimeoutError:
        with _lock:
            is_dead = _give_up_if_dead(host, port, look_up)
        if is_dead:
            raise OSError(errno.EAGAIN, str(ThreadError())) from None
        raise
    except CancelledError:
        raise OSError(errno.EAGAIN, str(ThreadError())) from None


def _addresses(host: str, port: int) -> Addresses:
    return list(socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM))


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _join(host: str, port: int) -> _LookUp:
    """Return the lookup of ``host`` in progress, or a new one."""
    with _lock:
        known = _under_way.get((host, port))
        if known is not None and _give_up_if_dead(host, port, known):
            known = None
        if known is not None and known.age < _STUCK:
            return known
        if not _threads.acquire(blocking=False):
            if known is not None:
                return known
            raise OSError(errno.EAGAIN, f"{_MOST} DNS lookups are already in progress")
        look_up = _under_way[host, port] = _LookUp()
    if not start_thread(lambda: _look_up(host, port, look_up)):
        _look_up(host, port, look_up)
    return look_up


def _give_up_if_dead(host: str, port: int, look_up: _LookUp) -> bool:
    """Return whether the thread of ``look_up`` died before it ran, for lack of memory; the lock must be held."""
    if look_up.cancelled():
        return True
    if look_up.age < _START or not look_up.cancel():
        return False
    if _under_way.get((host, port)) is look_up:
        del _under_way[host, port]
    _threads.release()
    return True


def _look_up(host: str, port: int, look_up: _LookUp) -> None:
    if not look_up.set_running_or_notify_cancel():
        return
    try:
        found = _addresses(host, port)
    except BaseException as error:  # noqa: BLE001 # raised in the waiting calls
        _end(host, port, look_up)
        look_up.set_exception(error)
    else:
        _end(host, port, look_up)
        look_up.set_result(found)


def _end(host: str, port: int, look_up: _LookUp) -> None:
    """Remove the lookup, so that the next call makes a new one: caching is left to the system."""
    with _lock:
        if _under_way.get((host, port)) is look_up:
            del _under_way[host, port]
    _threads.release()
