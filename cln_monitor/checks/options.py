"""The options of the plugins as tables, for the command line, ``--help``, and the Nagios and Icinga definitions."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

from cln_monitor.durations import parse_seconds

from .plugin_exit import CheckError
from .states import State


def non_empty(text: str) -> str:
    """Return ``text``, which must not be empty: an empty value is often an unset variable of the core."""
    if not text:
        raise ValueError("must not be empty; set a value or omit the option")
    return text


class Option(NamedTuple):
    """A command-line option; one with ``metavar`` None is a switch.

    ``read`` converts its text to a value and raises ValueError if the text is invalid. ``shown_default`` is the default
    as text for ``--help``. ``in_cores`` is false if service definitions do not need the option.
    """

    flags: tuple[str, ...]
    help: str
    metavar: str | None = None
    default: Any = None
    read: Callable[[str], Any] = non_empty
    repeatable: bool = False
    shown_default: str = ""
    in_cores: bool = True

    @property
    def name(self) -> str:
        """The long flag without dashes: ``limit-warning``."""
        return self.flags[-1].removeprefix("--")

    @property
    def dest(self) -> str:
        """The attribute of the parsed value: ``limit_warning``."""
        return self.name.replace("-", "_")


def seconds(text: str) -> float:
    """Parse a number of seconds above 0 and below 86400."""
    problem = ValueError("expected a number of seconds above 0 and below 86400")
    try:
        number = parse_seconds(text)
    except ValueError:
        raise problem from None
    if not 0 < number < 86400:
        raise problem
    return number


def state(text: str) -> State:
    """Parse the name of a state."""
    try:
        return State[text.upper()]
    except KeyError:
        raise ValueError("expected ok, warning, critical, or unknown") from None


def address(text: str) -> str:
    """Parse the URL of a server, ``http://host:port/path``, which may include user and password."""
    from cln_monitor.urls import is_http_url  # noqa: PLC0415 # needed only with a URL, and imported then anyway

    if not is_http_url(text) or set("?#") & set(text):
        raise ValueError("expected a URL such as http://127.0.0.1:10099")
    return text.rstrip("/")


def ip_address(text: str) -> str:
    """Parse an IP address and return it in the canonical notation."""
    from ipaddress import ip_address as parsed  # noqa: PLC0415 # takes 4 ms and is only needed for --ip

    try:
        return str(parsed(text))
    except ValueError:
        raise ValueError("expected an IP address, such as 192.0.2.1") from None


def api_root(text: str) -> str:
    """Parse the root URL of a CLN API, without user and password: the token identifies the account."""
    if "@" in text:
        raise ValueError("expected a URL such as https://cln.cloudlinux.com/api")
    return address(text)


TIMEOUT = Option(
    ("-t", "--timeout"),
    "Stop after this many seconds and return UNKNOWN",
    "SECONDS",
    default=30.0,
    read=seconds,
    shown_default="30",
)
VERBOSE = Option(
    ("-v", "--verbose"), "Show more: with -v also what is OK, tracebacks of internal errors with -vvv", repeatable=True
)
EXPORTER = Option(
    ("--exporter",),
    "Read data from the cln-exporter at this URL instead of CLN",
    "URL",
    read=address,
)
UNREACHABLE_STATE = Option(
    ("--unreachable-state",),
    "Return this state if CLN or the exporter does not respond",
    "STATE",
    default=State.UNKNOWN,
    read=state,
    shown_default="unknown",
)
COMMON = (
    Option(("-C", "--config"), "Read the account's credentials from this cln-monitor configuration file", "FILE"),
    Option(
        ("-a", "--account"),
        "Use this account of the configuration or exporter; required if there are several",
        "NAME",
    ),
    Option(("--login",), "Log in to CLN with this login instead of a configuration; or set CLN_LOGIN", "LOGIN"),
    Option(
        ("--secret-key-file",),
        "Read the secret key of the login from this file; or set CLN_SECRET_KEY",
        "FILE",
    ),
    Option(("--api-url",), "Use this root URL of the CLN API", "URL", read=api_root),
    EXPORTER,
    Option(("--proxy",), "Connect to CLN through this HTTP proxy", "URL", read=address),
    TIMEOUT,
    UNREACHABLE_STATE,
    VERBOSE,
)
"""The options of every check of an account."""
EPORTAL_COMMON = (
    Option(("-C", "--config"), "Read the ePortals from this cln-monitor configuration file", "FILE"),
    Option(
        ("-a", "--account"),
        "Use the ePortal of this name; required if the configuration or exporter has several",
        "NAME",
    ),
    EXPORTER._replace(help="Read data from the cln-exporter at this URL instead of the ePortal"),
    TIMEOUT,
    UNREACHABLE_STATE._replace(help="Return this state if the ePortal or the exporter does not respond"),
    VERBOSE,
)
"""The options of every check of an ePortal."""


