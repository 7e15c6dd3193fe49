"""What all things of one simulator share: the lock, the time, the names in use."""

from collections.abc import Callable
from random import Random
from threading import RLock

from . import names


class Ledger:
    """The book of one simulator.

    `lock` guards all state: it is held while an answer is made and by each method that changes something.
    `now` gives the simulated time in Unix seconds; `random` is seeded, so that a simulator built twice in
    the same way is the same.
    """

    def __init__(self, now: Callable[[], float], seed: int) -> None:
        self.lock = RLock()
        self.now = now
        self.random = Random(seed)  # noqa: S311 -- fleets must come out the same again, nothing here is secret
        self._keys: set[str] = set()
        self._servers = 0

    def claim(self, key: str) -> str:
        """Take `key` for one licence.

        Raises ValueError when it is taken: calls without a token find a licence by its key alone.
        """
        if not key or key in self._keys:
            raise ValueError(f"adding the key {key!r}: a key must be a text of its own, not empty or in use")
        self._keys.add(key)
        return key

    def release(self, key: str) -> None:
        """Give `key` back."""
        self._keys.discard(key)

    def next_host(self) -> tuple[str, str]:
        """The address and the host name of the next server."""
        number = self._servers
        self._servers += 1
        return names.address(number), names.hostname(number)
