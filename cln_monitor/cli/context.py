"""The arguments that commands have in common, and the session they run in."""

from __future__ import annotations

import contextlib
import re
import sys
from typing import Annotated

import typer

from .common_options import Commands, with_common_options
from .exit_codes import Code
from .output_fields import fields_of
from .session import Session, session_in

_WHOLE = re.compile(r"-?[0-9]{1,18}")


def whole(text: str | int) -> int:
    """Return the whole number that ``text`` spells. Raises what typer makes a usage error of."""
    if _WHOLE.fullmatch(str(text)) is None:
        raise typer.BadParameter("it takes a whole number")
    return int(text)


KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="A key in full, or its mask.")]
MonitoringKeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="A monitoring key, in full.")]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The id of a server.")]
IpArgument = Annotated[str, typer.Argument(metavar="IP", help="An address, IPv4 or IPv6.")]
Limit = Annotated[int, typer.Option(metavar="N", parser=whole, help="Most servers of the key, 0 for unlimited.")]
NewLimit = Annotated[
    int | None, typer.Option("--limit", metavar="N", parser=whole, help="Most servers, 0 for unlimited.")
]
Note = Annotated[str | None, typer.Option(metavar="TEXT", help="A note of up to 100 characters.")]
NewNote = Annotated[
    str | None,
    typer.Option("--note", metavar="TEXT", help="A note of up to 100 characters; '' takes away the one it has."),
]


def session_of(context: typer.Context) -> Session:
    """Return the session that the options before the family made, set to show what this command shows."""
    session = session_in(context)
    session.output.fields = fields_of(context.command.callback)
    return session


def family(help_: str) -> Commands:
    """Return a level of the command line below which there are commands."""
    app = Commands()

    def below(context: typer.Context) -> None:
        needs_command(context)

    app.callback(invoke_without_command=True, help=help_)(with_common_options(below))

    return app


def needs_command(context: typer.Context) -> None:
    """Show on stderr what there is below a level, and end as wrongly used, where nothing of it was named."""
    if context.invoked_subcommand is None:
        with contextlib.redirect_stdout(sys.stderr):
            typer.echo(context.get_help())
        raise typer.Exit(Code.USAGE)
