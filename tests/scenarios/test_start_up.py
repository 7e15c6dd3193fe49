"""What each kind of run imports: a program that runs often or answers a person starts fast."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from cln_monitor.simulator import serve
from tests.helpers.running import PATIENCE, Exporter, wait_until
from tests.helpers.small_cln import small_cln, write_config

pytestmark = pytest.mark.processes

_TELL = """\
import os, sys
def end(code, end=os._exit):
    with open(os.environ["IMPORTED"], "w") as file:
        file.write(" ".join(name for name, module in sys.modules.items() if module is not None))
    end(code)
os._exit = end
"""


def telling(program: str) -> tuple[str, ...]:
    """Return the command of a Python program that writes the names of its modules to the file IMPORTED as it exits."""
    return (sys.executable, "-P", "-c", f"{_TELL}{program}")


NOTHING = telling("os._exit(0)")
CLNTOOL = telling("from cln_monitor.cli.main import run; run()")
CLN_EXPORTER = telling("from cln_monitor.exporter.__main__ import run; run()")
PLUGIN = telling("from cln_monitor.checks.entry import run; run('check_cln_kernelcare')")

TYPER = {"typer", "annotated_doc", "shellingham"}
MSGSPEC = {"msgspec", "typing_extensions"}
HTTP = {"requests", "urllib3", "certifi", "charset_normalizer", "idna"}
YAML = {"yaml"}
# What urllib3 and requests import if it is installed.
OPTIONAL = {"brotli", "brotlicffi", "chardet", "h2", "zstandard", "socks", "simplejson", "OpenSSL", "cryptography"}

COMMANDS = {
    path.stem.replace("_", "-")
    for path in (Path(__file__).parents[2] / "cln_monitor" / "cli" / "commands").glob("[a-z]*.py")
}

WORDS = [
    ("kernelcare", "keys", "c"),
    ("els", "keys", "create", "--"),
    ("ip-licenses", "register", "--"),
    ("status", "-"),
    ("simulate", "--"),
    ("servers", "prune", "--"),
    ("keys", "list", "--"),
    ("check", "account", "--"),
    ("eportal", "servers", "list", "--"),
    ("cve", "--"),
]
SHARED = {"keys": {"servers"}, "cve": {"eportal"}}
"""The modules of other commands that the module of a command uses."""


class Imports:
    """The ``modules`` that a program had imported at its end, without those of each Python, and their ``packages``."""

    def __init__(self, file: Path, without: Imports | None = None) -> None:
        self.modules: set[str] = set(file.read_text(encoding="utf-8").split()) - (without.modules if without else set())
        self.packages = {name.partition(".")[0] for name in self.modules}

    @property
    def foreign(self) -> set[str]:
        """The packages that are neither ours nor of Python, without their compiled helpers."""
        compiled = {name for name in self.packages if re.search("__mypyc$|^_?cython_|^_yaml$|^_sysconfigdata", name)}
        return self.packages - sys.stdlib_module_names - {"cln_monitor"} - OPTIONAL - compiled

    @property
    def commands(self) -> set[str]:
        """The commands of ``clntool`` whose modules are imported."""
        prefix = "cln_monitor.cli.commands."
        return {name.removeprefix(prefix).replace("_", "-") for name in self.modules if name.startswith(prefix)}


class Programs:
    """Runs programs, with their modules in a file of ``directory``."""

    def __init__(self, directory: Path) -> None:
        self.file = directory / "modules"
        self._python: Imports | None = None
        self._python = self.run(NOTHING)

    def run(self, command: Sequence[str], *arguments: str, code: int = 0, **environment: str) -> Imports:
        """Return what a program imports that ends with ``code``."""
        self.file.unlink(missing_ok=True)
        done = subprocess.run(
            [*command, *arguments],
            env=os.environ | {"IMPORTED": str(self.file)} | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert (done.returncode, done.stderr) == (code, "")
        return self.imports()

    def imports(self) -> Imports:
        """Return what the program imported that ended last."""
        return Imports(self.file, self._python)

    def complete(self, *words: str) -> Imports:
        """Return what a press of Tab after ``words`` imports."""
        line = " ".join(("clntool", *words))
        return self.run(CLNTOOL, _CLNTOOL_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(len(words)))


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    """Return what runs programs."""
    return Programs(tmp_path)


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Path]:
    """Yield the configuration of a running CLN."""
    with serve(small_cln()) as served:
        yield write_config(tmp_path, served.url)


@pytest.mark.parametrize("program", [CLNTOOL, CLN_EXPORTER], ids=["clntool", "cln-exporter"])
def test_version(program: tuple[str, ...], programs: Programs) -> None:
    """--version imports nothing but the constant, and neither a parser of options nor logging."""
    imported = programs.run(program, "--version")
    assert imported.foreign == set()
    assert not imported.packages & {"argparse", "asyncio", "logging", "http", "json", "ssl"}
    assert len(imported.modules & {"cln_monitor.cli.main", "cln_monitor.exporter.__main__"}) == 1


@pytest.mark.parametrize("option", ["-V", "--version"])
def test_both_versions(option: str, programs: Programs) -> None:
    """Both spellings of the option are fast."""
    assert "typer" not in programs.run(CLNTOOL, option).packages


def test_completion_of_a_command(programs: Programs) -> None:
    """Tab after clntool imports typer and no command, no configuration and no client."""
    imported = programs.complete("kern")
    assert imported.foreign == TYPER
    assert imported.commands == set()
    assert not {name for name in imported.modules if re.match(r"cln_monitor\.(cln|config|probes|simulator)\b", name)}


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_completion_below_a_command(words: tuple[str, ...], programs: Programs) -> None:
    """Tab after a command imports this command, but no configuration, and nothing to send requests or draw tables."""
    imported = programs.complete(*words)
    assert imported.commands - SHARED.get(words[0], set()) == {words[0]}
    assert imported.foreign <= TYPER | MSGSPEC | {"certifi"}
    assert not {name for name in imported.modules if re.match(r"cln_monitor\.(config|probes|simulator)\b", name)}


def test_every_command_is_imported_alone(programs: Programs) -> None:
    """The help of a command imports the modules of no other command, except for what it shares with one."""
    for name in sorted(COMMANDS):
        assert programs.run(CLNTOOL, name, "--help").commands - SHARED.get(name, set()) == {name}


def test_help(programs: Programs) -> None:
    """The help of clntool imports no command, no client, no pydantic, and of rich no Markdown and no pygments."""
    imported = programs.run(CLNTOOL, "--help")
    assert imported.commands == set()
    assert imported.foreign == TYPER | {"rich"}
    assert not imported.modules & {"rich.markdown", "rich.traceback"}


@pytest.mark.parametrize("output", ["table", "json"])
def test_a_read(output: str, config: Path, programs: Programs) -> None:
    """A command that reads imports rich for a table alone, and never pydantic, structlog or the simulator."""
    imported = programs.run(CLNTOOL, "-C", str(config), "-o", output, "kernelcare", "keys", "list")
    assert imported.foreign - {"rich"} == TYPER | MSGSPEC | HTTP | YAML
    assert ("rich" in imported.packages) == (output == "table")
    assert imported.commands == {"kernelcare"}
    assert "cln_monitor.simulator" not in imported.modules


def test_a_running_exporter(config: Path, tmp_path: Path, programs: Programs) -> None:
    """An exporter that polls and has served metrics and its page imports no rich, no pygments and no simulator."""
    environment = {"IMPORTED": str(programs.file)}
    arguments = ("--config.file", str(config))
    exporter = Exporter(tmp_path / "exporter.log", *arguments, program=CLN_EXPORTER, environment=environment)
    try:
        wait_until(lambda: exporter.ask("/-/ready").status == 200, "the first polls")
        assert exporter.ask("/metrics").status == exporter.ask("/").status == 200
    finally:
        exporter.stop()
    imported = programs.imports()
    assert {"structlog", "requests", "uvicorn", "jinja2", "msgspec"} <= imported.packages
    assert not imported.packages & {"rich", "pygments", "typer", "pydantic", "nagiosplugin"}
    assert not {name for name in imported.modules if re.match(r"cln_monitor\.(simulator|checks|cli)\b", name)}


def test_a_plugin(config: Path, programs: Programs) -> None:
    """A plugin imports the client, and nothing to start a thread pool's worth of libraries."""
    imported = programs.run(PLUGIN, "-C", str(config), code=1)
    assert imported.foreign == MSGSPEC | HTTP | YAML | {"nagiosplugin"}
    assert not imported.packages & {"asyncio", "rich", "typer", "structlog"}


def test_structlog_works_without_rich() -> None:
    """rich is hidden only while the exporter is imported, and an earlier import of it is kept."""
    program = (
        "import rich, sys; from cln_monitor.exporter.__main__ import _without_rich\n"
        "with _without_rich():\n"
        "    try: import rich\n"
        "    except ModuleNotFoundError: print('hidden')\n"
        "assert sys.modules['rich'].__name__ == 'rich'"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert done.stdout == "hidden\n"
