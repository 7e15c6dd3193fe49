"""IP licenses (API document, "IP-based licenses API")."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import UNSET

from . import validation
from .caller import Caller
from .endpoints import (
    IP_LICENSE_AVAILABILITY,
    IP_LICENSE_CHECK,
    IP_LICENSE_CONVERT,
    IP_LICENSE_REGISTER,
    IP_LICENSE_REMOVE,
    IP_LICENSE_SERVERS,
    IP_LICENSE_UPDATE,
    IP_LICENSES,
)
from .errors import BadAnswerError
from .fields import LastCheckin, checkins, count, counts, date_if_readable, flag, identity, require_true, text
from .rows import unique

LICENSE_NAMES: dict[int, str] = {
    1: "CloudLinux OS",
    3: "CentOS 6 ELS",
    4: "CloudLinux Solo",
    5: "CloudLinux Admin",
    16: "KernelCare",
    17: "KernelCare Plus",
    40: "ImunifyAV+",
    41: "Imunify360 single user",
    42: "Imunify360 up to 30 users",
    43: "Imunify360 up to 250 users",
    44: "Imunify360 up to 5 users",
    49: "Imunify360 unlimited",
    1002: "CloudLinux OS Shared Pro",
    5003: "Oracle 6 ELS",
    5004: "Ubuntu 16 ELS",
    5005: "CentOS 8 ELS",
    5011: "CentOS 6 ELS with SLA",
    5012: "CentOS 8 ELS with SLA",
    5013: "Oracle 6 ELS with SLA",
    5014: "Ubuntu 16 ELS with SLA",
    5017: "CentOS 7 ELS Standard",
    5018: "CentOS 7 ELS Complete",
    5019: "Ubuntu 18 ELS",
    5020: "Ubuntu 18 ELS with SLA",
    5034: "CentOS 8 Stream ELS",
    5035: "CentOS 8 Stream ELS with SLA",
    7215: "Extended Security Updates",
}
"""The license types in the API document of 2024-10, by number; that of 2024-03 has fewer, and CLN may have more."""

IMUNIFY_LICENSES = frozenset({40, 41, 42, 43, 44, 49})
"""The numbers of the Imunify types."""

MOST_ADDRESSES = 100
"""Maximum number of addresses in one call of ``/ipl/server.json``."""


class IpLicense(msgspec.Struct, frozen=True):
    """A license of an IP address. ``registered``: whether a server uses it, None if CLN does not report it.

    ``created``: Unix seconds or None; ``type``: CLN's number of the license type.
    """

    ip: str
    type: int
    registered: bool | None
    created: float | None

    @property
    def name(self) -> str:
        """The name of its type, or the number if the API document has no name."""
        return LICENSE_NAMES.get(self.type, str(self.type))


class LicensedServer(IpLicense, frozen=True):
    """A license with the last check-in and the ``server_info`` of its server."""

    last_checkin: LastCheckin
    server_info: str


class IpAvailability(msgspec.Struct, frozen=True):
    """The license types of an address, as CLN's numbers: those that can be registered, and those the account owns."""

    available: list[int]
    owned: list[int]


