"""``clntool ip-licenses``: licenses bound to IP addresses."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cln_monitor.cli.change import Action, DryRun, Yes, change
from cln_monitor.cli.concurrent import ConcurrentReader, show_with_errors
from cln_monitor.cli.context import IpArgument, family, session_of, whole
from cln_monitor.cli.known_names import license_types
from cln_monitor.cli.output import eprint, row_of
from cln_monitor.cli.output_fields import lists, shows
from cln_monitor.cln import IMUNIFY_LICENSES, LICENSE_NAMES, MOST_ADDRESSES, ClnError, IpLicense

if TYPE_CHECKING:
    from cln_monitor.cli.session import Session

app = family("Licenses bound to IP addresses.")

_LICENSE = ("ip", "type", "license", "registered", "created")
_TYPES = ", ".join(f"{number} {name}" for number, name in LICENSE_NAMES.items())


def _letters(name: str) -> str:
    return re.sub("[^a-z0-9]", "", name.lower())


_BY_NAME = {_letters(name): number for number, name in LICENSE_NAMES.items()}


def license_type(text: str | int) -> int:
    """Return the license type that ``text`` names, by number or by name; case and blanks are ignored.

    Raises typer.BadParameter, which is a usage error.
    """
    if (number := _BY_NAME.get(_letters(str(text)))) is not None:
        return number
    try:
        return whole(text)
    except typer.BadParameter:
        raise typer.BadParameter(f"{text!r} is not a license type; use a number or name of {_TYPES}") from None


_Type = Annotated[
    int,
    typer.Option(
        "--type",
        metavar="T",
        parser=license_type,
        autocompletion=license_types,
        help=f"License type, by number or name: {_TYPES}; or the number of a newer type.",
    ),
]
_AnyType = Annotated[
    int | None,
    typer.Option(
        "--type",
        metavar="T",
        parser=license_type,
        autocompletion=license_types,
        help="Only the license of this type, by number or name (default: all licenses of the address).",
    ),
]

_AV = 40
_JUST_NOW = 600.0  # seconds that a new license may seem old: clocks differ, and CLN's dates have minutes only
_CAUTION_ALL_TYPES = "the API document says that this call removes licenses if no type is given; use --type to be safe"


def _row(license_: IpLicense) -> dict[str, object]:
    return row_of(license_, license=license_.name)


def _named(type_: int) -> str:
    name = LICENSE_NAMES.get(type_)
    return f"IP license of type {type_}" if name is None else f"IP license {name}"


def _of(ip: str, type_: int | None) -> str:
    return f"all IP licenses of {ip}" if type_ is None else f"{_named(type_)} of {ip}"


@app.command("list")
@lists(*_LICENSE)
def list_licenses(
    context: typer.Context,
    *,
    unused: Annotated[bool, typer.Option("--unused", help="Only licenses that no server uses.")] = False,
) -> None:
    """List all IP licenses of the account."""
    session = session_of(context)
    licenses = session.client.ip_licenses.licenses()
    if not unused:
        session.output.rows(map(_row, licenses), "the account has no IP licenses")
        return
    # If CLN does not report whether a license is in use, the check-in of its server shows it.
    unknown = [license_ for license_ in licenses if license_.registered is None]
    batches = [unknown[at : at + MOST_ADDRESSES] for at in range(0, len(unknown), MOST_ADDRESSES)]
    with ConcurrentReader(session) as reader:
        outcomes = reader.read_all(batches, session.client.ip_licenses.servers)
    never = {
        (server.ip, server.type)
        for _, outcome in outcomes
        if not isinstance(outcome, ClnError)
        for server in outcome
        if server.last_checkin is None
    }
    rows = [
        _row(license_)
        for license_ in licenses
        if license_.registered is False or (license_.registered is None and (license_.ip, license_.type) in never)
    ]
    errors = [outcome for _, outcome in outcomes if isinstance(outcome, ClnError)]
    show_with_errors(session, rows, errors, "all IP licenses are in use")


@app.command("servers")
@lists(*_LICENSE, "last_checkin", "server_info")
def list_servers(
    context: typer.Context, ips: Annotated[list[str], typer.Argument(metavar="IP", help="IP addresses.")]
) -> None:
    """List the licenses of IP addresses, with the data of their servers.

    This takes one call per 100 addresses.
    """
    session = session_of(context)
    rows = map(_row, session.client.ip_licenses.servers(ips))
    session.output.rows(rows, "the account has no licenses for these addresses")


@app.command("availability")
@shows("available", "owned")
def show_availability(context: typer.Context, ip: IpArgument) -> None:
    """Show which license types are available for an IP address, and which the account owns."""
    session = session_of(context)
    session.output.record(row_of(session.client.ip_licenses.availability(ip)))


@app.command("check")
@lists("type", "license")
def check(context: typer.Context, ip: IpArgument) -> None:
    """List the license types that are registered for an IP address, by any customer."""
    session = session_of(context)
    types = session.client.ip_licenses.check(ip)
    rows = [{"type": type_, "license": LICENSE_NAMES.get(type_, str(type_))} for type_ in types]
    session.output.rows(rows, f"no license is registered for {ip}")


@app.command("register")
@shows(*_LICENSE)
def register(
    context: typer.Context,
    ip: IpArgument,
    *,
    type_: _Type,
    els_allowed: Annotated[
        bool, typer.Option("--els-allowed", help="Allow servers with CloudLinux 6 to register.")
    ] = False,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Register a license for an IP address and show it."""
    session = session_of(context)
    license_ = change(
        session,
        Action("register", f"{_named(type_)} for {ip}"),
        lambda client: client.ip_licenses.register(ip, type_, els_allowed or None),
        yes=yes,
        dry_run=dry_run,
    )
    if license_.created is not None and license_.created < time.time() - _JUST_NOW:
        since = datetime.fromtimestamp(license_.created, UTC)
        eprint(f"already registered since {since:%Y-%m-%d %H:%M} UTC; nothing was purchased")
    session.output.record(_row(license_))


