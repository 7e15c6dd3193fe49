"""The inventory of an account: the keys and servers of all its products, read concurrently where possible."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from cln_monitor.cli.concurrent import ConcurrentReader
from cln_monitor.cli.output import eprint
from cln_monitor.cln import (
    MOST_ADDRESSES,
    Client,
    ClnError,
    IpLicense,
    LastCheckin,
    LicensedServer,
    Limit,
    RefusedError,
)
from cln_monitor.masking import mask_key, same_key

from .host_names import HostNameReader
from .product_codes import BY_CODE, CLOUDLINUX, ELS, CodeList, are_default, codes_of

if TYPE_CHECKING:
    from cln_monitor.cli.session import Session

KERNELCARE, IMUNIFY, IP_LICENSES = "kernelcare", "imunify", "ip_licenses"
CHECKING_IN = (KERNELCARE, IMUNIFY, ELS)
"""The products with keys whose servers check in."""
KEY_PRODUCTS = (*CHECKING_IN, CLOUDLINUX)
"""The products that have keys."""
PRODUCT_NAMES = {
    KERNELCARE: "KernelCare",
    IMUNIFY: "Imunify",
    ELS: "ELS",
    CLOUDLINUX: "CloudLinux OS",
    IP_LICENSES: "IP license",
}
"""The names of products in texts."""


@dataclass(frozen=True)
class ListedKey:
    """A key of a ``product``; ``code`` is the product code, except of KernelCare. Fields not reported by CLN are None.

    ``used`` is its number of servers; ``row`` is the key as the client returned it, for further calls.
    """

    product: str
    key: str
    limit: Limit
    row: Any = field(repr=False, compare=False)
    code: str = ""
    note: str | None = None
    enabled: bool | None = None
    used: int | None = None

    @property
    def percent(self) -> float | None:
        """The used share of the limit in percent, rounded down so that only a full key has 100; None if unlimited."""
        if not isinstance(self.limit, int) or self.limit == 0 or self.used is None:
            return None
        return 1000 * self.used // self.limit / 10


@dataclass(frozen=True)
class ListedServer:
    """A server of a ``product``. ``key`` is empty for an address with IP licenses, whose names are its ``note``.

    ``created`` is None, and ``hostname`` empty, if CLN does not report it.
    """

    product: str
    server_id: str
    ip: str
    last_checkin: LastCheckin = UNSET
    created: float | None = None
    key: str = ""
    note: str | None = None
    hostname: str = ""

    @property
    def name(self) -> str:
        """The name of the server in texts: product, id and address."""
        address = f" ({self.ip})" if self.ip and self.ip != self.server_id else ""
        return (
            f"{PRODUCT_NAMES[self.product]} server {self.server_id or self.ip}{'' if not self.server_id else address}"
        )

    @property
    def mask(self) -> str | None:
        """The mask of its key, or None without a key."""
        return mask_key(self.key) if self.key else None


Unit = ListedKey | CodeList | tuple[IpLicense, ...]
"""What servers are read of with one call: a key, a product with a code, or up to 100 IP licenses."""


class Inventory:
    """Reads the ``keys`` and ``servers`` of an account; ``errors`` are the reads that failed.

    The ``optional`` products were not requested by name: if CLN refuses one of them, it is ``unavailable``, which is
    not an error. ``products`` are those whose keys were read.
    """

    def __init__(self, session: Session, reader: ConcurrentReader, optional: Collection[str] = ()) -> None:
        self._session, self._reader = session, reader
        self._optional = optional
        self._client: Client = session.client
        self._licenses: list[IpLicense] = []
        self._lists: list[CodeList] = []
        self.keys: list[ListedKey] = []
        self.servers: list[ListedServer] = []
        self.errors: list[ClnError] = []
        self.unavailable: dict[str, RefusedError] = {}
        self.products: list[str] = []

    def read_keys(self, products: Collection[str]) -> None:
        """Read the keys of ``products``, and the list of IP licenses where they are among them."""
        lists = [(product, "") for product in (KERNELCARE, IMUNIFY, IP_LICENSES) if product in products]
        codes = {product: codes_of(self._session, product) for product in BY_CODE if product in products}
        lists += [(product, code) for product, of_product in codes.items() for code in of_product]
        self.products += dict.fromkeys(product for product, _ in lists)
        absent: dict[str, list[RefusedError]] = {}
        for (product, code), outcome in self._reader.read_all(lists, lambda pair: self._read_list(*pair)):
            if isinstance(outcome, RefusedError) and are_default(codes.get(product)):
                absent.setdefault(product, []).append(outcome)
            elif isinstance(outcome, RefusedError) and product not in codes and product in self._optional:
                self.unavailable[product] = outcome
            elif isinstance(outcome, ClnError):
                self.errors.append(outcome)
            else:
                self._lists += [CodeList(product, code)] if product in codes else []
                known = {key.key for key in self.keys if key.product == ELS}
                self.keys += [row for row in outcome if isinstance(row, ListedKey) and row.key not in known]
                self._licenses += [row for row in outcome if isinstance(row, IpLicense)]
        for product, refused in absent.items():
            if len(refused) == len(codes[product]):
                if product in self._optional:
                    self.unavailable[product] = refused[0]
                else:
                    self.errors.append(refused[0])

    def report_unavailable(self) -> None:
        """Report on stderr which products CLN refuses to the account."""
        for product, error in self.unavailable.items():
            eprint(f"{product} is not available to this account: {self._session.redactor.scrub(error.problem)}")

    def other_products(self) -> Inventory:
        """Return an inventory of the keys of all products that were not read."""
        others = [product for product in KEY_PRODUCTS if product not in self.products]
        inventory = Inventory(self._session, self._reader, KEY_PRODUCTS)
        inventory.read_keys(others)
        return inventory

    def _read_list(self, product: str, code: str) -> Sequence[ListedKey | IpLicense]:
        if product == IP_LICENSES:
            return self._client.ip_licenses.licenses()
        return read_keys(self._client, product, code)

    def find(self, key: str) -> list[ListedKey]:
        """Return the keys that match ``key``, in full or by mask."""
        return [listed for listed in self.keys if same_key(listed.key, key)]

    def read_servers(self, products: Collection[str] = (*KEY_PRODUCTS, IP_LICENSES)) -> None:
        """Read the servers of the keys and licenses of ``products``, and count the servers of each key."""
        units: list[Unit] = [key for key in self.keys if key.product in products and key.product not in BY_CODE]
        units += [list_ for list_ in self._lists if list_.product in products]
        units += _batches(self._licenses) if IP_LICENSES in products else []
        notes = {(key.product, key.key): key.note for key in self.keys}
        counted: set[Unit] = set()
        counts: Counter[tuple[str, str]] = Counter()
        listed: set[tuple[str, str]] = set()  # ELS servers
        for unit, read in self._reader.read_all(units, lambda unit: read_servers(self._client, unit)):
            if isinstance(read, ClnError):
                self.errors.append(read)
                continue
            # A CLN that ignores the product lists the ELS servers of all products each time.
            outcome = [server for server in read if (server.server_id, server.key) not in listed]
            if isinstance(unit, CodeList) and unit.product == ELS:
                listed |= {(server.server_id, server.key) for server in outcome}
            self.servers += [
                replace(server, note=notes.get((server.product, server.key))) if server.key else server
                for server in outcome
            ]
            counts.update((server.product, server.key) for server in outcome)
            counted.add(unit)
        self.keys = [
            replace(key, used=counts[key.product, key.key]) if unit_of(key) in counted else key for key in self.keys
        ]

    def read_host_names(self, silent_since: float | None = None) -> None:
        """Read the host names of the servers, as :meth:`HostNameReader.named` does."""
        reader = HostNameReader(self._session, self._reader)
        keys = [key.row for key in self.keys if key.product == KERNELCARE]
        self.servers = reader.named(self.servers, keys, silent_since)
        self.errors += reader.errors


def read_keys(client: Client, product: str, code: str = "") -> list[ListedKey]:
    """Return the keys of ``product``, for ELS and CloudLinux OS those of the product ``code``. Raises ClnError."""
    if product == KERNELCARE:
        return [
            ListedKey(product, row.key, row.limit, row, note=row.note, enabled=row.enabled)
            for row in client.kernelcare.keys()
        ]
    if product == IMUNIFY:
        return [
            ListedKey(
                product,
                row.key,
                row.limit,
                row,
                row.code,
                note=row.note or None,
                used=row.servers if isinstance(row.servers, int) else None,
            )
            for row in client.imunify.keys()
        ]
    rows: list[Any] = client.els.keys(code) if product == ELS else client.cloudlinux.keys(code)
    return [
        ListedKey(product, row.key, row.limit, row, code, note=row.note)
        for row in rows
        if product != ELS or row.is_of(code)
    ]


def unit_of(key: ListedKey) -> ListedKey | CodeList:
    """Return what to read the servers of ``key`` of; a list by product code has those of other keys as well."""
    return CodeList(key.product, key.code) if key.product in BY_CODE else key


def read_servers(client: Client, unit: Unit) -> list[ListedServer]:
    """Return the servers of a key or a product with a code, or the addresses in use of IP licenses. Raises ClnError."""
    if isinstance(unit, CodeList):
        rows = client.els.servers(unit.code) if unit.product == ELS else client.cloudlinux.servers(unit.code)
        return [_server(unit.product, row, row.key) for row in rows]
    if isinstance(unit, tuple):
        return _in_use(client.ip_licenses.servers(unit))
    if unit.product == KERNELCARE:
        return [_server(KERNELCARE, row, unit.key) for row in client.kernelcare.servers(unit.row)]
    return [_server(IMUNIFY, row, unit.key) for row in client.imunify.servers(unit.row)]


def _server(product: str, row: Any, key: str) -> ListedServer:
    return ListedServer(
        product,
        row.server_id,
        row.ip,
        getattr(row, "last_checkin", UNSET),
        getattr(row, "created", None),
        key,
        hostname=getattr(row, "hostname", ""),
    )


def _batches(licenses: Iterable[IpLicense]) -> list[tuple[IpLicense, ...]]:
    unique = list({license_.ip: license_ for license_ in licenses}.values())
    return [tuple(unique[at : at + MOST_ADDRESSES]) for at in range(0, len(unique), MOST_ADDRESSES)]


def _in_use(licenses: Iterable[LicensedServer]) -> list[ListedServer]:
    """Return the addresses in use, each once, with the names of all its licenses and the oldest check-in."""
    by_ip: dict[str, ListedServer] = {}
    for license_ in licenses:
        if license_.registered or (license_.registered is None and license_.last_checkin):
            ip = license_.ip
            new = ListedServer(IP_LICENSES, "", ip, license_.last_checkin, license_.created, note=license_.name)
            if (other := by_ip.get(ip)) is not None:
                older = new if (new.last_checkin or 0.0) < (other.last_checkin or 0.0) else other
                new = replace(older, note=f"{other.note}, {new.note}")
            by_ip[ip] = new
    return list(by_ip.values())
