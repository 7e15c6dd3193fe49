"""Reports of errors: one line on stderr without secrets, and the exit code."""

from __future__ import annotations

from typer.exceptions import TyperException

from cln_monitor.cln import ClnError, InvalidArgumentError, Redactor, clean_text
from cln_monitor.config import SelectionError

from .change import ChangeRefusedError, InterruptedChangeError
from .completion import InstallError
from .exit_codes import ExitCode, code_of
from .output import eprint
from .usage import UsageError

_LONGEST = 4096  # characters: a configuration can have many problems


def report(error: BaseException, redactor: Redactor) -> ExitCode:
    """Print a line about ``error`` to stderr, and return the exit code."""
    problem, code = _described(error)
    eprint(f"clntool: {clean_text(redactor.scrub(problem), _LONGEST)}")
    return code


def _described(error: BaseException) -> tuple[str, ExitCode]:
    match error:
        case ClnError():
            return str(error), code_of(error)
        case InvalidArgumentError() | SelectionError() | UsageError():
            return str(error), ExitCode.USAGE
        case TyperException():
            return _usage(error), ExitCode.USAGE
        case ChangeRefusedError() | InterruptedChangeError() | InstallError():
            return str(error), ExitCode.NOT_QUERIED
        case KeyboardInterrupt():
            return "interrupted", ExitCode.NOT_QUERIED
        case OSError():
            return f"{error.filename or 'output'}: {error.strerror}", ExitCode.NOT_QUERIED
    return f"internal error, please report it: {type(error).__name__}: {error}", ExitCode.NOT_QUERIED


def _usage(error: TyperException) -> str:
    """Return the message of a usage error, with the command whose --help explains the usage."""
    context = getattr(error, "ctx", None)
    where = context.command_path if context else "clntool"
    problem = error.format_message().removesuffix(".").replace("Value error, ", "")
    return f"{problem}; see {where} --help"
