"""The options of the plugins as tables: of them come the command line, ``--help``, and the cores' definitions."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, NoReturn

from cln_monitor.durations import parse_seconds

from .plugin_exit import CheckError
from .states import State


def given(text: str) -> str:
    """Read a text that is not empty: what a core leaves empty is a slip in its configuration."""
    if not text:
        raise ValueError("is empty; give a value, or leave the option out")
    return text


class Option(NamedTuple):
    """An option. ``metavar`` None is a switch; ``read`` turns its text into a value and raises ValueError on nonsense.

    ``shown_default`` is the default in words for ``--help``; ``in_cores`` is false for what a service definition has
    no use for.
    """

    flags: tuple[str, ...]
    help: str
    metavar: str | None = None
    default: Any = None
    read: Callable[[str], Any] = given
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
    problem = ValueError("expected a number of seconds above 0")
    try:
        number = parse_seconds(text)
    except ValueError:
        raise problem from None
    if not 0 < number < 86400:
        raise problem
    return number


def state(text: str) -> State:
    """Read the name of a state."""
    try:
        return State[text.upper()]
    except KeyError:
        raise ValueError("expected ok, warning, critical or unknown") from None


def address(text: str) -> str:
    """Read the address of a server, ``http://host:port/path``, which may name who asks."""
    from cln_monitor.urls import is_http_url  # noqa: PLC0415 # whoever gives an address asks it, and then needs this

    if not is_http_url(text) or set("?#") & set(text):
        raise ValueError("expected an address such as http://127.0.0.1:10099")
    return text.rstrip("/")


def ip_address(text: str) -> str:
    """Read an IP address, and spell it as all others are."""
    from ipaddress import ip_address as parsed  # noqa: PLC0415 # 4 ms that only a filter by address needs

    try:
        return str(parsed(text))
    except ValueError:
        raise ValueError("expected an IP address, such as 192.0.2.1") from None


def api_root(text: str) -> str:
    """Read the address of a CLN API: who asks it is in the token."""
    if "@" in text:
        raise ValueError("expected an address such as https://cln.cloudlinux.com/api")
    return address(text)


TIMEOUT = Option(
    ("-t", "--timeout"),
    "seconds after which the whole check ends as UNKNOWN",
    "SECONDS",
    default=30.0,
    read=seconds,
    shown_default="30",
)
VERBOSE = Option(
    ("-v", "--verbose"), "more to read: -v all objects, -vvv the traceback of an error of ours", repeatable=True
)
EXPORTER = Option(
    ("--exporter",),
    "read what a running cln-exporter at this address saw, in place of calling CLN",
    "URL",
    read=address,
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
    Option(("--api-url",), "the root of the CLN API", "URL", read=api_root),
    EXPORTER,
    Option(("--proxy",), "an HTTP proxy on the way to CLN", "URL", read=address),
    TIMEOUT,
    UNREACHABLE_STATE,
    VERBOSE,
)
"""What every check of an account takes."""


class HelpRequestedError(Exception):  # asked for, not an error
    """The text of ``-h`` or ``-V``, which has to end with code 3 like all that is no verdict."""


_FLAG = r"--[a-z][a-z-]*|-[A-Za-z]"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        # No value is shown: it may be a secret in the wrong place.
        told = re.sub(r"(?s)ignored explicit argument .*", "it takes no value", message)
        raise CheckError(f"{told}; see --help")


def parse(
    program: str, purpose: str, options: Sequence[Option], arguments: Sequence[str], version: str
) -> argparse.Namespace:
    """Return the values of ``options`` in ``arguments``.

    Raises CheckError, or HelpRequestedError for ``-h`` and ``-V``.
    """
    parser = make_parser(program, purpose, options)
    values, unknown = parser.parse_known_args(arguments)
    if unknown:
        flags = [flag for text in unknown if re.fullmatch(_FLAG, flag := text.partition("=")[0])]
        parser.error(f"unknown option {', '.join(flags)}" if flags else "an argument that belongs to no option")
    if values.help:
        raise HelpRequestedError(parser.format_help())
    if values.version:
        raise HelpRequestedError(f"{program} {version}")
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