class IpLicenseReads:
    """The read-only calls below ``/ipl``."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def licenses(self) -> list[IpLicense]:
        """Return all IP licenses of the account, without duplicates (``/ipl/list.json``). Raises ClnError."""
        return unique(self._caller.get_rows(IP_LICENSES, _Row, _Row.license), _identity)

    def servers(self, addresses: Sequence[str | IpLicense]) -> list[LicensedServer]:
        """Return the licenses of ``addresses`` with their check-ins (``/ipl/server.json``, 100 addresses per call).

        An address without a license of the account is left out. Raises InvalidArgumentError and ClnError.
        """
        asked = list(dict.fromkeys(validation.addresses(addresses)))
        found: list[LicensedServer] = []
        for start in range(0, len(asked), MOST_ADDRESSES):
            joined = ",".join(asked[start : start + MOST_ADDRESSES])
            found += self._caller.get_list(IP_LICENSE_SERVERS, _Row, _servers, ip=joined)
        return unique(found, _identity)

    def availability(self, ip: str) -> IpAvailability:
        """Return the license types that can be registered for ``ip``, and those owned (``/ipl/availability.json``).

        A type that another account owns is in neither list. Raises InvalidArgumentError and ClnError.
        """
        return self._caller.get_data(
            IP_LICENSE_AVAILABILITY, _AvailabilityRow, _AvailabilityRow.availability, ip=validation.address(ip)
        )

    def check(self, ip: str) -> list[int]:
        """Return the license types that ``ip`` has with any customer of CLN (``/ipl/check.json``).

        Raises InvalidArgumentError and ClnError.
        """
        return self._caller.get_data(
            IP_LICENSE_CHECK, list, lambda types: counts(types, "data"), ip=validation.address(ip)
        )


class IpLicenses(IpLicenseReads):
    """All calls below ``/ipl``. A change is sent once: it is made, or the method raises."""

    def register(self, ip: str, type: int, els_allowed: bool | None = None) -> IpLicense:  # noqa: A002 # CLN's word
        """Register a license of ``type`` for an address, which buys it, and return it (``/ipl/register.json``).

        An existing license is returned as well. ``els_allowed``: whether CloudLinux 6 may register; None leaves that to
        CLN; its values ``true`` and ``false`` are not documented. Raises InvalidArgumentError, NotDoneError and other
        ClnErrors.
        """
        ip = validation.address(ip)
        return self._caller.change(
            IP_LICENSE_REGISTER,
            _Row,
            lambda row: row.bought(ip, type),
            ip=ip,
            type=validation.license_type("type", type),
            els_allowed=_els_allowed(els_allowed),
        )

    def convert(self, ip: str, type: int, type_to: int) -> None:  # noqa: A002 # CLN's word
        """Convert an Imunify license of ``type`` to ``type_to`` (``/ipl/convert.json``).

        The types are not checked, as the document contradicts itself: one "can upgrade only to the Imunify360 IP
        license", and one "can upgrade/downgrade".
        Raises InvalidArgumentError, NotDoneError when the account has no such license, and other ClnErrors.
        """
        if type == type_to:
            raise validation.InvalidArgumentError("type_to", "must differ from type")
        self._caller.change(
            IP_LICENSE_CONVERT,
            object,
            require_true,
            ip=validation.address(ip),
            type=validation.license_type("type", type),
            type_to=validation.license_type("type_to", type_to),
        )

    def remove(self, ip: str, type: int | None = None) -> None:  # noqa: A002 # CLN's word
        """Remove the license of ``type`` of an address; without ``type``, ALL its licenses (``/ipl/remove.json``).

        Raises InvalidArgumentError, NotDoneError when the account has no such license, and other ClnErrors.
        """
        self._caller.change(
            IP_LICENSE_REMOVE, object, require_true, ip=validation.address(ip), type=_type_if_given(type)
        )

    def update(self, ip: str, els_allowed: bool, type: int | None = None) -> None:  # noqa: A002 # CLN's word
        """Set whether CloudLinux 6 may register with a license of an address (``/ipl/update.json``).

        Without ``type`` no type is sent; the document says, probably by mistake, that this "will remove licenses with
        all types". Raises InvalidArgumentError, NotDoneError when the account
        has no such license, and other ClnErrors.
        """
        self._caller.change(
            IP_LICENSE_UPDATE,
            object,
            require_true,
            ip=validation.address(ip),
            els_allowed=validation.bool_text("els_allowed", els_allowed),
            type=_type_if_given(type),
        )


def _type_if_given(number: int | None) -> str | None:
    return validation.optional(lambda value: validation.license_type("type", value), number)


def _els_allowed(allowed: bool | None) -> str | None:
    return validation.optional(lambda value: validation.bool_text("els_allowed", value), allowed)


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
    last_checkin: object = UNSET
    server_info: object = None

    def license(self) -> IpLicense:
        return IpLicense(identity(self.ip, "ip"), self._type(), self._registered(), date_if_readable(self.created))

    def bought(self, ip: str, number: int) -> IpLicense:
        """Return the license; ``ip`` and ``number`` are those of the call, used where CLN does not repeat them."""
        type_ = count(self.type)
        return IpLicense(
            text(self.ip) or ip,
            number if type_ is None else type_,
            flag(self.registered),
            date_if_readable(self.created),
        )

    def server(self, last_checkin: LastCheckin) -> LicensedServer:
        return LicensedServer(
            identity(self.ip, "ip"),
            self._type(),
            self._registered(),
            date_if_readable(self.created),
            last_checkin=last_checkin,
            server_info=text(self.server_info),
        )

    def _type(self) -> int:
        number = count(self.type)
        if number is None:
            raise BadAnswerError("unexpected response from CLN: a row without type")
        return number

    def _registered(self) -> bool | None:
        if self.registered is None:
            return None
        registered = flag(self.registered)
        if registered is None:
            raise BadAnswerError(
                f"unexpected response from CLN: registered is {text(self.registered)!r}, not true or false"
            )
        return registered


def _servers(rows: list[_Row]) -> list[LicensedServer]:
    last_checkins = checkins([row.last_checkin for row in rows], "last_checkin")
    return list(map(_Row.server, rows, last_checkins))
