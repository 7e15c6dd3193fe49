"""The program ``clntool``: the one place where it tells what went wrong, and ends with a code that says so."""

from __future__ import annotations

import contextlib
import os
import sys

from cln_monitor.cln import BadArgument, ClnError, Redactor
from cln_monitor.config import NotChosen

from .app import app
from .codes import Code, code_of
from .session import Unsaid


def main(arguments: list[str] | None = None) -> int:
    """Run ``clntool`` with ``arguments``, by default those of the process, and return its exit code."""
    redactor = Redactor()
    try:
        return _run(arguments, redactor)
    except ClnError as error:
        return _failed(str(error), code_of(error), redactor)
    except (BadArgument, NotChosen, Unsaid) as error:
        return _failed(str(error), Code.USAGE, redactor)
    except KeyboardInterrupt:
        return _failed("interrupted; a change that was under way may have been made all the same", Code.NOT_ASKED)
    except BrokenPipeError:  # whoever read our output has gone
        sys.stdout = None
        return Code.NOT_ASKED
    except Exception as error:  # noqa: BLE001 # a traceback would show what its frames hold, secrets among it
        problem = f"an error of clntool, please report it: {type(error).__name__}: {error}"
        return _failed(problem, Code.NOT_ASKED, redactor)


def _run(arguments: list[str] | None, redactor: Redactor) -> int:
    try:
        app(args=arguments, prog_name="clntool", obj=redactor)
    except SystemExit as end:
        sys.stdout.flush()
        return end.code if isinstance(end.code, int) else Code.DONE
    return Code.DONE


def _failed(problem: str, code: Code, redactor: Redactor | None = None) -> int:
    text = " ".join(problem.splitlines())
    print(f"clntool: {redactor.scrub(text) if redactor else text}", file=sys.stderr)  # noqa: T201 # the one place
    return code


def run() -> None:
    """Run :func:`main` as a process: it ends at once, whatever calls are under way."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] # a terminal may know few letters
    code = main()
    with contextlib.suppress(OSError, AttributeError):
        sys.stdout.flush()
    os._exit(code)  # Python would wait for threads that wait for CLN
