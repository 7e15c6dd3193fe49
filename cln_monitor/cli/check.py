"""``clntool check``: is a configuration right?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cln_monitor.config import ConfigError, load_config, warnings_of

from .context import family, session_of
from .exit_codes import Code
from .output import say
from .output_fields import shows

app = family("Checks of files.")


@app.command("config")
@shows("ok", "accounts", "warnings", "problems")
def check_config(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A configuration of cln-monitor.")],
) -> None:
    """Read a configuration and all files it names, and tell what is wrong or unusual in it."""
    session = session_of(context)
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
