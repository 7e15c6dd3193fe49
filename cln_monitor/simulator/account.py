"""A customer of CLN: login, secret, keys, IP licences."""

from collections.abc import Iterator
from typing import TypeVar

from . import names
from .checkins import CheckIns
from .imunify import ImunifyKey
from .ip_licenses import SERVER_INFO, IpLicense, canonical
from .kernelcare import KernelCareKey, KernelCareServer
from .keys import HEALTHY, model
from .ledger import Ledger

KeyT = TypeVar("KeyT", KernelCareKey, ImunifyKey)


class Account:
    """One account. Made by `Simulator.add_account`.

    `kernelcare_keys` and `imunify_keys` go by the key's text, `ip_licenses` by address and type.
    `kernelcare_ips` are the addresses from which monitoring keys can be registered, as if each held a
    KernelCare IP licence; they are not taken from `ip_licenses`.
    """

    def __init__(self, ledger: Ledger, login: str, secret_key: str, registration_token: str | None) -> None:
        self.login = login
        self.secret_key = secret_key
        self.registration_token = registration_token
        self.kernelcare_keys: dict[str, KernelCareKey] = {}
        self.imunify_keys: dict[str, ImunifyKey] = {}
        self.ip_licenses: dict[tuple[str, int], IpLicense] = {}
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

    def add_ip_license(
        self,
        ip: str,
        type: int = 1,  # noqa: A002 -- the API calls it so
        registered: bool = True,
        *,
        created: float | None = None,
        last_checkin: float | CheckIns | None = HEALTHY,
        server_info: str | None = None,
    ) -> IpLicense:
        """Add an IP licence of any `type`, also one that no document knows; an address can hold several.

        `created` is Unix seconds (default: now). `last_checkin` is Unix seconds (fixed), None (never), or a
        model. What is left out fits `registered`: with a server, which has a `server_info` and checks in from
        `created` on, about every 4 hours; without one, neither.

        Raises ValueError when `ip` is no address, or holds a licence of that type already.
        """
        ip = canonical(ip)
        with self._ledger.lock:
            if (ip, type) in self.ip_licenses:
                raise ValueError(f"account {self.login}: {ip} has an IP licence of type {type} already")
            created = self._ledger.now() if created is None else created
            if not registered and last_checkin is HEALTHY:
                last_checkin = None
            added = IpLicense(
                ip,
                type,
                registered,
                created,
                model(last_checkin, created, self._ledger.random),
                SERVER_INFO if registered and server_info is None else server_info,
            )
            self.ip_licenses[ip, type] = added
            return added

    def remove_ip_license(
        self,
        ip: str,
        type: int | None = None,  # noqa: A002 -- the API calls it so
    ) -> list[IpLicense]:
        """Remove the IP licence of that type, or all of the address (None), and return what was removed.

        Raises ValueError when there is none, or `ip` is no address.
        """
        ip = canonical(ip)
        with self._ledger.lock:
            found = [held for held in self.ip_licenses if held[0] == ip and type in {None, held[1]}]
            if not found:
                of_type = "" if type is None else f" of type {type}"
                raise ValueError(f"account {self.login}: {ip} has no IP licence{of_type}")
            return [self.ip_licenses.pop(held) for held in found]

    def add_monitoring_key(self, key: str) -> None:
        """Register a monitoring key, which answers for all KernelCare servers of the account."""
        with self._ledger.lock:
            self.monitoring_keys.add(key)

    def kernelcare_servers(self) -> Iterator[KernelCareServer]:
        """All servers of all KernelCare keys."""
        for key in self.kernelcare_keys.values():
            yield from key.servers.values()

    def counts(self) -> dict[str, int]:
        """How many keys, servers and IP licences of each kind the account has."""
        with self._ledger.lock:
            return {
                "kernelcare_keys": len(self.kernelcare_keys),
                "kernelcare_servers": sum(len(key.servers) for key in self.kernelcare_keys.values()),
                "imunify_keys": len(self.imunify_keys),
                "imunify_servers": sum(len(key.servers) for key in self.imunify_keys.values()),
                "ip_licenses": len(self.ip_licenses),
                "monitoring_keys": len(self.monitoring_keys),
            }

    def _remove(self, keys: dict[str, KeyT], key: str | KeyT, product: str) -> KeyT:
        name = key if isinstance(key, str) else key.key
        with self._ledger.lock:
            if name not in keys:
                raise ValueError(f"account {self.login}: it has no {product} key {name}")
            self._ledger.release(name)
            return keys.pop(name)
