"""Tests of the command line that the programs share."""

from __future__ import annotations

import pytest

from cln_monitor import __version__
from cln_monitor.daemon.command_line import Parser


@pytest.fixture
def parser() -> Parser:
    """Return the parser of a program without options of its own."""
    parser = Parser(prog="cln-example")
    parser.add_log_and_version()
    return parser


def test_an_error_is_one_line(parser: Parser, capsys: pytest.CaptureFixture[str]) -> None:
    """A usage error is one line on stderr that names the program, with exit code 1."""
    with pytest.raises(SystemExit, match="1"):
        parser.parse_args(["--a\nb"])
    assert capsys.readouterr() == ("", "cln-example: unrecognized arguments: --a b; see --help\n")


def test_the_version(parser: Parser, capsys: pytest.CaptureFixture[str]) -> None:
    """The version is printed on stdout, with exit code 0."""
    with pytest.raises(SystemExit, match="0"):
        parser.parse_args(["--version"])
    assert capsys.readouterr() == (f"cln-example {__version__}\n", "")


def test_the_defaults_of_the_log(parser: Parser) -> None:
    """Messages are logged from info on, as logfmt."""
    options = parser.parse_args([])
    assert (options.log_level, options.log_format) == ("info", "logfmt")
