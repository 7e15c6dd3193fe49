"""The command line of ``clntool``: the global options and the command groups."""

from __future__ import annotations

import gc
import time
from typing import Annotated

import typer
from typer.main import get_command

from cln_monitor import __version__

from .command_group import CommandGroup
from .common_options import AccountOption, Commands, ConfigOption, OutputOption
from .completion import InstallCompletion, ShowCompletion
from .context import require_command
from .output_fields import Format
from .usage import refuse_blank

app = Commands(
    name="clntool",
    cls=CommandGroup,
    help="Use the CloudLinux Network (CLN) API from the shell.",
    pretty_exceptions_enable=False,  # they show the values of variables, and with them secrets
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"clntool {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _global_options(
    context: typer.Context,
    *,
    config: ConfigOption = None,
    account: AccountOption = None,
    output: OutputOption = None,
    login: Annotated[
        str | None,
        typer.Option(metavar="LOGIN", help="CLN login, instead of a configuration file (variable: CLN_LOGIN)."),
    ] = None,
    secret_key_file: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="File with the secret key of the login (variable: CLN_SECRET_KEY)."),
    ] = None,
    api_url: Annotated[str | None, typer.Option(metavar="URL", help="Root URL of the CLN API.")] = None,
    proxy: Annotated[str | None, typer.Option(metavar="URL", help="HTTP proxy for requests to CLN.")] = None,
    show_completion: ShowCompletion = None,  # noqa: ARG001 # as the next one, implemented by its callback
    install_completion: InstallCompletion = None,  # noqa: ARG001
    _: Annotated[
        bool, typer.Option("--version", "-V", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    from cln_monitor.config import AccountSelection  # noqa: PLC0415 # help and completion need none of these

    from .output import Output  # noqa: PLC0415
    from .session import Session  # noqa: PLC0415

    options = {"config": config, "account": account, "login": login, "secret-key-file": secret_key_file}
    refuse_blank(options | {"api-url": api_url, "proxy": proxy})
    selection = AccountSelection(config, account, login, secret_key_file, api_url=api_url, proxy=proxy)
    require_command(context)
    gc.enable()  # all is imported, and the command may run long
    context.obj = Session(selection, Output(output or Format.TABLE, time.time), context.obj())


def root() -> CommandGroup:
    """Return the root of the command line."""
    group = get_command(app)
    if not isinstance(group, CommandGroup):
        raise TypeError("clntool has no commands")
    return group
