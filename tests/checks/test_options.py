"""Options: valid and invalid values, and errors that do not show values."""

from __future__ import annotations

import argparse

import pytest

from cln_monitor.checks import options
from cln_monitor.checks.options import COMMON, HelpRequestedError, Option, parse, values_of
from cln_monitor.checks.plugin_exit import CheckError
from cln_monitor.checks.registry import MODULES, load
from cln_monitor.checks.states import State

SECRET = "hunter22"
ALL = (*COMMON, Option(("--register",), "a switch"), Option(("--key",), "50% of it", "KEY", repeatable=True))


def parsed(*arguments: str) -> dict[str, object]:
    """Return the values of a plugin's options for ``arguments``."""
    return vars(parse("check_cln", "Checks.", ALL, arguments, "1.2.3"))


def refusal(*arguments: str) -> str:
    """Return the error for invalid ``arguments``."""
    with pytest.raises(CheckError) as caught:
        parsed(*arguments)
    return str(caught.value)


def test_defaults() -> None:
    """By default there is no account, and the timeout is 30 seconds."""
    values = parsed()
    assert values["timeout"] == 30
    assert values["unreachable_state"] is State.UNKNOWN
    assert values["verbose"] == 0
    assert values["key"] == []
    assert values["register"] is False
    assert {values[name] for name in ("config", "account", "login", "exporter", "proxy", "api_url")} == {None}


def test_values() -> None:
    """Repeatable options are lists, -v counts, and states are case-insensitive."""
    values = parsed("-vv", "--key", "a", "--key", "b", "--register", "-t", "2.5", "--unreachable-state", "Critical")
    assert (values["verbose"], values["key"], values["register"]) == (2, ["a", "b"], True)
    assert (values["timeout"], values["unreachable_state"]) == (2.5, State.CRITICAL)
    assert parsed("-t", "1m")["timeout"] == 60


def test_one_parse_does_not_know_of_another() -> None:
    """A default list is not shared between calls."""
    parsed("--key", "a")
    assert parsed()["key"] == []


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "1e9", "", "soon", "1x"])
def test_no_time_at_all(text: str) -> None:
    """An invalid timeout is reported."""
    complaint = "argument -t/--timeout: expected a number of seconds above 0 and below 86400; see --help"
    assert refusal(f"--timeout={text}") == complaint


def test_no_state() -> None:
    """An invalid state is reported with the valid ones."""
    complaint = "argument --unreachable-state: expected ok, warning, critical, or unknown; see --help"
    assert refusal("--unreachable-state", "bad") == complaint


@pytest.mark.parametrize("option", ["--exporter", "--api-url", "--proxy"])
@pytest.mark.parametrize(
    "text",
    [
        *("", "127.0.0.1:10099", "localhost", "ftp://h", "http://", "http://:80", "http://h:99999", "http://h:0"),
        *("http://h:x", "http://[::1", "http://h/a b", "http://h\n", "http://h/?a=b", "http://h/#a", "http://a..b"),
    ],
)
def test_no_address(option: str, text: str) -> None:
    """An invalid URL is reported with an example before any request."""
    assert refusal(option, text).startswith(f"argument {option}: expected a URL such as http")


def test_addresses() -> None:
    """URLs may have a path, a port, and an IPv6 address, and a user except for the CLN API."""
    for url in ("http://127.0.0.1:10099", "https://h/path", "http://[::1]:80"):
        assert (parsed("--exporter", url)["exporter"], parsed("--api-url", f"{url}/")["api_url"]) == (url, url)
    assert parsed("--proxy", "http://me:p@h:1")["proxy"] == "http://me:p@h:1"
    assert SECRET not in refusal("--api-url", f"https://me:{SECRET}@h/api")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--secret-key", SECRET), "unknown option --secret-key; see --help"),
        ((f"--secret-key={SECRET}",), "unknown option --secret-key; see --help"),
        ((SECRET,), "unexpected argument without an option; see --help"),
        ((f"-p{SECRET}",), "unexpected argument without an option; see --help"),
        (("--account", "a", "b", "--colour", "c"), "unknown option --colour; see --help"),
        ((f"--register={SECRET}",), "argument --register: takes no value; see --help"),
        ((f"--verbose={SECRET}",), "argument -v/--verbose: takes no value; see --help"),
        (("--acc", "a"), "unknown option --acc; see --help"),
        (("--account",), "argument -a/--account: expected one argument; see --help"),
        (("--exporter", f"http://me:{SECRET}@h:x"), "argument --exporter: expected a URL such as http"),
    ],
)
def test_a_refusal_names_the_option_and_shows_no_value(arguments: tuple[str, ...], complaint: str) -> None:
    """An error names the option but not its value, which may be a secret."""
    said = refusal(*arguments)
    assert said.startswith(complaint)
    assert SECRET not in said


