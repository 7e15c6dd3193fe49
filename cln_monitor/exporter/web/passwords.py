"""Password checks: bcrypt is slow by design, so they run in a thread, one at a time, and successes are cached."""

from __future__ import annotations

import asyncio
import hmac
import os
import random
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from ipaddress import IPv6Network, ip_address
from typing import NamedTuple

import bcrypt

from cln_monitor.cln import Threads

USUAL_COST = 10
"""The bcrypt cost in the examples of the Prometheus exporter-toolkit."""

_MAX_CACHED = 100
_MAX_WAITING = 64  # if some of them have failed before, or wait several times
_MAX_WAITING_NEW = 512  # if none has: half of all connections
_MAX_CLIENTS = 4096  # whose failed logins are counted
_FORGET_AFTER = 600.0  # seconds after the last failed login of a client
_RANDOM = random.SystemRandom()
_MAX_LENGTH = 72  # bytes of a password that bcrypt uses; htpasswd and Go ignore the rest as well
_DECOY = b"$2b$%02d$abcdefghijklmnopqrstuuW4dXEy9hNIuWSrAMTPfYfMzLHZj.Uhm" % USUAL_COST


class PasswordQueueFullError(Exception):
    """Too many password checks are waiting, and this client has the most failed logins."""


class Passwords:
    """A checker of passwords against bcrypt hashes.

    Correct passwords are cached while their hash is unchanged, wrong ones are not: a flood of login attempts uses one
    CPU core at most and does not lock out clients that have logged in before. Clients with fewer recent failed logins
    are checked first. An unknown user takes as long as a wrong password for a hash of the usual cost.
    """

    def __init__(self, threads: Executor | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        """Check passwords in ``threads``, one at a time; ``clock`` returns monotonic seconds."""
        self._salt = os.urandom(32)
        self._good: dict[bytes, None] = {}
        self._threads = threads or Threads(1)
        self._turns = _Turns(clock)

    def knows(self, users: Mapping[bytes, bytes], user: bytes, password: bytes) -> bool:
        """Return whether ``password`` of ``user`` is cached as correct, and the hash is unchanged."""
        return self._key(users.get(user), user, password) in self._good

    async def fit(self, users: Mapping[bytes, bytes], user: bytes, password: bytes, client: str = "") -> bool:
        """Return whether ``password`` of ``user`` is correct.

        ``users`` maps user names to bcrypt hashes, ``client`` is the IP address. Cancelling the coroutine leaves the
        queue. Raises PasswordQueueFullError.
        """
        hashed = users.get(user)
        key = self._key(hashed, user, password)
        if key in self._good:
            return True
        await self._turns.acquire(client, user)
        try:
            if key in self._good:  # checked by another request in the meantime
                return True
            compare = asyncio.get_running_loop().run_in_executor(self._threads, _fits, password, hashed or _DECOY)
            try:
                fits = await asyncio.shield(compare)
            except asyncio.CancelledError:
                await compare  # the turn lasts until the thread has finished
                raise
            if key is None or not fits:
                self._turns.record_failure(client, user)
                return False
            self._turns.record_success(client, user)
        finally:
            self._turns.release()
        self._good[key] = None
        if len(self._good) > _MAX_CACHED:
            del self._good[next(iter(self._good))]
        return True

    def _key(self, hashed: bytes | None, user: bytes, password: bytes) -> bytes | None:
        if hashed is None:
            return None
        pieces = (len(user).to_bytes(8, "big"), user, hashed, password)
        return hmac.digest(self._salt, b"".join(pieces), "sha256")  # passwords are not stored


def _fits(password: bytes, hashed: bytes) -> bool:
    return bcrypt.checkpw(password[:_MAX_LENGTH], hashed)


class _Waiting(NamedTuple):
    """A waiting request: client address, user, position in the order of arrival, and a random number."""

    client: str
    user: bytes
    position: int
    lot: float


class _Turns:
    """A queue that serves one request at a time: first the clients with the fewest failed logins.

    Failed logins count by address, then by address and user. Among clients without any, the newest and the oldest
    request alternate, so that a first login waits neither behind forty others nor forever. Among the others the order
    is random: the correct password among a thousand attempts of one address must not always come last. Further requests
    of the same address and user wait behind the first one of each other client.
    """

    def __init__(self, clock: Callable[[], float], draw: Callable[[], float] = _RANDOM.random) -> None:
        self._clock = clock
        self._draw = draw
        self._is_taken = False
        self._is_newest_next = False
        self._arrived = 0
        self._waiting: dict[asyncio.Future[None], _Waiting] = {}
        self._failures: OrderedDict[tuple[str, bytes | None], tuple[int, float]] = OrderedDict()

    async def acquire(self, client: str, user: bytes) -> None:
        """Wait for a turn. Raises PasswordQueueFullError."""
        if not self._is_taken:
            self._is_taken = True
            return
        mine = asyncio.get_running_loop().create_future()
        self._arrived += 1
        self._waiting[mine] = _Waiting(_network(client), user, self._arrived, self._draw())
        try:
            self._make_room()
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled() and mine.exception() is None:
                self.release()  # the turn was assigned at the same moment
            raise
        finally:
            self._waiting.pop(mine, None)

    def _make_room(self) -> None:
        """Reject the worst request if too many wait: one with failed logins, or of a client with several requests."""
        waiting = [future for future in self._waiting if not future.done()]
        if len(waiting) <= _MAX_WAITING:
            return
        worst = max(waiting, key=self._rank)
        by_address, by_user, earlier, _ = self._rank(worst)
        if by_address or by_user or earlier or len(waiting) > _MAX_WAITING_NEW:
            del self._waiting[worst]
            worst.set_exception(PasswordQueueFullError())

    def release(self) -> None:
        """Pass the turn to the next request."""
        self._is_newest_next = not self._is_newest_next
        while self._waiting:
            first = min(self._waiting, key=self._rank)
            del self._waiting[first]
            if not first.done():  # it may be cancelled already
                first.set_result(None)
                return
        self._is_taken = False

    def record_failure(self, client: str, user: bytes) -> None:
        """Count a failed login."""
        for key in ((_network(client), None), (_network(client), user)):
            self._failures[key] = (self._failed(*key) + 1, self._clock())
            self._failures.move_to_end(key)
        while len(self._failures) > _MAX_CLIENTS:
            self._failures.popitem(last=False)

    def record_success(self, client: str, user: bytes) -> None:
        """Forget the failed logins of a client that has a correct password."""
        for key in ((_network(client), None), (_network(client), user)):
            self._failures.pop(key, None)

    def _failed(self, network: str, user: bytes | None = None) -> int:
        count, at = self._failures.get((network, user), (0, 0.0))
        return count if self._clock() - at <= _FORGET_AFTER else 0

    def _rank(self, future: asyncio.Future[None]) -> tuple[int, int, int, float]:
        request = self._waiting[future]
        by_address, by_user = self._failed(request.client), self._failed(request.client, request.user)
        earlier = sum(
            (other.client, other.user) == (request.client, request.user) and other.lot < request.lot
            for other in self._waiting.values()
        )
        position = -request.position if self._is_newest_next else request.position
        return by_address, by_user, earlier, request.lot if by_address else position


def _network(client: str) -> str:
    """Return what identifies a client: its IPv4 address, or its IPv6 /64, in which it can choose any address."""
    try:
        address = ip_address(client)
    except ValueError:
        return client
    return str(address) if address.version == 4 else str(IPv6Network((address, 64), strict=False))
