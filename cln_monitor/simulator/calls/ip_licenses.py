"""The calls for IP licenses: `/ipl/…` (API document: IP-based licenses API)."""

from cln_monitor.simulator import answers
from cln_monitor.simulator.answers import SimulatedAnswer
from cln_monitor.simulator.model import SimulatedIpLicense

from . import arguments
from .call import CallRefusedError, Route, SimulatedCall
from .tokens import authorized

MOST_ADDRESSES = 100  # in one call
TYPES = (1, 4, 5, 1002, 16, 17, 40, 41, 42, 43, 49)  # API document: IP license product types
_IMUNIFY360 = (41, 42, 43, 49)
_IMUNIFY = (40, *_IMUNIFY360)


def _availability(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/ipl/availability.json` with the types that no account has on the address, and those of the account.

    Whether one type excludes another is unknown: here it does not.
    """
    account, ip = authorized(call), arguments.address(call)
    taken = _held(call, ip)
    return answers.envelope(
        {
            "available": [type_ for type_ in TYPES if type_ not in taken],
            "owned": [license_.type for license_ in account.ip_licenses_of(ip)],
        }
    )


def _check(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/ipl/check.json`."""
    authorized(call)
    return answers.envelope(sorted(_held(call, arguments.address(call))))


def _register(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/ipl/register.json`, for types of the API document that no other account has on the address."""
    account, ip, type_ = authorized(call), arguments.address(call), arguments.whole(call, "type")
    els_allowed = arguments.flag(call, "els_allowed") or False
    license_ = account.ip_licenses.get((ip, type_))
    if license_ is None:
        if type_ not in TYPES:
            raise CallRefusedError(f"Invalid type: {type_}")
        if type_ in _held(call, ip):
            raise CallRefusedError("IP license is owned by another customer")
        license_ = account.add_ip_license(ip, type_, registered=False, els_allowed=els_allowed)
    return answers.envelope(_row(call, license_))


def _convert(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/ipl/convert.json`; the answer is false too if any account has the new type on the address already."""
    account, ip = authorized(call), arguments.address(call)
    type_, type_to = arguments.whole(call, "type"), arguments.whole(call, "type_to")
    possible = (
        type_ in _IMUNIFY
        and type_to in _IMUNIFY360
        and (ip, type_) in account.ip_licenses
        and type_to not in _held(call, ip)
    )
    if possible:
        license_ = account.ip_licenses.pop((ip, type_))
        license_.type = type_to
        account.ip_licenses[ip, type_to] = license_
    return answers.envelope(possible)


def _remove(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/ipl/remove.json`."""
    account, ip, type_ = authorized(call), arguments.address(call), _optional_type(call)
    found = account.ip_licenses_of(ip, type_)
    if found:
        account.remove_ip_license(ip, type_)
    return answers.envelope(bool(found))


def _list(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/ipl/list.json`."""
    return answers.envelope([_row(call, license_) for license_ in authorized(call).ip_licenses.values()])


def _servers(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/ipl/server.json`; addresses without a license of the account have no row."""
    account, wanted = authorized(call), arguments.addresses(call, "ip", MOST_ADDRESSES)
    return answers.envelope(
        [
            {
                "server_info": license_.server_info,
                **_row(call, license_),
                **call.dates.field("last_checkin", license_.last_checkin(call.now)),
            }
            for (ip, _), license_ in account.ip_licenses.items()
            if ip in wanted
        ]
    )


def _update(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/ipl/update.json`; without a type, all licenses of the address are updated.

    In the API document, "will remove licenses" seems to be copied from another call. Its example URL has no
    `els_allowed`, and then nothing changes.
    """
    account, ip, type_ = authorized(call), arguments.address(call), _optional_type(call)
    els_allowed = arguments.flag(call, "els_allowed")
    found = account.ip_licenses_of(ip, type_)
    for license_ in found:
        license_.els_allowed = license_.els_allowed if els_allowed is None else els_allowed
    return answers.envelope(bool(found))


def _optional_type(call: SimulatedCall) -> int | None:
    return arguments.whole(call, "type") if call.query.get("type") else None


def _held(call: SimulatedCall, ip: str) -> set[int]:
    """Return the types that any account has on an address."""
    return {license_.type for account in call.accounts.values() for license_ in account.ip_licenses_of(ip)}


def _row(call: SimulatedCall, license_: SimulatedIpLicense) -> dict[str, object]:
    return {
        "ip": license_.ip,
        "type": license_.type,
        "registered": license_.registered,
        "created": call.dates.spell(license_.created),
    }


ROUTES = (
    Route("GET", "/ipl/availability.json", _availability),
    Route("GET", "/ipl/check.json", _check),
    Route("GET", "/ipl/register.json", _register),
    Route("GET", "/ipl/convert.json", _convert),
    Route("GET", "/ipl/remove.json", _remove),
    Route("GET", "/ipl/list.json", _list),
    Route("GET", "/ipl/server.json", _servers),
    Route("GET", "/ipl/update.json", _update),
)
