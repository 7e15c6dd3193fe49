"""The arguments that commands have in common, and the session they run in."""

from __future__ import annotations

from typing import Annotated

import typer

from .session import Session

KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="A licence key, in full.")]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The id of a server.")]
IpArgument = Annotated[str, typer.Argument(metavar="IP", help="An address, IPv4 or IPv6.")]
Limit = Annotated[int, typer.Option(metavar="N", help="Most servers of the key, 0 for unlimited.")]
NewLimit = Annotated[int | None, typer.Option("--limit", metavar="N", help="Most servers, 0 for unlimited.")]
Note = Annotated[str | None, typer.Option(metavar="TEXT", help="A note of up to 100 characters.")]


def session_of(context: typer.Context) -> Session:
    """Return the session that the options before the family made."""
    session = context.obj
    if not isinstance(session, Session):
        raise TypeError("a command without a session")
    return session


def family(help_: str) -> typer.Typer:
    """Return a level of the command line below which there are commands."""
    return typer.Typer(help=help_, no_args_is_help=True)
