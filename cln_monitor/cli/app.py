"""The command line of ``clntool``: what stands before the family, and the families."""

from __future__ import annotations

import time
from typing import Annotated, Optional

import typer

from cln_monitor import __version__
from cln_monitor.config import AccountSelection

from . import awp, check, els, groups, imunify, ip_licenses, kernelcare, simulate, status
from .completion import CompletionGroup, InstallCompletion, ShowCompletion
from .context import needs_command
from .output import Format, Output
from .session import Session, UsageError

app = typer.Typer(
    name="clntool",
    cls=CompletionGroup,
    add_completion=False,  # typer's options take no shell as their value
    help="Every call of the CloudLinux Network (CLN) API from the shell.",
    pretty_exceptions_enable=False,  # they show the values of variables, and with them secrets
    context_settings={"help_option_names": ["-h", "--help"]},
)
status.add_to(app)
app.add_typer(kernelcare.app, name="kernelcare")
app.add_typer(imunify.app, name="imunify")
app.add_typer(els.app, name="els")
app.add_typer(ip_licenses.app, name="ip-licenses")
app.add_typer(groups.app, name="groups")
app.add_typer(awp.app, name="awp")
app.add_typer(check.app, name="check")
simulate.add_to(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"clntool {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _before_the_family(
    context: typer.Context,
    *,
    config: Annotated[
        Optional[str],  # noqa: UP045 # typer reads the annotation
        typer.Option("--config", "-C", metavar="FILE", help="A configuration of cln-monitor."),
    ] = None,
    account: Annotated[
        str | None, typer.Option("--account", "-a", metavar="NAME", help="The account of it, where there are several.")
    ] = None,
    output: Annotated[Format, typer.Option("--output", "-o", help="For people, or for scripts.")] = Format.TABLE,
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
    for name, value in (given | {"api-url": api_url, "proxy": proxy}).items():
        if value is not None and not value.strip():
            raise UsageError(f"--{name} is empty; give a value, or leave the option out")
    choice = AccountSelection(config, account, login, secret_key_file, api_url=api_url, proxy=proxy)
    needs_command(context)
    context.obj = Session(choice, Output(output, time.time), context.obj)
