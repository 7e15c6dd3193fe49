"""Whether a password is that of a user: slow by design, so off the event loop, one at a time, and remembered."""

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
"""The cost that ``htpasswd -B`` and the documentation of the toolkit take."""

_MOST_KEPT = 100
_MOST_WAITING = 64  # of whom some have guessed wrong, or ask for several things at once
_MOST_NEW = 512  # of whom nothing speaks against any: half of all connections
_MOST_CLIENTS = 4096  # whose wrong guesses are counted
_FORGOTTEN = 600.0  # seconds after which those of a client are
_RANDOM = random.SystemRandom()
_LONGEST = 72  # bytes of a password that bcrypt looks at; htpasswd and Go ignore the others as well
_DECOY = b"$2b$%02d$abcdefghijklmnopqrstuuW4dXEy9hNIuWSrAMTPfYfMzLHZj.Uhm" % USUAL_COST


class PasswordQueueFullError(Exception):
    """More passwords wait to be checked than can be in decent time, and this client has guessed most."""


class Passwords:
    """Checks passwords against bcrypt hashes.

    A good one is remembered as long as its hash stays, one that is not is never: so a flood of guesses takes one core
    at most and drives out nobody who was let in before. Who comes for the first time goes before those who have guessed
    wrong: the fewer wrong guesses a client has made lately, the sooner its turn. A user that is unknown takes as long
    as the wrong password of a user whose hash has the usual cost, whatever the file holds.
    """

    def __init__(self, threads: Executor | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        """``threads`` are those that compare, one of them at a time."""
        self._salt = os.urandom(32)
        self._good: dict[bytes, None] = {}
        self._threads = threads or Threads(1)
        self._turns = _Turns(clock)

    def knows(self, users: Mapping[bytes, bytes], user: bytes, password: bytes) -> bool:
        """Tell whether ``password`` was found to be that of ``user`` before, and is."""
        return self._key(users.get(user), user, password) in self._good

    async def fit(self, users: Mapping[bytes, bytes], user: bytes, password: bytes, client: str = "") -> bool:
        """Tell whether ``password`` is that of ``user``, whose hash is among ``users``; ``client`` is who asks.

        Raises PasswordQueueFullError. Who no longer waits for the answer cancels it, and frees the place.
        """
        hashed = users.get(user)
        key = self._key(hashed, user, password)
        if key in self._good:
            return True
        await self._turns.take(client, user)
        try:
            if key in self._good:  # another request has asked the same in the meantime
                return True
            compare = asyncio.get_running_loop().run_in_executor(self._threads, _fits, password, hashed or _DECOY)
            try:
                fits = await asyncio.shield(compare)
            except asyncio.CancelledError:
                await compare  # the thread is at it, and the turn is not over before
                raise
            if key is None or not fits:
                self._turns.wrong(client, user)
                return False
            self._turns.right(client, user)
        finally:
            self._turns.end()
        self._good[key] = None
        if len(self._good) > _MOST_KEPT:
            del self._good[next(iter(self._good))]
        return True

    def _key(self, hashed: bytes | None, user: bytes, password: bytes) -> bytes | None:
        if hashed is None:
            return None
        pieces = (len(user).to_bytes(8, "big"), user, hashed, password)
        return hmac.digest(self._salt, b"".join(pieces), "sha256")  # no password is kept


def _fits(password: bytes, hashed: bytes) -> bool:
    return bcrypt.checkpw(password[:_LONGEST], hashed)


class _Waiting(NamedTuple):
    """Somebody who waits: the address, the user that was named, when in order, and a lot that was drawn."""

    client: str
    user: bytes
    place: int
    lot: float


class _Turns:
    """One turn at a time, and who is next: who has guessed wrong least often, from the address and as the user.

    Of several who have not, it is by turns who asked last and who asked first: a first login does not wait for forty
    others, nor for ever. Of those who have, it is who drew the lowest lot: among a thousand guesses of one address
    nobody can tell the right one, and it must not always be the last. Of the same address and user each further
    request waits behind a first one of the others.
    """

    def __init__(self, clock: Callable[[], float], draw: Callable[[], float] = _RANDOM.random) -> None:
        self._clock = clock
        self._draw = draw
        self._is_taken = False
        self._is_newest_next = False
        self._asked = 0
        self._waiting: dict[asyncio.Future[None], _Waiting] = {}
        self._wrong: OrderedDict[tuple[str, bytes | None], tuple[int, float]] = OrderedDict()

    async def take(self, client: str, user: bytes) -> None:
        """Wait for a turn. Raises PasswordQueueFullError."""
        if not self._is_taken:
            self._is_taken = True
            return
        mine = asyncio.get_running_loop().create_future()
        self._asked += 1
        self._waiting[mine] = _Waiting(_who(client), user, self._asked, self._draw())
        try:
            self._make_room()
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled() and mine.exception() is None:
                self.end()  # it was given the turn just now
            raise
        finally:
            self._waiting.pop(mine, None)

    def _make_room(self) -> None:
        """Turn one away where too many wait: who has guessed wrong, or asks for more at once than others."""
        waiting = [future for future in self._waiting if not future.done()]
        if len(waiting) <= _MOST_WAITING:
            return
        worst = max(waiting, key=self._rank)
        address, as_user, before, _ = self._rank(worst)
        if address or as_user or before or len(waiting) > _MOST_NEW:
            del self._waiting[worst]
            worst.set_exception(PasswordQueueFullError())

    def end(self) -> None:
        """Give the turn to the next."""
        self._is_newest_next = not self._is_newest_next
        while self._waiting:
            first = min(self._waiting, key=self._rank)
            del self._waiting[first]
            if not first.done():  # who has left may not have noticed yet
                first.set_result(None)
                return
        self._is_taken = False

    def wrong(self, client: str, user: bytes) -> None:
        """Count a wrong guess."""
        for key in ((_who(client), None), (_who(client), user)):
            self._wrong[key] = (self._guesses(*key) + 1, self._clock())
            self._wrong.move_to_end(key)
        while len(self._wrong) > _MOST_CLIENTS:
            self._wrong.popitem(last=False)

    def right(self, client: str, user: bytes) -> None:
        """Forget the wrong guesses of a client who knows a password."""
        for key in ((_who(client), None), (_who(client), user)):
            self._wrong.pop(key, None)

    def _guesses(self, who: str, user: bytes | None = None) -> int:
        count, at = self._wrong.get((who, user), (0, 0.0))
        return count if self._clock() - at <= _FORGOTTEN else 0

    def _rank(self, future: asyncio.Future[None]) -> tuple[int, int, int, float]:
        mine = self._waiting[future]
        address, as_user = self._guesses(mine.client), self._guesses(mine.client, mine.user)
        before = sum(
            (each.client, each.user) == (mine.client, mine.user) and each.lot < mine.lot
            for each in self._waiting.values()
        )
        place = -mine.place if self._is_newest_next else mine.place
        return address, as_user, before, mine.lot if address else place


def _who(client: str) -> str:
    """Return what tells clients apart: the address, of IPv6 the network, of which anybody has as many as he likes."""
    try:
        address = ip_address(client)
    except ValueError:
        return client
    return str(address) if address.version == 4 else str(IPv6Network((address, 64), strict=False))
