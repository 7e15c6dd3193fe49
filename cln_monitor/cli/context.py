"""The arguments that commands share, and the session they run in."""

from __future__ import annotations

import contextlib
import re
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from .common_options import Commands, with_common_options
from .exit_codes import ExitCode
from .output_fields import fields_of

if TYPE_CHECKING:
    from .session import Session

_WHOLE = re.compile(r"-?[0-9]{1,18}")


def whole(text: str | int) -> int:
    """Return the whole number in ``text``. Raises typer.BadParameter, which is a usage error."""
    if _WHOLE.fullmatch(str(text)) is None:
        raise typer.BadParameter(f"{text!r} is not a whole number")
    return int(text)


KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="Key in full, or its mask.")]
MonitoringKeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="Monitoring key in full.")]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Server id.")]
IpArgument = Annotated[str, typer.Argument(metavar="IP", help="IP address (IPv4 or IPv6).")]
Limit = Annotated[
    int, typer.Option(metavar="N", parser=whole, help="Maximum number of servers of the key; 0 for unlimited.")
]
NewLimit = Annotated[
    int | None,
    typer.Option("--limit", metavar="N", parser=whole, help="Maximum number of servers of the key; 0 for unlimited."),
]
Note = Annotated[str | None, typer.Option(metavar="TEXT", help="Note of up to 100 characters.")]
NewNote = Annotated[
    str | None, typer.Option("--note", metavar="TEXT", help="Note of up to 100 characters; '' removes the note.")
]


def session_of(context: typer.Context) -> Session:
    """Return the session made from the global options, with the output fields of this command."""
    from .session import session_in  # noqa: PLC0415 # loaded by then; help and completion do not need it

    session = session_in(context)
    session.output.fields = fields_of(context.command.callback)
    return session


def family(help_: str) -> Commands:
    """Return a command group with the help text ``help_``."""
    app = Commands()

    def callback(context: typer.Context) -> None:
        require_command(context)

    app.callback(invoke_without_command=True, help=help_)(with_common_options(callback))

    return app


def require_command(context: typer.Context) -> None:
    """Show the help of a group on stderr, and exit with a usage error, if no command is given."""
    if context.invoked_subcommand is None:
        with contextlib.redirect_stdout(sys.stderr):
            typer.echo(context.get_help())
        raise typer.Exit(ExitCode.USAGE)
