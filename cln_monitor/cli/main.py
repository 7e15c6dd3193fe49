"""The program ``clntool``: all errors are reported here, and set the exit code."""

from __future__ import annotations

import contextlib
import functools
import os
import sys

from typer.core import TyperGroup
from typer.exceptions import TyperException
from typer.main import get_command

from cln_monitor.cln import ClnError, InvalidArgumentError, Redactor, clean_text
from cln_monitor.config import SelectionError
from cln_monitor.standard_streams import open_missing

from .app import app
from .change import ChangeRefusedError, InterruptedChangeError
from .completion import InstallError
from .exit_codes import ExitCode, code_of
from .output import eprint
from .session import UsageError

_LONGEST = 4096  # characters: a configuration can have many problems
_BY_CTRL_C = 130  # what typer makes of a KeyboardInterrupt


def main(arguments: list[str] | None = None) -> int:
    """Run ``clntool`` with ``arguments``, by default those of the process, and return its exit code."""
    redactor = Redactor()
    try:
        return _run(arguments, redactor)
    except ClnError as error:
        return _failed(str(error), code_of(error), redactor)
    except (InvalidArgumentError, SelectionError, UsageError) as error:
        return _failed(str(error), ExitCode.USAGE, redactor)
    except TyperException as error:
        return _failed(_usage(error), ExitCode.USAGE, redactor)
    except (ChangeRefusedError, InterruptedChangeError, InstallError) as error:
        return _failed(str(error), ExitCode.NOT_QUERIED, redactor)
    except KeyboardInterrupt:
        return _failed("interrupted", ExitCode.NOT_QUERIED, redactor)
    except OSError as error:
        return _failed(f"{error.filename or 'output'}: {error.strerror}", ExitCode.NOT_QUERIED, redactor)
    except Exception as error:  # noqa: BLE001 # a traceback could show secrets
        problem = f"internal error, please report it: {type(error).__name__}: {error}"
        return _failed(problem, ExitCode.NOT_QUERIED, redactor)


@functools.cache
def command() -> TyperGroup:
    """Return the tree of all commands."""
    tree = get_command(app)
    if not isinstance(tree, TyperGroup):
        raise TypeError("clntool has no commands")
    return tree


def _run(arguments: list[str] | None, redactor: Redactor) -> int:
    try:
        code = command()(args=arguments, prog_name="clntool", obj=redactor, standalone_mode=False)
    except SystemExit as end:  # typer answered a completion script, or the reader of its help has exited
        code = end.code
    if code == _BY_CTRL_C:
        raise KeyboardInterrupt
    return code if isinstance(code, int) else ExitCode.DONE


def _usage(error: TyperException) -> str:
    """Return the message of a usage error, with the command whose --help explains the usage."""
    context = getattr(error, "ctx", None)
    where = context.command_path if context else "clntool"
    problem = error.format_message().removesuffix(".").replace("Value error, ", "")
    return f"{problem}; see {where} --help"


def _failed(problem: str, code: ExitCode, redactor: Redactor) -> int:
    eprint(f"clntool: {clean_text(redactor.scrub(problem), _LONGEST)}")
    return code


def run() -> None:
    """Run :func:`main` as a process, which exits without waiting for calls in progress."""
    open_missing()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] # a terminal may not support all characters
    code = main()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(code)  # Python would wait for threads that wait for CLN, up to their timeout
