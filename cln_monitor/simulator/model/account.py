"""The account of a CLN customer: login, secret key, keys, IP licenses, groups, billing."""

from collections.abc import Iterator

from . import names
from .awp import AWP_CDN, AWP_LIMIT_TYPE, AWP_PREMIUM, AwpEntity, is_month, month_of
from .checkins import HEALTHY, SimulatedCheckIns, model_of
from .cloudlinux import SimulatedCloudLinuxKey, SubAccountServer
from .els import SimulatedElsKey
from .imunify import SimulatedImunifyKey
from .ip_licenses import SERVER_INFO, SimulatedIpLicense, canonical
from .kernelcare import SimulatedKernelCareKey, SimulatedKernelCareServer
from .keys import KeyT
from .ledger import SimulationState
from .servers import SimulatedGroup

_KERNELCARE_TYPES = {16, 17}


class Account:
    """One account, created by `Simulator.add_account`.

    `kernelcare_keys`, `imunify_keys`, `els_keys` and `cloudlinux_keys` are dictionaries by key, `ip_licenses` by
    address and type, `groups` by name, `awp_entities` by month (`2023-12`). `kernelcare_ips` are addresses from which
    monitoring keys can be registered, in addition to those with a KernelCare license in `ip_licenses`. `els_codes` are
    products that CLN offers in addition to those of the API document.
    """

    def __init__(self, state: SimulationState, login: str, secret_key: str, registration_token: str | None) -> None:
        self.login = login
        self.secret_key = secret_key
        self.registration_token = registration_token
        self.kernelcare_keys: dict[str, SimulatedKernelCareKey] = {}
        self.imunify_keys: dict[str, SimulatedImunifyKey] = {}
        self.els_keys: dict[str, SimulatedElsKey] = {}
        self.els_codes: set[str] = set()
        self.cloudlinux_keys: dict[str, SimulatedCloudLinuxKey] = {}
        self.sub_account_servers: list[SubAccountServer] = []
        self.ip_licenses: dict[tuple[str, int], SimulatedIpLicense] = {}
        self.groups: dict[str, SimulatedGroup] = {}
        self.awp_entities: dict[str, list[AwpEntity]] = {}
        self.monitoring_keys: set[str] = set()
        self.kernelcare_ips: set[str] = {"127.0.0.1"}
        self._state = state

    def add_kernelcare_key(
        self,
        key: str | None = None,
        limit: int = 2,
        note: str = "",
        enabled: bool = True,
        created: float | None = None,
    ) -> SimulatedKernelCareKey:
        """Add a KernelCare key (None: generated) for `limit` servers (0: no limit), `created` in Unix seconds.

        Raises ValueError if the key is in use or the limit is negative.
        """
        with self._state.lock:
            name = names.kernelcare_name(self._state.random) if key is None else key
            created = self._state.now() if created is None else created
            added = SimulatedKernelCareKey(self._state, name, limit=limit, note=note, enabled=enabled, created=created)
            return self._add(self.kernelcare_keys, added)

    def add_imunify_key(
        self, key: str | None = None, code: str = "360_30", limit: int = 2, note: str = ""
    ) -> SimulatedImunifyKey:
        """Add an Imunify key (None: generated) of the product `code` for `limit` servers (0: no limit).

        Raises ValueError if the key is in use or the limit is negative.
        """
        with self._state.lock:
            name = names.imunify_key(self._state.random, code) if key is None else key
            return self._add(
                self.imunify_keys, SimulatedImunifyKey(self._state, name, code=code, limit=limit, note=note)
            )

    def add_els_key(
        self, key: str | None = None, code: str = "CELS", limit: int = 2, note: str = ""
    ) -> SimulatedElsKey:
        """Add an ELS key (None: generated) of the product `code` for `limit` servers (0: no limit).

        Raises ValueError if the key is in use, the limit is negative, or `code` is malformed.
        """
        with self._state.lock:
            name = names.els_key(self._state.random, code) if key is None else key
            return self._add(self.els_keys, SimulatedElsKey(self._state, name, code=code, limit=limit, note=note))

    def add_cloudlinux_key(
        self, key: str | None = None, product_type: str = "CL", limit: int = 2, note: str = ""
    ) -> SimulatedCloudLinuxKey:
        """Add a CloudLinux OS key (None: generated) of the product `product_type` for `limit` servers (0: no limit).

        Raises ValueError if the key is in use, the limit is negative, or the product is unknown.
        """
        with self._state.lock:
            name = names.cloudlinux_key(self._state.random) if key is None else key
            added = SimulatedCloudLinuxKey(self._state, name, product_type=product_type, limit=limit, note=note)
            return self._add(self.cloudlinux_keys, added)

    def remove_cloudlinux_key(self, key: str | SimulatedCloudLinuxKey) -> SimulatedCloudLinuxKey:
        """Remove a CloudLinux OS key with its servers and return it. Raises ValueError for an unknown key."""
        return self._remove(self.cloudlinux_keys, key, "CloudLinux OS")

    def remove_kernelcare_key(self, key: str | SimulatedKernelCareKey) -> SimulatedKernelCareKey:
        """Remove a KernelCare key with its servers and return it. Raises ValueError for an unknown key."""
        return self._remove(self.kernelcare_keys, key, "KernelCare")

    def remove_imunify_key(self, key: str | SimulatedImunifyKey) -> SimulatedImunifyKey:
        """Remove an Imunify key with its servers and return it. Raises ValueError for an unknown key."""
        return self._remove(self.imunify_keys, key, "Imunify")

    def remove_els_key(self, key: str | SimulatedElsKey) -> SimulatedElsKey:
        """Remove an ELS key with its servers and return it. Raises ValueError for an unknown key."""
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
        """Add an IP license of any `type`, even of an undocumented one; an address can have several licenses.

        `created` is Unix seconds (default: now). `last_checkin` is Unix seconds (fixed), None (never), or a model. The
        defaults match `registered`: a license in use has a `server_info`, and its server checks in about every 4 hours
        after `created`; an unused license has neither.

        Raises ValueError if `ip` is not an IP address, or has a license of that type already.
        """
        ip = canonical(ip)
        with self._state.lock:
            if (ip, type) in self.ip_licenses:
                raise ValueError(f"account {self.login}: {ip} already has an IP license of type {type}")
            created = self._state.now() if created is None else created
            if not registered and last_checkin is HEALTHY:
                last_checkin = None
            added = SimulatedIpLicense(
                ip,
                type,
                registered,
                created,
                model_of(last_checkin, created, self._state.random),
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
        """Return the IP licenses of an address, of one type or (None) all.

        Raises ValueError if `ip` is not an IP address.
        """
        ip = canonical(ip)
        with self._state.lock:
            return [
                license_ for held, license_ in self.ip_licenses.items() if held[0] == ip and type in {None, held[1]}
            ]

    def remove_ip_license(
        self,
        ip: str,
        type: int | None = None,  # noqa: A002 -- the API calls it so
    ) -> list[SimulatedIpLicense]:
        """Remove the IP licenses of an address, of one type or (None) all, and return them.

        Raises ValueError if there is no such license, or `ip` is not an IP address.
        """
        with self._state.lock:
            found = self.ip_licenses_of(ip, type)
            if not found:
                suffix = "" if type is None else f" of type {type}"
                raise ValueError(f"account {self.login}: {canonical(ip)} has no IP license{suffix}")
            for license_ in found:
                del self.ip_licenses[license_.ip, license_.type]
            return found

    def add_group(self, name: str, description: str | None = None) -> SimulatedGroup:
        """Add an empty group of servers. Raises ValueError if the name is empty or exists already."""
        with self._state.lock:
            if not name or name in self.groups:
                raise ValueError(f"account {self.login}: cannot add the group {name!r}: use a new name, not empty")
            self.groups[name] = SimulatedGroup(self._state, name, description)
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
        """Add a website billed for `AWP_PREMIUM` or `AWP_CDN` in a month such as `2023-12` (None: this month).

        A website with the CDN has a `cdn_limit_type`, by default `50 GB`. Raises ValueError for another product, for an
        invalid month, or for a `cdn_limit_type` of `AWP_PREMIUM`.
        """
        with self._state.lock:
            month = month_of(self._state.now()) if month is None else month
            if not is_month(month):
                raise ValueError(f"{primary_domain}: invalid month {month}; use for example 2023-12")
            if product == AWP_CDN and cdn_limit_type is None:
                cdn_limit_type = AWP_LIMIT_TYPE
            added = AwpEntity(product, primary_domain, username, cdn_limit_type)
            self.awp_entities.setdefault(month, []).append(added)
            return added

    def add_monitoring_key(self, key: str) -> None:
        """Register a monitoring key, for the patch status of all KernelCare servers of the account."""
        with self._state.lock:
            self.monitoring_keys.add(key)

    def may_register(self, ip: str) -> bool:
        """Return whether monitoring keys of this account can be registered from an address."""
        return ip in self.kernelcare_ips or any((ip, type_) in self.ip_licenses for type_ in _KERNELCARE_TYPES)

    def kernelcare_servers(self) -> Iterator[SimulatedKernelCareServer]:
        """Yield all servers of all KernelCare keys."""
        for key in self.kernelcare_keys.values():
            yield from key.servers.values()

    def counts(self) -> dict[str, int]:
        """Return the number of objects by kind; `awp_entities` are counted over all months."""
        with self._state.lock:
            return {
                "kernelcare_keys": len(self.kernelcare_keys),
                "kernelcare_servers": sum(len(key.servers) for key in self.kernelcare_keys.values()),
                "imunify_keys": len(self.imunify_keys),
                "imunify_servers": sum(len(key.servers) for key in self.imunify_keys.values()),
                "els_keys": len(self.els_keys),
                "els_servers": sum(len(key.servers) for key in self.els_keys.values()),
                "cloudlinux_keys": len(self.cloudlinux_keys),
                "cloudlinux_servers": sum(len(key.servers) for key in self.cloudlinux_keys.values()),
                "ip_licenses": len(self.ip_licenses),
                "groups": len(self.groups),
                "awp_entities": sum(len(entities) for entities in self.awp_entities.values()),
                "monitoring_keys": len(self.monitoring_keys),
            }

    def _add(self, keys: dict[str, KeyT], key: KeyT) -> KeyT:
        keys[self._state.claim(key.key)] = key
        return key

    def _remove(self, keys: dict[str, KeyT], key: str | KeyT, product: str) -> KeyT:
        name = key if isinstance(key, str) else key.key
        with self._state.lock:
            if name not in keys:
                raise ValueError(f"account {self.login}: unknown {product} key {name}")
            self._state.release(name)
            removed = keys.pop(name)
            for server in removed.servers.values():
                server.leave_groups()
            return removed
