"""The addresses of a host, within a time: nothing can interrupt ``getaddrinfo``, so who asks does not wait for it.

A look-up that hangs goes on in a thread of its own, for as long as the system lets it. Who asks for the same host
meanwhile waits for that one, so that a resolver which is down is not asked again and again. Where no thread can be
started, the look-up is made in the current one, and takes as long as the system lets it.
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

_STUCK = 60.0  # seconds after which an answer is not counted on any more, and the host is looked up anew
_START = 5.0  # seconds after which a thread that was started runs, or never will
_MOST = 16  # look-ups under way; each is a thread that nobody can end

Addresses = list[tuple[Any, ...]]
"""As ``socket.getaddrinfo`` returns them."""


class _LookUp(Future[Addresses]):
    """A look-up under way."""

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
        raise socket.gaierror(*error.args) from None  # one for each who waits: an error gathers where it was
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
    """Return the look-up of ``host`` that is under way, or a new one."""
    with _lock:
        known = _under_way.get((host, port))
        if known is not None and _give_up_if_dead(host, port, known):
            known = None
        if known is not None and known.age < _STUCK:
            return known
        if not _threads.acquire(blocking=False):
            if known is not None:
                return known
            raise OSError(errno.EAGAIN, f"{_MOST} host names are being looked up already")
        look_up = _under_way[host, port] = _LookUp()
    if not start_thread(lambda: _look_up(host, port, look_up)):
        _look_up(host, port, look_up)
    return look_up


def _give_up_if_dead(host: str, port: int, look_up: _LookUp) -> bool:
    """Tell whether the thread of ``look_up`` has died, of lack of memory, before it ran; the lock is held."""
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
