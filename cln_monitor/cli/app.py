"""The command line of ``clntool``: what stands before the family, and the families."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from cln_monitor import __version__
from cln_monitor.config import AccountSelection

from .commands import awp, check, els, files, groups, imunify, ip_licenses, kernelcare, keys, servers, simulate, status
from .common_options import AccountOption, Commands, ConfigOption, OutputOption
from .completion import CompletionGroup, InstallCompletion, ShowCompletion
from .context import needs_command
from .output import Format, Output
from .session import Session, refuse_blank

app = Commands(
    name="clntool",
    cls=CompletionGroup,
    add_completion=False,  # typer's options take no shell as their value
    help="Every call of the CloudLinux Network (CLN) API from the shell.",
    pretty_exceptions_enable=False,  # they show the values of variables, and with them secrets
    context_settings={"help_option_names": ["-h", "--help"]},
)
status.add_to(app)
app.add_typer(servers.app, name="servers")
app.add_typer(keys.app, name="keys")
app.add_typer(kernelcare.app, name="kernelcare")
app.add_typer(imunify.app, name="imunify")
app.add_typer(els.app, name="els")
app.add_typer(ip_licenses.app, name="ip-licenses")
app.add_typer(groups.app, name="groups")
app.add_typer(awp.app, name="awp")
app.add_typer(check.app, name="check")
files.add_to(app)
simulate.add_to(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"clntool {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _before_the_family(
    context: typer.Context,
    *,
    config: ConfigOption = None,
    account: AccountOption = None,
    output: OutputOption = None,
    login: Annotated[
        str | None,
        typer.Option(metavar="LOGIN", help="In place of a configuration; or the variable CLN_LOGIN."),
    ] = None,
    secret_key_file: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="The secret key of that login; or the variable CLN_SECRET_KEY."),
    ] = None,
    api_url: Annotated[str | None, typer.Option(metavar="URL", help="The root of the CLN API.")] = None,
    proxy: Annotated[str | None, typer.Option(metavar="URL", help="An HTTP proxy on the way to CLN.")] = None,
    show_completion: ShowCompletion = None,  # noqa: ARG001 # as the next: its callback is what does it
    install_completion: InstallCompletion = None,  # noqa: ARG001
    _: Annotated[
        bool, typer.Option("--version", "-V", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    given = {"config": config, "account": account, "login": login, "secret-key-file": secret_key_file}
    refuse_blank(given | {"api-url": api_url, "proxy": proxy})
    choice = AccountSelection(config, account, login, secret_key_file, api_url=api_url, proxy=proxy)
    needs_command(context)
    context.obj = Session(choice, Output(output or Format.TABLE, time.time), context.obj)
