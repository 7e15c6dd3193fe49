"""``clntool files``: copies of the rules, dashboards, units and definitions."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from cln_monitor.bundled_files import bundled_files
from cln_monitor.cli.common_options import Commands
from cln_monitor.cli.context import session_of
from cln_monitor.cli.exit_codes import ExitCode
from cln_monitor.cli.output import eprint
from cln_monitor.cli.output_fields import shows

app = Commands()


@app.command("files")
@shows("directory", "written", "unchanged", "changed")
def copy_files(
    context: typer.Context,
    directory: Annotated[
        Path, typer.Argument(metavar="DIRECTORY", help="Target directory; it is created if it does not exist.")
    ],
    *,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Overwrite files with other content.")] = False,
) -> None:
    """Copy the Prometheus rules, Grafana dashboards, systemd units and Nagios and Icinga definitions to DIRECTORY.

    If a file exists there with other content, it is kept and the exit code is 1, unless --overwrite is given.
    """
    session = session_of(context)
    written, unchanged, changed = [], [], []
    for name, source in bundled_files().items():
        target = directory / name
        if target.exists() and target.read_bytes() == source.read_bytes():
            unchanged.append(name)
        elif target.exists() and not overwrite:
            changed.append(name)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            written.append(name)
    text = f"{directory}: {len(written)} files written, {len(unchanged)} unchanged"
    about = {"directory": str(directory), "written": written, "unchanged": unchanged, "changed": changed}
    session.output.message(text, about)
    for name in changed:
        eprint(f"clntool: {directory / name} exists and differs: skipped; use --overwrite to replace it")
    if changed:
        raise typer.Exit(ExitCode.REFUSED)
