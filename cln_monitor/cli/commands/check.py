"""``clntool check``: is a configuration right, and what of CLN can its account use?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cln_monitor.cli.account_check import FAILS, AccountCheck
from cln_monitor.cli.concurrent import Gathering
from cln_monitor.cli.context import family, session_of
from cln_monitor.cli.exit_codes import Code
from cln_monitor.cli.output import say
from cln_monitor.cli.output_fields import shows
from cln_monitor.cli.session import UsageError
from cln_monitor.config import DEFAULT_CONFIG, ConfigError, config_schema, load_config, warnings_of

app = family("Checks of a configuration, and of what CLN offers to its account.")


@app.command("config")
@shows("ok", "accounts", "warnings", "problems")
def check_config(
    context: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="Configuration file; by default that of --config.", show_default=False),
    ] = None,
    *,
    schema: Annotated[bool, typer.Option("--schema", help="Show the JSON schema of a configuration instead.")] = False,
) -> None:
    """Read a configuration and all files it names, and tell what is wrong or unusual in it.

    CLN is not asked: `clntool check account` does that.
    """
    session = session_of(context)
    if schema:
        if file is not None:
            raise UsageError("--schema takes no FILE: the schema is the same for all configurations")
        typer.echo(json.dumps(config_schema(), indent=2, ensure_ascii=False))
        return
    file = file or Path(session.choice.config or DEFAULT_CONFIG)
    try:
        config = load_config(file, guard_secrets=True)
    except ConfigError as error:
        problems = str(error).splitlines()
        for line in problems:
            say(f"clntool: {line}")
        session.output.told("", {"ok": False, "accounts": [], "warnings": [], "problems": problems})
        raise typer.Exit(Code.REFUSED) from None
    warnings = warnings_of(config)
    for warning in warnings:
        say(f"clntool: {file}: warning: {warning}")
    names = [account.name for account in config.accounts]
    text = f"{file}: ok, {len(names)} account{'s' * (len(names) != 1)}: {', '.join(names)}"
    session.output.told(text, {"ok": True, "accounts": names, "warnings": warnings, "problems": []})


@app.command("account")
@shows("ok", "account", "checks", "probes")
def check_account(context: typer.Context) -> None:
    """Ask CLN what the account can use, and show the probes: block that fits it.

    It makes the calls of all probes once, with the credentials of the account: is the login accepted, which products
    are there, does each key and monitoring key answer, is there reseller access. Nothing is changed.
    """
    session = session_of(context)
    check = AccountCheck(session)
    with Gathering(session) as gathering:
        check.run(gathering)
    checks = [{"probe": each.probe, "result": each.result, "text": each.text} for each in check.checks]
    about = {"ok": check.code is Code.DONE, "account": session.account.name, "checks": checks, "probes": check.probes}
    lines = [f"{each.probe:<12}  {each.result:<13}  {each.text}" for each in check.checks]
    session.output.told("\n".join([*lines, "", *check.block()]) if check.probes else "\n".join(lines), about)
    if check.code is not Code.DONE:
        failing = [each.probe for each in check.checks if each.result == FAILS]
        say(f"clntool: {', '.join(failing)} of {session.account.name} failed; the text behind it says why")
        raise typer.Exit(check.code)
