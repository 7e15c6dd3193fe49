"""Whether a password is that of a user: slow by design, so off the event loop, one at a time, and remembered."""

from __future__ import annotations

import asyncio
import hmac
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from ipaddress import IPv6Network, ip_address

import bcrypt

from cln_monitor.cln import Threads

USUAL_COST = 10
"""The cost that ``htpasswd -B`` and the documentation of the toolkit take."""

_MOST_KEPT = 100
_MOST_WAITING = 64
_MOST_CLIENTS = 4096  # whose wrong guesses are counted
_FORGOTTEN = 600.0  # seconds after which those of a client are
_LONGEST = 72  # bytes of a password that bcrypt looks at; htpasswd and Go ignore the others as well
_DECOY = b"$2b$%02d$abcdefghijklmnopqrstuuW4dXEy9hNIuWSrAMTPfYfMzLHZj.Uhm" % USUAL_COST


class TooManyWait(Exception):
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

        Raises TooManyWait. Who no longer waits for the answer cancels it, and frees the place.
        """
        hashed = users.get(user)
        key = self._key(hashed, user, password)
        if key in self._good:
            return True
        await self._turns.take(client)
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
                self._turns.wrong(client)
                return False
            self._turns.right(client)
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


class _Turns:
    """One turn at a time, and who is next: the client with the fewest wrong guesses, of several the one that asked
    first."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._is_taken = False
        self._asked = 0
        self._waiting: dict[asyncio.Future[None], tuple[str, int]] = {}
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()

    async def take(self, client: str) -> None:
        """Wait for a turn. Raises TooManyWait."""
        if not self._is_taken:
            self._is_taken = True
            return
        mine = asyncio.get_running_loop().create_future()
        self._asked += 1
        self._waiting[mine] = (_who(client), self._asked)
        if len(self._waiting) > _MOST_WAITING:
            worst = max(self._waiting, key=self._rank)
            del self._waiting[worst]
            worst.set_exception(TooManyWait())
        try:
            await mine
        except asyncio.CancelledError:
            if self._waiting.pop(mine, None) is None and mine.done() and not mine.cancelled() and not mine.exception():
                self.end()  # it was given the turn just now
            raise

    def end(self) -> None:
        """Give the turn to the next."""
        if not self._waiting:
            self._is_taken = False
            return
        first = min(self._waiting, key=self._rank)
        del self._waiting[first]
        first.set_result(None)

    def wrong(self, client: str) -> None:
        """Count a wrong guess."""
        who = _who(client)
        self._wrong[who] = (self._guesses(who) + 1, self._clock())
        self._wrong.move_to_end(who)
        if len(self._wrong) > _MOST_CLIENTS:
            self._wrong.popitem(last=False)

    def right(self, client: str) -> None:
        """Forget the wrong guesses of a client who knows a password."""
        self._wrong.pop(_who(client), None)

    def _guesses(self, who: str) -> int:
        count, at = self._wrong.get(who, (0, 0.0))
        return count if self._clock() - at <= _FORGOTTEN else 0

    def _rank(self, waiting: asyncio.Future[None]) -> tuple[int, int]:
        who, place = self._waiting[waiting]
        # Of one client each further request waits behind a first one of the others.
        before = sum(other == who and at < place for other, at in self._waiting.values())
        return self._guesses(who) + before, place


def _who(client: str) -> str:
    """Return what tells clients apart: the address, of IPv6 the network, of which anybody has as many as he likes."""
    try:
        address = ip_address(client)
    except ValueError:
        return client
    return str(address) if address.version == 4 else str(IPv6Network((address, 64), strict=False))
