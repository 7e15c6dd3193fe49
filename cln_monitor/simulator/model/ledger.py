"""The shared state of one simulator: the lock, the time, and the keys in use."""

from collections.abc import Callable
from random import Random
from threading import RLock

from . import names


class SimulationState:
    """The shared state of one simulator.

    `lock` guards all objects: it is held while a response is made, and by each method that changes an object. `now`
    returns the simulated time in Unix seconds. `random` is seeded, so that simulators built in the same way are equal.
    """

    def __init__(self, now: Callable[[], float], seed: int) -> None:
        self.lock = RLock()
        self.now = now
        self.random = Random(seed)  # noqa: S311 -- fleets must be reproducible, nothing here is secret
        # Its own, so that an ePortal does not change the names of the account.
        self.eportal_random = Random(f"{seed}, ePortal")  # noqa: S311 -- as above
        self._keys: set[str] = set()
        self._servers = 0

    def claim(self, key: str) -> str:
        """Reserve `key` for one license and return it.

        Raises ValueError if it is in use: calls without a token find a license by its key only.
        """
        if not key or key in self._keys:
            raise ValueError(f"cannot add the key {key!r}: it is empty or in use")
        self._keys.add(key)
        return key

    def release(self, key: str) -> None:
        """Make `key` available again."""
        self._keys.discard(key)

    def next_host(self) -> tuple[str, str]:
        """Return the address and the host name of the next server."""
        number = self._servers
        self._servers += 1
        return names.address(number), names.hostname(number)