def test_help_and_version() -> None:
    """-h and -V take precedence over other options."""
    with pytest.raises(HelpRequestedError) as caught:
        parsed("-h", "-t", "3")
    assert str(caught.value).startswith("usage: check_cln ")
    assert "50% of it" in str(caught.value)
    with pytest.raises(HelpRequestedError, match=r"^check_cln 1\.2\.3$"):
        parsed("-V")


@pytest.mark.parametrize("name", MODULES)
def test_an_empty_text_is_refused(name: str) -> None:
    """An empty value is an error for all options except letters."""
    program = load(name)
    parser = options.make_parser(name, program.purpose, program.options)
    for option in program.options:
        if option.metavar == "LETTERS":
            assert getattr(parser.parse_args([f"--{option.name}="]), option.dest) == ()
        elif option.metavar is not None:
            with pytest.raises(CheckError) as caught:
                parser.parse_args([f"--{option.name}="])
            said = str(caught.value)
            assert said.startswith(f"argument {'/'.join(option.flags)}: ")
            is_text = option.read is options.non_empty
            assert is_text == said.endswith(": must not be empty; set a value or omit the option; see --help"), said


@pytest.mark.parametrize("name", MODULES)
def test_the_options_of_a_plugin_go_together(name: str) -> None:
    """Each flag is there once, and each default in words is one that holds."""
    program = load(name)
    flags = [flag for option in program.options for flag in option.flags]
    assert len(flags) == len(set(flags))
    values = options.make_parser(name, program.purpose, program.options).parse_args([])
    for option in program.options:
        if option.default not in {None, ()} and option.shown_default and option.metavar:
            assert option.read(option.shown_default) == getattr(values, option.dest), option.name


@pytest.mark.parametrize("name", MODULES)
def test_values_without_arguments(name: str) -> None:
    """Texts by name give what the same texts give as arguments, and options that are not given their defaults."""
    plugin = load(name)
    assert values_of(plugin.options, {}) == parsed_values(name)
    for option in plugin.options:
        given: object
        text = next(text for text in SAMPLES if is_valid(option, text))
        if option.metavar is None:
            given, arguments = (2, ["-vv"]) if option.repeatable else (True, [f"--{option.name}"])
        elif option.repeatable:
            given, arguments = [text, text], [f"--{option.name}={text}"] * 2
        else:
            given, arguments = text, [f"--{option.name}={text}"]
        expected, values = parsed_values(name, *arguments), values_of(plugin.options, {option.dest: given})
        assert repr_of(values) == repr_of(expected), option


SAMPLES = ("1", "ok", "http://192.0.2.1", "192.0.2.1", "o,u", "previous", "CVE-2026-11111")


def is_valid(option: Option, text: str) -> bool:
    """Return whether ``option`` accepts ``text``."""
    try:
        option.read(text)
    except ValueError:
        return False
    return True


def parsed_values(name: str, *arguments: str) -> argparse.Namespace:
    """Return the values of ``arguments`` without those of -h and -V."""
    values = parse(name, "", load(name).options, arguments, "")
    del values.help, values.version
    return values


def repr_of(values: argparse.Namespace) -> dict[str, str]:
    """Return ``values`` as texts, as ranges have no equality; the time of a range is in its text."""
    return {
        name: str(value) if not isinstance(value, list) else str(list(map(str, value)))
        for name, value in vars(values).items()
    }


def test_unknown_and_invalid_values() -> None:
    """A name that is no option is a KeyError, and a text that is invalid a ValueError."""
    with pytest.raises(KeyError):
        values_of(COMMON, {"acount": "x"})
    with pytest.raises(ValueError, match="expected ok, warning"):
        values_of(COMMON, {"unreachable_state": "good"})