class HelpRequestedError(Exception):
    """The text of ``-h`` or ``-V``. The plugin exits with code 3, as always when it returns no result."""


_FLAG = r"--[a-z][a-z-]*|-[A-Za-z]"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        # Values are not shown: one may be a secret in the wrong place.
        text = re.sub(r"(?s)ignored explicit argument .*", "takes no value", message)
        raise CheckError(f"{text}; see --help")


def parse(
    program: str, purpose: str, options: Sequence[Option], arguments: Sequence[str], version: str
) -> argparse.Namespace:
    """Return the values of ``options`` in ``arguments``.

    Raises CheckError for invalid arguments, and HelpRequestedError for ``-h`` and ``-V``.
    """
    parser = make_parser(program, purpose, options)
    values, unknown = parser.parse_known_args(arguments)
    if unknown:
        flags = [flag for text in unknown if re.fullmatch(_FLAG, flag := text.partition("=")[0])]
        parser.error(f"unknown option {', '.join(flags)}" if flags else "unexpected argument without an option")
    if values.help:
        raise HelpRequestedError(parser.format_help())
    if values.version:
        raise HelpRequestedError(f"{program} {version}")
    return values


def values_of(options: Sequence[Option], texts: Mapping[str, Any]) -> argparse.Namespace:
    """Return the values of ``options``, as :func:`parse` does, from texts by ``dest`` instead of arguments.

    The value of a repeatable option is a list of texts, that of a switch is true or, if it is repeatable, a number.
    Options without a text have their defaults. Raises ValueError for an invalid text, and KeyError for an unknown
    option.
    """
    known = {option.dest: option for option in options}
    values = {option.dest: _default_of(option) for option in options}
    for dest, value in texts.items():
        option = known[dest]
        if option.metavar is None:
            values[dest] = value
        else:
            values[dest] = list(map(option.read, value)) if option.repeatable else option.read(value)
    return argparse.Namespace(**values)


def _default_of(option: Option) -> Any:
    if option.metavar is None:
        return 0 if option.repeatable else False
    return [] if option.repeatable else option.default


def make_parser(program: str, purpose: str, options: Sequence[Option]) -> argparse.ArgumentParser:
    """Return the parser for ``options`` and for ``-h`` and ``-V``."""
    parser = _Parser(prog=program, description=purpose, add_help=False, allow_abbrev=False)
    for option in options:
        text = option.help.replace("%", "%%")
        if option.shown_default:
            text += f" (default: {option.shown_default.replace('%', '%%')})"
        if option.metavar is None:
            action = "count" if option.repeatable else "store_true"
            parser.add_argument(*option.flags, dest=option.dest, action=action, default=_default_of(option), help=text)
        else:
            parser.add_argument(
                *option.flags,
                dest=option.dest,
                action="append" if option.repeatable else "store",
                default=_default_of(option),
                metavar=option.metavar,
                type=_typed(option.read),
                help=text,
            )
    parser.add_argument("-V", "--version", action="store_true", help="Show the version")
    parser.add_argument("-h", "--help", action="store_true", help="Show this help")
    return parser


def _typed(read: Callable[[str], Any]) -> Callable[[str], Any]:
    def typed(text: str) -> Any:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return typed
