"""``clntool check``: checks of a configuration, and of what its account can use at CLN."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cln_monitor.cli.concurrent import ConcurrentReader
from cln_monitor.cli.context import family, session_of
from cln_monitor.cli.exit_codes import ExitCode
from cln_monitor.cli.output import eprint
from cln_monitor.cli.output_fields import shows
from cln_monitor.cli.usage import UsageError
from cln_monitor.source_kinds import SOURCE_KINDS

app = family("Check a configuration, or an account at CLN.")


@app.command("config")
@shows("ok", "accounts", "eportals", "warnings", "problems")
def check_config(
    context: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="Configuration file (default: that of --config).", show_default=False),
    ] = None,
    *,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of the configuration.")] = False,
) -> None:
    """Check a configuration file and all files it refers to, and print errors and warnings.

    CLN is not queried: use `clntool check account` for that.
    """
    from cln_monitor.config import (  # noqa: PLC0415 # Tab needs none
        DEFAULT_CONFIG,
        ConfigError,
        config_schema,
        load_config,
        warnings_of,
    )

    session = session_of(context)
    if schema:
        if file is not None:
            raise UsageError("--schema takes no FILE: the schema is the same for all configurations")
        typer.echo(json.dumps(config_schema(), indent=2, ensure_ascii=False))
        return
    file = file or Path(session.selection.config or DEFAULT_CONFIG)
    try:
        config = load_config(file, guard_secrets=True)
    except ConfigError as error:
        problems = str(error).splitlines()
        for line in problems:
            eprint(f"clntool: {line}")
        session.output.message("", {"ok": False, "accounts": [], "eportals": [], "warnings": [], "problems": problems})
        raise typer.Exit(ExitCode.REFUSED) from None
    warnings = warnings_of(config)
    for warning in warnings:
        eprint(f"clntool: {file}: warning: {warning}")
    text = f"{file}: ok, {config.counts}: {', '.join(config.names)}"
    names = {kind.field: config.names_of(kind) for kind in SOURCE_KINDS}
    session.output.message(text, {"ok": True, **names, "warnings": warnings, "problems": []})


@app.command("account")
@shows("ok", "account", "checks", "probes")
def check_account(context: typer.Context) -> None:
    """Check what the account can use at CLN, and print the matching probes: block of the configuration.

    All probes run once with the credentials of the account. They show whether the login is accepted, which products
    exist, whether each key and monitoring key works, and whether there is reseller access. Nothing is changed.
    """
    from cln_monitor.cli.account_check import FAILS, AccountCheck  # noqa: PLC0415 # Tab needs none

    session = session_of(context)
    account_check = AccountCheck(session)
    with ConcurrentReader(session) as reader:
        account_check.run(reader)
    checks = account_check.checks
    record = {
        "ok": account_check.code is ExitCode.DONE,
        "account": session.account.name,
        "checks": [{"probe": check.probe, "result": check.result, "text": check.text} for check in checks],
        "probes": account_check.probes,
    }
    lines = [f"{check.probe:<12}  {check.result:<13}  {check.text}" for check in checks]
    session.output.message("\n".join([*lines, "", *account_check.block()] if account_check.probes else lines), record)
    if account_check.code is not ExitCode.DONE:
        failed = ", ".join(check.probe for check in checks if check.result == FAILS)
        eprint(f"clntool: checks of account {session.account.name} failed: {failed}; see the results above")
        raise typer.Exit(account_check.code)
