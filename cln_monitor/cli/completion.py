"""Shell completion: ``--show-completion`` and ``--install-completion``, for the shell named or the one detected.

The options of the same name that typer adds take no value: they detect the shell from the parent process. The scripts,
and the code that answers them, are those of :mod:`typer.completion`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import shellingham
import typer
from typer.completion import (  # type: ignore[attr-defined] # typer has no public way to these; a test fails when they move
    completion_init,
    get_completion_script,
)

from .plain_help import PlainGroup
from .usage import UsageError

_PROGRAM = "clntool"
_VARIABLE = "_CLNTOOL_COMPLETE"  # set by the completion script
_ONE_LINE = "65536"  # columns: fish and zsh take each line as a completion
SHOW, INSTALL = "--show-completion", "--install-completion"


class Shell(StrEnum):
    """The shells that completion supports."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    POWERSHELL = "powershell"
    PWSH = "pwsh"


class InstallError(Exception):
    """Shell completion cannot be installed."""


class _Place(NamedTuple):
    """The paths below HOME of a shell's ``script`` and of the ``startup`` file, whose ``line`` loads the script."""

    script: str
    startup: str | None = None
    line: str = ""


_POWERSHELL = _Place(
    ".config/powershell/clntool_completion.ps1",
    ".config/powershell/Microsoft.PowerShell_profile.ps1",
    ". {script}",
)
_PLACES: Mapping[Shell, _Place] = {
    Shell.BASH: _Place(".bash_completions/clntool.sh", ".bashrc", "source {script}"),
    Shell.ZSH: _Place(".zfunc/_clntool", ".zshrc", "fpath+=~/.zfunc; autoload -Uz compinit; compinit"),
    Shell.FISH: _Place(".config/fish/completions/clntool.fish"),
    Shell.POWERSHELL: _POWERSHELL,
    Shell.PWSH: _POWERSHELL,
}


class CompletionGroup(PlainGroup):
    """The root of the command line. It detects the shell for a completion option without a value."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        completion_init()  # required for typer to answer the scripts

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Run the command line, or answer a completion script."""
        if os.environ.get(_VARIABLE):
            os.environ["COLUMNS"] = _ONE_LINE
        return super().main(*arguments, **options)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse ``args`` in ``ctx``, a click.Context. Raises UsageError if no shell is given or detected."""
        return super().parse_args(ctx, args if ctx.resilient_parsing else self._with_shell(ctx, args))

    def _with_shell(self, ctx: Any, args: list[str]) -> list[str]:
        """Return ``args``, with the detected shell added to a completion option that has no value."""
        takes_value = {
            name: not getattr(option, "is_flag", False) for option in self.get_params(ctx) for name in option.opts
        }
        at = 0
        while at < len(args) and args[at].startswith("-") and args[at] != "--":
            if args[at] in {SHOW, INSTALL} and (at + 1 == len(args) or args[at + 1].startswith("-")):
                return [*args[:at], f"{args[at]}={_detected(args[at])}", *args[at + 1 :]]
            at += 2 if takes_value.get(args[at]) else 1
        return args


def _detected(option: str) -> Shell:
    """Return the shell that started clntool. Raises UsageError if none is detected."""
    problem = "cannot detect the shell"
    try:
        name, _ = shellingham.detect_shell()
    except Exception:  # noqa: BLE001 # it reads process names, which may be hidden or malformed
        name = None
    if name in set(Shell):
        return Shell(name)
    if name is not None:
        problem = f"unsupported shell {name}"
    *most, last = Shell
    raise UsageError(f"{problem}: use {option} with {', '.join(most)} or {last}")


def _script(shell: Shell) -> str:
    return get_completion_script(prog_name=_PROGRAM, complete_var=_VARIABLE, shell=shell.value)


def _show(shell: Shell | None) -> None:
    if shell is not None:
        typer.echo(_script(shell))
        raise typer.Exit


def _install(shell: Shell | None) -> None:
    if shell is None:
        return
    try:
        done = _write(shell, _home())
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""  # a write to a full disk names no file
        raise InstallError(f"cannot install {shell} completion: {where}{error.strerror}") from error
    except (ValueError, RuntimeError) as error:  # Python 3.11 and 3.12 raise a RuntimeError for a loop of links
        raise InstallError(f"cannot install {shell} completion: {error}") from error
    typer.echo("\n".join([*done, f"{shell} completion installed; it takes effect in new shells"]))
    raise typer.Exit


def _home() -> Path:
    """Return the home directory from HOME. Raises ValueError if HOME is unset or not a directory."""
    home = os.environ.get("HOME", "")
    if not home:
        raise ValueError("HOME is not set")
    if not Path(home).is_absolute():
        raise ValueError(f"HOME is {home!r}, which is not an absolute path")
    if not Path(home).is_dir():
        raise ValueError(f"HOME is {home!r}, which is not a directory")
    return Path(home)


def _write(shell: Shell, home: Path) -> list[str]:
    """Write the script, add the line that loads it if it is missing, and return a message for each file.

    Raises OSError, ValueError and RuntimeError.
    """
    place = _PLACES[shell]
    script = _within(home, place.script)
    startup = _within(home, place.startup) if place.startup else None
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(f"{_script(shell)}\n", encoding="utf-8")
    done = [f"wrote {script}"]
    if startup is None:
        return done
    quoted = str(script).replace("'", "''" if place is _POWERSHELL else r"'\''")
    line = os.fsencode(place.line.format(script=f"'{quoted}'"))
    with startup.open("a+b") as file:  # the startup file belongs to the user: only append to it
        file.seek(0)
        content = file.read()
        if line not in content.splitlines():
            file.write((b"" if content.endswith(b"\n") or not content else b"\n") + line + b"\n")
            done.append(f"added a line to {startup}")
    return done


def _within(home: Path, name: str) -> Path:
    """Return the path of ``name`` in ``home``. Raises ValueError if a symbolic link leads out of ``home``."""
    path = home / name
    if not path.resolve().is_relative_to(home.resolve()):
        raise ValueError(f"{path} is outside of {home}")
    return path


ShowCompletion = Annotated[
    Shell | None,
    typer.Option(
        SHOW,
        callback=_show,
        is_eager=True,
        help="Show the completion script for a shell (default: the current shell).",
    ),
]
InstallCompletion = Annotated[
    Shell | None,
    typer.Option(
        INSTALL,
        callback=_install,
        is_eager=True,
        help="Install completion for a shell (default: the current shell).",
    ),
]
