"""A customer of CLN: login, secret, keys."""

from collections.abc import Iterator
from typing import TypeVar

from . import names
from .imunify import ImunifyKey
from .kernelcare import KernelCareKey, KernelCareServer
from .ledger import Ledger

KeyT = TypeVar("KeyT", KernelCareKey, ImunifyKey)


class Account:
    """One account. Made by `Simulator.add_account`.

    `kernelcare_keys` and `imunify_keys` go by the key's text. `kernelcare_ips` are the addresses that hold
    a KernelCare IP licence of this account, from which monitoring keys can be registered.
    """

    def __init__(self, ledger: Ledger, login: str, secret_key: str, registration_token: str | None) -> None:
        self.login = login
        self.secret_key = secret_key
        self.registration_token = registration_token
        self.kernelcare_keys: dict[str, KernelCareKey] = {}
        self.imunify_keys: dict[str, ImunifyKey] = {}
        self.monitoring_keys: set[str] = set()
        self.kernelcare_ips: set[str] = {"127.0.0.1"}
        self._ledger = ledger

    def add_kernelcare_key(
        self,
        key: str | None = None,
        limit: int = 2,
        note: str = "",
        enabled: bool = True,
        created: float | None = None,
    ) -> KernelCareKey:
        """Add a KernelCare key (None: made up) for `limit` servers (0: no limit), `created` in Unix seconds.

        Raises ValueError when the key is in use or the limit is negative.
        """
        with self._ledger.lock:
            name = names.kernelcare_name(self._ledger.random) if key is None else key
            added = KernelCareKey(
                self._ledger,
                name,
                limit=limit,
                note=note,
                enabled=enabled,
                created=self._ledger.now() if created is None else created,
            )
            self.kernelcare_keys[self._ledger.claim(name)] = added
            return added

    def add_imunify_key(
        self, key: str | None = None, code: str = "360_30", limit: int = 2, note: str = ""
    ) -> ImunifyKey:
        """Add an Imunify key (None: made up) of the product `code` for `limit` servers (0: no limit).

        Raises ValueError when the key is in use or the limit is negative.
        """
        with self._ledger.lock:
            name = names.imunify_key(self._ledger.random, code) if key is None else key
            added = ImunifyKey(self._ledger, name, code=code, limit=limit, note=note)
            self.imunify_keys[self._ledger.claim(name)] = added
            return added

    def remove_kernelcare_key(self, key: str | KernelCareKey) -> KernelCareKey:
        """Remove a KernelCare key with its servers and return it. Raises ValueError when there is none."""
        return self._remove(self.kernelcare_keys, key, "KernelCare")

    def remove_imunify_key(self, key: str | ImunifyKey) -> ImunifyKey:
        """Remove an Imunify key with its servers and return it. Raises ValueError when there is none."""
        return self._remove(self.imunify_keys, key, "Imunify")

    def add_monitoring_key(self, key: str) -> None:
        """Register a monitoring key, which answers for all KernelCare servers of the account."""
        with self._ledger.lock:
            self.monitoring_keys.add(key)

    def kernelcare_servers(self) -> Iterator[KernelCareServer]:
        """All servers of all KernelCare keys."""
        for key in self.kernelcare_keys.values():
            yield from key.servers.values()

    def counts(self) -> dict[str, int]:
        """How many keys and servers of each kind the account has."""
        with self._ledger.lock:
            return {
                "kernelcare_keys": len(self.kernelcare_keys),
                "kernelcare_servers": sum(len(key.servers) for key in self.kernelcare_keys.values()),
                "imunify_keys": len(self.imunify_keys),
                "imunify_servers": sum(len(key.servers) for key in self.imunify_keys.values()),
                "monitoring_keys": len(self.monitoring_keys),
            }

    def _remove(self, keys: dict[str, KeyT], key: str | KeyT, product: str) -> KeyT:
        name = key if isinstance(key, str) else key.key
        with self._ledger.lock:
            if name not in keys:
                raise ValueError(f"account {self.login}: it has no {product} key {name}")
            self._ledger.release(name)
            return keys.pop(name)
