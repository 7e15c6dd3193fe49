"""Whether a password is that of a user: slow by design, so off the event loop, one at a time, and remembered."""

from __future__ import annotations

import asyncio
import hmac
import os
from collections.abc import Mapping
from concurrent.futures import Executor

import bcrypt

from cln_monitor.cln import Threads

_MOST_KEPT = 100
_MOST_WAITING = 32
_LONGEST = 72  # bytes of a password that bcrypt looks at; htpasswd and Go ignore the others as well
_DECOY = b"$2b$%02d$abcdefghijklmnopqrstuuW4dXEy9hNIuWSrAMTPfYfMzLHZj.Uhm"


class TooManyWait(Exception):
    """More passwords wait to be checked than can be in decent time."""


class Passwords:
    """Checks passwords against bcrypt hashes.

    A good one is remembered as long as its hash stays, one that is not is never: so a flood of guesses takes one core
    at most and drives out nobody who was let in before. A user that is unknown takes as long as a wrong password.
    """

    def __init__(self, threads: Executor | None = None) -> None:
        """``threads`` are those that compare, one of them at a time."""
        self._salt = os.urandom(32)
        self._good: dict[bytes, None] = {}
        self._waiting = 0
        self._turn = asyncio.Lock()
        self._threads = threads or Threads(1)

    async def fit(self, users: Mapping[bytes, bytes], user: bytes, password: bytes) -> bool:
        """Tell whether ``password`` is that of ``user``, whose hash is among ``users``. Raises TooManyWait."""
        hashed = users.get(user)
        if hashed is None:
            await self._compare(password, _DECOY % max(int(each[4:6]) for each in users.values()))
            return False
        pieces = (len(user).to_bytes(8, "big"), user, hashed, password)
        key = hmac.digest(self._salt, b"".join(pieces), "sha256")  # no password is kept
        return key in self._good or await self._compare(password, hashed, key)

    async def _compare(self, password: bytes, hashed: bytes, key: bytes | None = None) -> bool:
        if self._waiting >= _MOST_WAITING:
            raise TooManyWait
        self._waiting += 1
        try:
            async with self._turn:
                if key in self._good:  # another request has asked the same in the meantime
                    return True
                loop = asyncio.get_running_loop()
                fits = await loop.run_in_executor(self._threads, _fits, password, hashed)
        finally:
            self._waiting -= 1
        if fits and key is not None:
            self._good[key] = None
            if len(self._good) > _MOST_KEPT:
                del self._good[next(iter(self._good))]
        return fits


def _fits(password: bytes, hashed: bytes) -> bool:
    return bcrypt.checkpw(password[:_LONGEST], hashed)
