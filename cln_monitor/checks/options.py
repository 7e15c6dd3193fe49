"""The options of the plugins as tables: of them come the command line, ``--help``, and the cores' definitions."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from .exit import Unusable
from .states import State


@dataclass(frozen=True)
class Option:
    """An option. ``metavar`` None is a switch; ``read`` turns its text into a value and raises ValueError on nonsense.

    ``shown_default`` is the default in words for ``--help``; ``in_cores`` is false for what a service definition has
    no use for.
    """

    flags: tuple[str, ...]
    help: str
    metavar: str | None = None
    default: Any = None
    read: Callable[[str], Any] = str
    repeatable: bool = False
    shown_default: str = ""
    in_cores: bool = True

    @property
    def name(self) -> str:
        """Its long flag without dashes, ``limit-warning``."""
        return self.flags[-1].removeprefix("--")

    @property
    def dest(self) -> str:
        """The name of its value, ``limit_warning``."""
        return self.name.replace("-", "_")


def seconds(text: str) -> float:
    """Read a number of seconds above zero."""
    number = float(text)
    if not 0 < number < 86400:
        raise ValueError("expected a number of seconds above 0")
    return number


def state(text: str) -> State:
    """Read the name of a state."""
    try:
        return State[text.upper()]
    except KeyError:
        raise ValueError("expected ok, warning, critical or unknown") from None


TIMEOUT = Option(
    ("-t", "--timeout"),
    "seconds after which the whole check ends as UNKNOWN",
    "SECONDS",
    default=30.0,
    read=seconds,
    shown_default="30",
)
VERBOSE = Option(
    ("-v", "--verbose"), "more to read: -v all objects, -vv how it was asked, -vvv tracebacks", repeatable=True
)
EXPORTER = Option(
    ("--exporter",), "read what a running cln-exporter at this address saw, in place of calling CLN", "URL"
)
UNREACHABLE_STATE = Option(
    ("--unreachable-state",),
    "the state while CLN or the exporter gives no answer",
    "STATE",
    default=State.UNKNOWN,
    read=state,
    shown_default="unknown",
)
COMMON = (
    Option(("-C", "--config"), "a configuration of cln-monitor, for the account's credentials", "FILE"),
    Option(
        ("-a", "--account"), "the account of that configuration or exporter; needed where there are several", "NAME"
    ),
    Option(("--login",), "the login at CLN, in place of a configuration; or the variable CLN_LOGIN", "LOGIN"),
    Option(("--secret-key-file",), "a file with the secret key of that login; or the variable CLN_SECRET_KEY", "FILE"),
    Option(("--api-url",), "the root of the CLN API", "URL"),
    EXPORTER,
    Option(("--proxy",), "an HTTP proxy on the way to CLN", "URL"),
    TIMEOUT,
    UNREACHABLE_STATE,
    VERBOSE,
)
"""What every check of an account takes."""


class Help(Exception):  # asked for, not an error
    """The text of ``-h`` or ``-V``, which has to end with code 3 like all that is no verdict."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Unusable(f"{message}; see --help")


def parse(
    program: str, purpose: str, options: Sequence[Option], arguments: Sequence[str], version: Callable[[], str]
) -> argparse.Namespace:
    """Return the values of ``options`` in ``arguments``. Raises Unusable, or Help for ``-h`` and ``-V``."""
    parser = make_parser(program, purpose, options)
    values = parser.parse_args(arguments)
    if values.help:
        raise Help(parser.format_help())
    if values.version:
        raise Help(f"{program} {version()}")
    return values


def make_parser(program: str, purpose: str, options: Sequence[Option]) -> argparse.ArgumentParser:
    """Return the parser of ``options``, beside which there are ``-h`` and ``-V``."""
    parser = _Parser(prog=program, description=purpose, add_help=False, allow_abbrev=False)
    for option in options:
        text = option.help.replace("%", "%%")
        if option.shown_default:
            text += f" (default: {option.shown_default.replace('%', '%%')})"
        if option.metavar is None:
            action = "count" if option.repeatable else "store_true"
            parser.add_argument(
                *option.flags, dest=option.dest, action=action, default=0 if option.repeatable else False, help=text
            )
        else:
            parser.add_argument(
                *option.flags,
                dest=option.dest,
                action="append" if option.repeatable else "store",
                default=[] if option.repeatable else option.default,
                metavar=option.metavar,
                type=_typed(option.read),
                help=text,
            )
    parser.add_argument("-V", "--version", action="store_true", help="the version of the plugin")
    parser.add_argument("-h", "--help", action="store_true", help="this help")
    return parser


def _typed(read: Callable[[str], Any]) -> Callable[[str], Any]:
    def typed(text: str) -> Any:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return typed