@app.command("convert")
@shows("done", "ip", "type")
def convert(
    context: typer.Context,
    ip: IpArgument,
    *,
    type_: _Type,
    type_to: Annotated[
        int,
        typer.Option(
            metavar="T", parser=license_type, autocompletion=license_types, help="New type, by number or name."
        ),
    ],
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Change the type of an Imunify license of an IP address.

    The license remains registered. To remove it, use `clntool ip-licenses remove`.
    """
    session = session_of(context)
    change(
        session,
        Action("convert", f"{_of(ip, type_)} to {_named(type_to).removeprefix('IP license ')}"),
        lambda client: client.ip_licenses.convert(ip, type_, type_to),
        yes=yes,
        dry_run=dry_run,
        caution=_caution_of_types(type_, type_to),
    )
    session.output.done(ip=ip, type=type_to)


def _caution_of_types(type_: int, type_to: int) -> str:
    """Return why CLN may refuse a conversion between these types, by the API document; empty if there is no reason."""
    if others := [str(number) for number in (type_, type_to) if number not in IMUNIFY_LICENSES]:
        return f"the API document has no Imunify license of type {', '.join(others)}; CLN may refuse the conversion"
    if type_to == _AV:
        return f"the API document has only upgrades to Imunify360, and type {type_to} is ImunifyAV+; CLN may refuse it"
    return ""


@app.command("remove")
@shows("done", "ip", "type")
def remove(
    context: typer.Context, ip: IpArgument, *, type_: _AnyType = None, yes: Yes = False, dry_run: DryRun = False
) -> None:
    """Remove one license of an IP address, or all of them.

    The server loses the license, and it is no longer billed. To change its type, use `clntool ip-licenses convert`.
    """
    session = session_of(context)
    change(
        session,
        Action("remove", _of(ip, type_)),
        lambda client: client.ip_licenses.remove(ip, type_),
        yes=yes,
        dry_run=dry_run,
        stakes=lambda: _held(session, ip, type_),
    )
    session.output.done(ip=ip, type=type_)


def _held(session: Session, ip: str, type_: int | None) -> str:
    """Return a text about the licenses of an address that a removal affects."""
    held = [license_ for license_ in session.client.ip_licenses.servers([ip]) if type_ in {None, license_.type}]
    used = {True: "in use", False: "unused", None: "use unknown"}
    return ", ".join(f"{license_.name}, {used[license_.registered]}" for license_ in held) or "not in the account"


@app.command("update")
@shows("done", "ip", "type", "els_allowed")
def update(
    context: typer.Context,
    ip: IpArgument,
    *,
    els_allowed: Annotated[
        bool,
        typer.Option("--els-allowed/--no-els-allowed", help="Allow or forbid servers with CloudLinux 6 to register."),
    ],
    type_: _AnyType = None,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Allow or forbid the registration of servers with CloudLinux 6."""
    session = session_of(context)
    allow = "allow" if els_allowed else "forbid"
    change(
        session,
        Action(allow, f"CloudLinux 6 for {_of(ip, type_)}"),
        lambda client: client.ip_licenses.update(ip, els_allowed, type_),
        yes=yes,
        dry_run=dry_run,
        caution=_CAUTION_ALL_TYPES if type_ is None else "",
    )
    session.output.done(ip=ip, type=type_, els_allowed=els_allowed)
