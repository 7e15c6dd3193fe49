"""The definitions for Nagios and Icinga match the option tables; tests/real loads them in the cores."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from cln_monitor.checks.options import Option
from cln_monitor.checks.registry import MODULES, load
from tests.helpers.running import PATIENCE
from tools.definitions import FILES, icinga, nagios, write
from tools.definitions.services import SERVICES

PLUGINS = Path(__file__).parents[2] / "plugins"
COMMAND = re.compile(r'^(?:object|template) CheckCommand "([^"]+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)
ARGUMENT = re.compile(r'^    "(--[a-z-]+)" = \{\n(.*?)^    \}', re.MULTILINE | re.DOTALL)


def icinga_arguments(command: str) -> dict[str, str]:
    """Return the arguments of a CheckCommand with their bodies, including imported ones."""
    bodies = dict(COMMAND.findall(icinga.commands()))
    arguments = dict(ARGUMENT.findall(bodies[command]))
    imported = re.search(r'^  import "([^"]+)"$', bodies[command], re.MULTILINE)
    return (icinga_arguments(imported[1]) if imported else {}) | arguments


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_what_the_tables_make(name: str, request: pytest.FixtureRequest) -> None:
    """The definitions are up to date; pytest --update-golden updates them."""
    if request.config.getoption("--update-golden"):
        write(PLUGINS)
    assert (PLUGINS / name).read_text(encoding="utf-8") == FILES[name](), (
        "as it should be? pytest --update-golden writes it"
    )


@pytest.mark.parametrize("plugin", MODULES)
def test_icinga_knows_each_argument(plugin: str) -> None:
    """A CheckCommand has all options of its plugin, with the same description."""
    arguments = icinga_arguments(icinga.command_name(plugin))
    options = [option for option in load(plugin).options if option.in_cores]
    assert set(arguments) == {f"--{option.name}" for option in options}
    for option in options:
        body = arguments[f"--{option.name}"]
        variable = f'"${icinga.variable(option, plugin)}$"'
        assert (f"set_if = {variable}" in body) == (option.metavar is None)
        assert (f"value = {variable}" in body) == (option.metavar is not None)
        assert ("repeat_key = true" in body) == (option.repeatable and option.metavar is not None)
        assert f'description = "{option.help}' in body
        assert option.shown_default in body


def test_what_counts_is_verbosity_alone() -> None:
    """Only -v is a counting switch, for which the definition is written."""
    counting = {
        flag
        for plugin in MODULES
        for option in load(plugin).options
        if option.metavar is None and option.repeatable
        for flag in option.flags
    }
    assert counting == {"-v", "--verbose"}


def test_a_variable_of_icinga_has_one_meaning() -> None:
    """A variable of Icinga belongs to one option."""
    meanings: dict[str, set[str]] = {}
    for plugin in MODULES:
        for option in load(plugin).options:
            meanings.setdefault(icinga.variable(option, plugin), set()).add(option.name)
    assert all(len(names) == 1 for names in meanings.values()), meanings


@pytest.mark.parametrize(
    "option",
    [
        pytest.param(Option(("--secret",), "no use for cores", "TEXT", in_cores=False), id="value"),
        pytest.param(Option(("--secret",), "no use for cores", in_cores=False), id="switch"),
    ],
)
def test_what_is_not_for_cores_is_left_out(option: Option) -> None:
    """An option that is not for cores is in neither definition."""
    assert "--secret" not in icinga._block("title", [], [option], "check_cln_status")
    assert "--secret" not in nagios._arguments([option])


def test_text_that_icinga_would_read_as_its_own() -> None:
    """Quotes, backslashes, and newlines in a help text are escaped."""
    option = Option(("--odd",), 'a "quote",\na back\\slash', "TEXT")
    assert icinga._argument(option, "cln_odd")[2] == r'  description = "a \"quote\",\na back\\slash"'


def test_each_plugin_has_a_command_and_a_service() -> None:
    """Every plugin has a command and a service."""
    assert re.findall(r"^    command_name +(.*)$", nagios.commands(), re.MULTILINE) == list(MODULES)
    assert re.findall(r"^    command_line +(.*)$", nagios.commands(), re.MULTILINE) == [
        f"$USER5$/{plugin} $ARG1$" for plugin in MODULES
    ]
    assert re.findall(r'ClnPluginDir \+ "/(.*)"', icinga.commands()) == list(MODULES)
    assert [service.plugin for service in SERVICES] == list(MODULES)


def test_nagios_reads_each_check_as_one_argument() -> None:
    """A check_command has one ! after the command and no ;."""
    checks = re.findall(r"^#?    check_command +(.*)$", nagios.services(), re.MULTILINE)
    assert len(checks) == len(SERVICES) + 1
    assert all(check.count("!") == 1 and ";" not in check for check in checks)


@pytest.mark.parametrize("file", ["nagios/cln-services.cfg", "icinga2/cln-services.conf"])
def test_examples_name_keys_by_their_labels(file: str) -> None:
    """Examples use labels instead of license keys, as cores show arguments."""
    keys = re.findall(r'(?:--key |_key = ")([^\s"]+)', FILES[file]())
    assert keys
    assert all(re.fullmatch(r"[A-Za-z0-9]{4}-[0-9a-f]{8}", key) for key in keys)


@pytest.mark.processes
def test_running_it_writes_the_files(tmp_path: Path) -> None:
    """The tool writes all files to the given directory, and reports one that does not exist."""
    command = [sys.executable, "-m", "tools.definitions"]
    subprocess.run([*command, str(tmp_path)], timeout=PATIENCE, check=True)
    written = {str(file.relative_to(tmp_path)): file.read_text() for file in tmp_path.rglob("*.c*")}
    assert written == {name: make() for name, make in FILES.items()}
    nowhere = tmp_path / "nowhere"
    refused = subprocess.run([*command, str(nowhere)], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert refused.returncode == 1
    assert re.fullmatch(rf"cannot write the definitions: .*'{nowhere}/nagios'\n", refused.stderr)
