"""Licences bound to an address (API document, "IP-based licenses API")."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from . import arguments
from .caller import Caller
from .endpoints import IP_LICENSE_AVAILABILITY, IP_LICENSE_CHECK, IP_LICENSE_SERVERS, IP_LICENSES
from .errors import BadAnswer
from .fields import count, counts, date, date_if_readable, flag, identity, text
from .rows import unique

LICENSE_NAMES: dict[int, str] = {
    1: "CloudLinux OS",
    4: "CloudLinux Solo",
    5: "CloudLinux Admin",
    16: "KernelCare",
    17: "KernelCare Plus",
    40: "ImunifyAV+",
    41: "Imunify360 single user",
    42: "Imunify360 up to 30 users",
    43: "Imunify360 up to 250 users",
    49: "Imunify360 unlimited",
    1002: "CloudLinux OS Shared Pro",
}
"""The types of licences that the API document names; CLN has more."""

MOST_ADDRESSES = 100
"""Addresses that one call of ``/ipl/server.json`` takes."""


class IpLicense(msgspec.Struct, frozen=True):
    """A licence of an address. ``registered``: a server uses it; ``created``: Unix seconds; ``type``: CLN's number."""

    ip: str
    type: int
    registered: bool
    created: float | None

    @property
    def name(self) -> str:
        """The name of its type, or its number where the document knows none."""
        return LICENSE_NAMES.get(self.type, str(self.type))


class LicensedServer(IpLicense, frozen=True):
    """A licence with what its server told. ``last_checkin``: Unix seconds, None for never."""

    last_checkin: float | None
    server_info: str


class IpAvailability(msgspec.Struct, frozen=True):
    """The types of licences of an address, as CLN's numbers: what can be registered, and what the account owns."""

    available: list[int]
    owned: list[int]


class IpLicenseReads:
    """The calls below ``/ipl`` that only read."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def licenses(self) -> list[IpLicense]:
        """Return all IP licences of the account, each once (``/ipl/list.json``). Raises ClnError."""
        return unique(self._caller.read_rows(IP_LICENSES, _Row, _Row.license), _identity)

    def servers(self, addresses: Sequence[str]) -> list[LicensedServer]:
        """Return the licences of ``addresses`` with their check-ins (``/ipl/server.json``, 100 addresses a call).

        Addresses go out as they are written, as CLN's own list gave them. Those without a licence of the account are
        left out. Raises BadArgument and ClnError.
        """
        addresses = arguments.texts("addresses", addresses)
        found: list[LicensedServer] = []
        for start in range(0, len(addresses), MOST_ADDRESSES):
            some = ",".join(addresses[start : start + MOST_ADDRESSES])
            found += self._caller.read_rows(IP_LICENSE_SERVERS, _Row, _Row.server, ip=some)
        return unique(found, _identity)

    def availability(self, ip: str) -> IpAvailability:
        """Return which licences can be registered for ``ip``, and which the account owns (``/ipl/availability.json``).

        Types that somebody else owns are in neither list. Raises BadArgument and ClnError.
        """
        return self._caller.read_data(
            IP_LICENSE_AVAILABILITY, _AvailabilityRow, _AvailabilityRow.availability, ip=arguments.address(ip)
        )

    def check(self, ip: str) -> list[int]:
        """Return the types of licences that ``ip`` has with any customer of CLN, if any (``/ipl/check.json``).

        Raises BadArgument and ClnError.
        """
        return self._caller.read_data(
            IP_LICENSE_CHECK, list, lambda types: counts(types, "data"), ip=arguments.address(ip)
        )


def _identity(license_: IpLicense) -> str:
    return f"{license_.ip} {license_.type}"


class _AvailabilityRow(msgspec.Struct):
    available: object = None
    owned: object = None

    def availability(self) -> IpAvailability:
        return IpAvailability(counts(self.available, "available"), counts(self.owned, "owned"))


class _Row(msgspec.Struct):
    ip: object = None
    type: object = None
    registered: object = None
    created: object = None
    last_checkin: object = None
    server_info: object = None

    def license(self) -> IpLicense:
        return IpLicense(identity(self.ip, "ip"), self._type(), self._registered(), date_if_readable(self.created))

    def server(self) -> LicensedServer:
        return LicensedServer(
            identity(self.ip, "ip"),
            self._type(),
            self._registered(),
            date_if_readable(self.created),
            last_checkin=date(self.last_checkin, "last_checkin"),
            server_info=text(self.server_info),
        )

    def _type(self) -> int:
        number = count(self.type)
        if number is None:
            raise BadAnswer("not an answer of CLN: a row without type")
        return number

    def _registered(self) -> bool:
        registered = flag(self.registered)
        if registered is None:
            raise BadAnswer(f"not an answer of CLN: registered is {text(self.registered)!r}, not true or false")
        return registered
