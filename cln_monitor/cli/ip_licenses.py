"""``clntool ip-licenses``: licences bound to addresses."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from cln_monitor.cln import IMUNIFY_LICENSES, LICENSE_NAMES, IpLicense

from .change import DryRun, Yes, change
from .context import IpArgument, family, session_of, whole
from .output import row_of, say
from .output_fields import lists, shows

app = family("Licences bound to addresses.")

_LICENSE = ("ip", "type", "license", "registered", "created")
_TYPES = ", ".join(f"{number} {name}" for number, name in LICENSE_NAMES.items())
_Type = Annotated[
    int, typer.Option("--type", metavar="T", parser=whole, help=f"The number of its type: {_TYPES}, or a newer one.")
]
_AnyType = Annotated[
    int | None,
    typer.Option("--type", metavar="T", parser=whole, help="Of this type alone; without it, all of the address."),
]

_AV = 40
_JUST_NOW = 600.0  # seconds by which a licence that was made now may seem older: clocks differ, and CLN tells minutes
_OF_ALL_TYPES = "of this call without a type the API document says that it removes licences; --type is safer"


def _row(license_: IpLicense) -> dict[str, object]:
    return row_of(license_, license=license_.name)


def _of(ip: str, type_: int | None) -> str:
    return f"all IP licences of {ip}" if type_ is None else f"the IP licence of type {type_} of {ip}"


@app.command("list")
@lists(*_LICENSE)
def list_licenses(context: typer.Context) -> None:
    """List all IP licences of the account."""
    session = session_of(context)
    rows = map(_row, session.client.ip_licenses.licenses())
    session.output.rows(rows, "the account has no IP licences")


@app.command("servers")
@lists(*_LICENSE, "last_checkin", "server_info")
def list_servers(
    context: typer.Context, ips: Annotated[list[str], typer.Argument(metavar="IP", help="Addresses.")]
) -> None:
    """Show the licences of addresses with what their servers told; a call for each hundred."""
    session = session_of(context)
    rows = map(_row, session.client.ip_licenses.servers(ips))
    session.output.rows(rows, "the account has no licences of these addresses")


@app.command("availability")
@shows("available", "owned")
def show_availability(context: typer.Context, ip: IpArgument) -> None:
    """Show which types of licences an address can be given, and which the account has for it."""
    session = session_of(context)
    session.output.record(row_of(session.client.ip_licenses.availability(ip)))


@app.command("check")
@lists("type", "license")
def check(context: typer.Context, ip: IpArgument) -> None:
    """List the types of licences that are registered for an address, by whatever customer."""
    session = session_of(context)
    types = session.client.ip_licenses.check(ip)
    rows = [{"type": each, "license": LICENSE_NAMES.get(each, str(each))} for each in types]
    session.output.rows(rows, f"no licence is registered for {ip}")


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
    """Register a licence for an address, and show it."""
    session = session_of(context)
    license_ = change(
        session,
        f"register an IP licence of type {type_} for {ip}",
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
    type_to: Annotated[int, typer.Option(metavar="T", parser=whole, help="The type it is to have.")],
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Change the type of an Imunify licence."""
    session = session_of(context)
    change(
        session,
        f"convert the IP licence of {ip} from type {type_} to {type_to}",
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
    """Remove a licence of an address, or all of them."""
    session = session_of(context)
    change(
        session,
        f"remove {_of(ip, type_)}",
        lambda client: client.ip_licenses.remove(ip, type_),
        yes=yes,
        dry_run=dry_run,
    )
    session.output.done(ip=ip, type=type_)


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
        f"{allow} CloudLinux 6 for {_of(ip, type_)}",
        lambda client: client.ip_licenses.update(ip, els_allowed, type_),
        yes=yes,
        dry_run=dry_run,
        caution=_OF_ALL_TYPES if type_ is None else "",
    )
    session.output.done(ip=ip, type=type_, els_allowed=els_allowed)
