"""``clntool ip-licenses``: licenses bound to addresses."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from cln_monitor.cli.change import Action, DryRun, Yes, change
from cln_monitor.cli.concurrent import Gathering, show_with_errors
from cln_monitor.cli.context import IpArgument, family, session_of, whole
from cln_monitor.cli.known_names import license_types
from cln_monitor.cli.output import row_of, say
from cln_monitor.cli.output_fields import lists, shows
from cln_monitor.cli.session import Session
from cln_monitor.cln import IMUNIFY_LICENSES, LICENSE_NAMES, MOST_ADDRESSES, ClnError, IpLicense

app = family("Licenses bound to addresses.")

_LICENSE = ("ip", "type", "license", "registered", "created")
_TYPES = ", ".join(f"{number} {name}" for number, name in LICENSE_NAMES.items())


def _letters(name: str) -> str:
    return re.sub("[^a-z0-9]", "", name.lower())


_BY_NAME = {_letters(name): number for number, name in LICENSE_NAMES.items()}


def license_type(text: str | int) -> int:
    """Return the type of a license that ``text`` names or numbers, in upper or lower case, with blanks or without.

    Raises what typer makes a usage error of.
    """
    if (number := _BY_NAME.get(_letters(str(text)))) is not None:
        return number
    try:
        return whole(text)
    except typer.BadParameter:
        raise typer.BadParameter(f"it takes a number or a name of {_TYPES}") from None


_Type = Annotated[
    int,
    typer.Option(
        "--type",
        metavar="T",
        parser=license_type,
        autocompletion=license_types,
        help=f"Its type, by number or name: {_TYPES}; or the number of a newer one.",
    ),
]
_AnyType = Annotated[
    int | None,
    typer.Option(
        "--type",
        metavar="T",
        parser=license_type,
        autocompletion=license_types,
        help="Of this type alone, by number or name; without it, all of the address.",
    ),
]

_AV = 40
_JUST_NOW = 600.0  # seconds by which a license that was made now may seem older: clocks differ, and CLN tells minutes
_OF_ALL_TYPES = "of this call without a type the API document says that it removes licenses; --type is safer"


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
    # Where CLN does not tell whether a license is used, the check-in of its server does.
    unsaid = [license_ for license_ in licenses if license_.registered is None]
    batches = [unsaid[at : at + MOST_ADDRESSES] for at in range(0, len(unsaid), MOST_ADDRESSES)]
    with Gathering(session) as gathering:
        outcomes = gathering.ask(batches, session.client.ip_licenses.servers)
    never = {
        (server.ip, server.type)
        for _, outcome in outcomes
        if not isinstance(outcome, ClnError)
        for server in outcome
        if server.last_checkin is None
    }
    rows = [
        _row(each)
        for each in licenses
        if each.registered is False or (each.registered is None and (each.ip, each.type) in never)
    ]
    errors = [outcome for _, outcome in outcomes if isinstance(outcome, ClnError)]
    show_with_errors(session, rows, errors, "a server uses each of the IP licenses")


@app.command("servers")
@lists(*_LICENSE, "last_checkin", "server_info")
def list_servers(
    context: typer.Context, ips: Annotated[list[str], typer.Argument(metavar="IP", help="Addresses.")]
) -> None:
    """Show the licenses of addresses with what their servers told; a call for each hundred."""
    session = session_of(context)
    rows = map(_row, session.client.ip_licenses.servers(ips))
    session.output.rows(rows, "the account has no licenses of these addresses")


@app.command("availability")
@shows("available", "owned")
def show_availability(context: typer.Context, ip: IpArgument) -> None:
    """Show which types of licenses an address can be given, and which the account has for it."""
    session = session_of(context)
    session.output.record(row_of(session.client.ip_licenses.availability(ip)))


@app.command("check")
@lists("type", "license")
def check(context: typer.Context, ip: IpArgument) -> None:
    """List the types of licenses that are registered for an address, by whatever customer."""
    session = session_of(context)
    types = session.client.ip_licenses.check(ip)
    rows = [{"type": each, "license": LICENSE_NAMES.get(each, str(each))} for each in types]
    session.output.rows(rows, f"no license is registered for {ip}")


@app.command("register")
@shows(*_LICENSE)
def register(
    context: typer.Context,
    ip: IpArgument,
    *,
    type_: _Type,
    els_allowed: Annotated[bool, typer.Option("--els-allowed", help="Allow registration of CloudLinux 6.")] = False,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Register a license for an address, and show it."""
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
        say(f"it was registered already, since {since:%Y-%m-%d %H:%M} UTC; nothing was bought")
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
            metavar="T", parser=license_type, autocompletion=license_types, help="The new type, by number or name."
        ),
    ],
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Change the type of an Imunify license; the address keeps it.

    To give it back, use `clntool ip-licenses remove`.
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
    """Return what the API document has against such a conversion; whether it is made is for CLN to say."""
    if strangers := [str(each) for each in (type_, type_to) if each not in IMUNIFY_LICENSES]:
        return f"the API document names no Imunify license of type {', '.join(strangers)}; CLN decides"
    if type_to == _AV:
        return f"the API document has upgrades to Imunify360 alone, and {type_to} is ImunifyAV+; CLN decides"
    return ""


@app.command("remove")
@shows("done", "ip", "type")
def remove(
    context: typer.Context, ip: IpArgument, *, type_: _AnyType = None, yes: Yes = False, dry_run: DryRun = False
) -> None:
    """Remove a license of an address, or all of them.

    The server loses it, and it is no longer billed. To change its type, use `clntool ip-licenses convert`.
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
    """Return which licenses of an address a removal takes away."""
    held = [each for each in session.client.ip_licenses.servers([ip]) if type_ in {None, each.type}]
    used = {True: "in use", False: "unused", None: "use unknown"}
    return ", ".join(f"{each.name}, {used[each.registered]}" for each in held) or "no license of the account"


@app.command("update")
@shows("done", "ip", "type", "els_allowed")
def update(
    context: typer.Context,
    ip: IpArgument,
    *,
    els_allowed: Annotated[
        bool, typer.Option("--els-allowed/--no-els-allowed", help="Whether CloudLinux 6 may register.")
    ],
    type_: _AnyType = None,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Allow the registration of CloudLinux 6, or forbid it."""
    session = session_of(context)
    allow = "allow" if els_allowed else "forbid"
    change(
        session,
        Action(allow, f"CloudLinux 6 for {_of(ip, type_)}"),
        lambda client: client.ip_licenses.update(ip, els_allowed, type_),
        yes=yes,
        dry_run=dry_run,
        caution=_OF_ALL_TYPES if type_ is None else "",
    )
    session.output.done(ip=ip, type=type_, els_allowed=els_allowed)
