"""A customer of CLN: login, secret, keys, IP licences, groups, what is billed."""

from collections.abc import Iterator

from . import names
from .awp import AWP_CDN, AWP_LIMIT_TYPE, AWP_PREMIUM, AwpEntity, is_month, month_of
from .checkins import HEALTHY, SimulatedCheckIns, model_of
from .els import SimulatedElsKey
from .imunify import SimulatedImunifyKey
from .ip_licenses import SERVER_INFO, SimulatedIpLicense, canonical
from .kernelcare import SimulatedKernelCareKey, SimulatedKernelCareServer
from .keys import KeyT
from .ledger import Ledger
from .servers import SimulatedGroup

_KERNELCARE_TYPES = {16, 17}


class Account:
    """One account. Made by `Simulator.add_account`.

    `kernelcare_keys`, `imunify_keys` and `els_keys` go by the key's text, `ip_licenses` by address and type,
    `groups` by name, `awp_entities` by month (`2023-12`). `kernelcare_ips` are addresses from which monitoring
    keys can be registered, as if each held a KernelCare IP licence, beside those in `ip_licenses` that do.
    """

    def __init__(self, ledger: Ledger, login: str, secret_key: str, registration_token: str | None) -> None:
        self.login = login
        self.secret_key = secret_key
        self.registration_token = registration_token
        self.kernelcare_keys: dict[str, SimulatedKernelCareKey] = {}
        self.imunify_keys: dict[str, SimulatedImunifyKey] = {}
        self.els_keys: dict[str, SimulatedElsKey] = {}
        self.ip_licenses: dict[tuple[str, int], SimulatedIpLicense] = {}
        self.groups: dict[str, SimulatedGroup] = {}
        self.awp_entities: dict[str, list[AwpEntity]] = {}
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
    ) -> SimulatedKernelCareKey:
        """Add a KernelCare key (None: made up) for `limit` servers (0: no limit), `created` in Unix seconds.

        Raises ValueError when the key is in use or the limit is negative.
        """
        with self._ledger.lock:
            name = names.kernelcare_name(self._ledger.random) if key is None else key
            created = self._ledger.now() if created is None else created
            added = SimulatedKernelCareKey(self._ledger, name, limit=limit, note=note, enabled=enabled, created=created)
            return self._add(self.kernelcare_keys, added)

    def add_imunify_key(
        self, key: str | None = None, code: str = "360_30", limit: int = 2, note: str = ""
    ) -> SimulatedImunifyKey:
        """Add an Imunify key (None: made up) of the product `code` for `limit` servers (0: no limit).

        Raises ValueError when the key is in use or the limit is negative.
        """
        with self._ledger.lock:
            name = names.imunify_key(self._ledger.random, code) if key is None else key
            return self._add(
                self.imunify_keys, SimulatedImunifyKey(self._ledger, name, code=code, limit=limit, note=note)
            )

    def add_els_key(
        self, key: str | None = None, code: str = "CELS", limit: int = 2, note: str = ""
    ) -> SimulatedElsKey:
        """Add an ELS key (None: made up) of the product `code` for `limit` servers (0: no limit).

        Raises ValueError when the key is in use, the limit is negative, or `code` is no code.
        """
        with self._ledger.lock:
            name = names.els_key(self._ledger.random, code) if key is None else key
            return self._add(self.els_keys, SimulatedElsKey(self._ledger, name, code=code, limit=limit, note=note))

    def remove_kernelcare_key(self, key: str | SimulatedKernelCareKey) -> SimulatedKernelCareKey:
        """Remove a KernelCare key with its servers and return it. Raises ValueError when there is none."""
        return self._remove(self.kernelcare_keys, key, "KernelCare")

    def remove_imunify_key(self, key: str | SimulatedImunifyKey) -> SimulatedImunifyKey:
        """Remove an Imunify key with its servers and return it. Raises ValueError when there is none."""
        return self._remove(self.imunify_keys, key, "Imunify")

    def remove_els_key(self, key: str | SimulatedElsKey) -> SimulatedElsKey:
        """Remove an ELS key with its servers and return it. Raises ValueError when there is none."""
        return self._remove(self.els_keys, key, "ELS")

    def add_ip_license(
        self,
        ip: str,
        type: int = 1,  # noqa: A002 -- the API calls it so
        registered: bool = True,
        *,
        created: float | None = None,
        last_checkin: float | SimulatedCheckIns | None = HEALTHY,
        server_info: str | None = None,
        els_allowed: bool = False,
    ) -> SimulatedIpLicense:
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
            added = SimulatedIpLicense(
                ip,
                type,
                registered,
                created,
                model_of(last_checkin, created, self._ledger.random),
                SERVER_INFO if registered and server_info is None else server_info,
                els_allowed,
            )
            self.ip_licenses[ip, type] = added
            return added

    def ip_licenses_of(
        self,
        ip: str,
        type: int | None = None,  # noqa: A002 -- the API calls it so
    ) -> list[SimulatedIpLicense]:
        """The IP licences of an address, that of one type or (None) all. Raises ValueError when `ip` is no address."""
        ip = canonical(ip)
        with self._ledger.lock:
            return [
                license_ for held, license_ in self.ip_licenses.items() if held[0] == ip and type in {None, held[1]}
            ]

    def remove_ip_license(
        self,
        ip: str,
        type: int | None = None,  # noqa: A002 -- the API calls it so
    ) -> list[SimulatedIpLicense]:
        """Remove the IP licence of that type, or all of the address (None), and return what was removed.

        Raises ValueError when there is none, or `ip` is no address.
        """
        with self._ledger.lock:
            found = self.ip_licenses_of(ip, type)
            if not found:
                of_type = "" if type is None else f" of type {type}"
                raise ValueError(f"account {self.login}: {canonical(ip)} has no IP licence{of_type}")
            for license_ in found:
                del self.ip_licenses[license_.ip, license_.type]
            return found

    def add_group(self, name: str, description: str | None = None) -> SimulatedGroup:
        """Add a group of servers, which is empty at first. Raises ValueError when the name is empty or taken."""
        with self._ledger.lock:
            if not name or name in self.groups:
                raise ValueError(f"account {self.login}: adding the group {name!r}: a name must be new and not empty")
            self.groups[name] = SimulatedGroup(self._ledger, name, description)
            return self.groups[name]

    def add_awp_entity(
        self,
        primary_domain: str,
        product: str = AWP_PREMIUM,
        *,
        username: str | None = None,
        cdn_limit_type: str | None = None,
        month: str | None = None,
    ) -> AwpEntity:
        """Let a website be billed for `AWP_PREMIUM` or `AWP_CDN` in a month such as `2023-12` (None: this one).

        A website with the CDN has a `cdn_limit_type`, such as `50 GB`, which is also the default. Raises
        ValueError for another product or no month, or a `cdn_limit_type` of a product that has none.
        """
        with self._ledger.lock:
            month = month_of(self._ledger.now()) if month is None else month
            if not is_month(month):
                raise ValueError(f"{primary_domain}: month must be one such as 2023-12, not {month}")
            if product == AWP_CDN and cdn_limit_type is None:
                cdn_limit_type = AWP_LIMIT_TYPE
            added = AwpEntity(product, primary_domain, username, cdn_limit_type)
            self.awp_entities.setdefault(month, []).append(added)
            return added

    def add_monitoring_key(self, key: str) -> None:
        """Register a monitoring key, which answers for all KernelCare servers of the account."""
        with self._ledger.lock:
            self.monitoring_keys.add(key)

    def may_register(self, ip: str) -> bool:
        """Whether monitoring keys can be registered from an address, for this account."""
        return ip in self.kernelcare_ips or any((ip, type_) in self.ip_licenses for type_ in _KERNELCARE_TYPES)

    def kernelcare_servers(self) -> Iterator[SimulatedKernelCareServer]:
        """All servers of all KernelCare keys."""
        for key in self.kernelcare_keys.values():
            yield from key.servers.values()

    def counts(self) -> dict[str, int]:
        """How many of each kind the account has; `awp_entities` are those of all months."""
        with self._ledger.lock:
            return {
                "kernelcare_keys": len(self.kernelcare_keys),
                "kernelcare_servers": sum(len(key.servers) for key in self.kernelcare_keys.values()),
                "imunify_keys": len(self.imunify_keys),
                "imunify_servers": sum(len(key.servers) for key in self.imunify_keys.values()),
                "els_keys": len(self.els_keys),
                "els_servers": sum(len(key.servers) for key in self.els_keys.values()),
                "ip_licenses": len(self.ip_licenses),
                "groups": len(self.groups),
                "awp_entities": sum(len(entities) for entities in self.awp_entities.values()),
                "monitoring_keys": len(self.monitoring_keys),
            }

    def _add(self, keys: dict[str, KeyT], key: KeyT) -> KeyT:
        keys[self._ledger.claim(key.key)] = key
        return key

    def _remove(self, keys: dict[str, KeyT], key: str | KeyT, product: str) -> KeyT:
        name = key if isinstance(key, str) else key.key
        with self._ledger.lock:
            if name not in keys:
                raise ValueError(f"account {self.login}: it has no {product} key {name}")
            self._ledger.release(name)
            removed = keys.pop(name)
            for server in removed.servers.values():
                server.leave_groups()
            return removed
