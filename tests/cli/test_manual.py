"""docs/clntool.md lists each command with its calls, and the fields of its output."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cln_monitor.cli.main import command as tree
from cln_monitor.cli.output_fields import Fields, fields_of
from tests.helpers.pages import keep_block

from .account import KEY, LOGIN
from .commands import ALL_CHANGES, ALL_READS, OF_THEIR_OWN

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "clntool.md"
_OF_ALL = {"--help", "--yes", "--dry-run", "--config", "--account", "--output"}
BLANK_LINE = "\n\n"


def leaves(command: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the words of each command, and the command."""
    below = getattr(command, "commands", None)
    if below is None:
        yield path, command
        return
    for name, child in below.items():
        yield from leaves(child, f"{path} {name}".strip())


def usage(path: str, command: Any) -> str:
    """Return the usage of a command."""
    words = [path]
    for param in command.params:
        if param.param_type_name == "argument":
            word = f"{param.metavar}{'…' if param.nargs != 1 else ''}"
            words.append(word if param.required else f"[{word}]")
        elif param.opts[0] not in _OF_ALL:
            value = "" if param.is_flag else f" {param.metavar}"
            word = "/".join([param.opts[0], *param.secondary_opts]) + value
            words.append(word if param.required else f"[{word}]")
    return " ".join(words)


def sent_by(path: str) -> list[str]:
    """Return the calls that a command sends."""
    calls = [
        *(call for read in ALL_READS if f"{read.typed} ".startswith(f"{path} ") for call in read.sends),
        *OF_THEIR_OWN.get(path, ()),
        *(change.sends for change in ALL_CHANGES if f"{change.typed} ".startswith(f"{path} ")),
    ]
    templates = [f"{method} {url.replace(KEY, '{key}').replace(LOGIN, '{login}')}" for method, url, _ in calls]
    return list(dict.fromkeys(templates))


def commands_table() -> str:
    """Return the table of the commands."""
    rows = ["| command | what it does | sends |", "| --- | --- | --- |"]
    changes = {*(change.typed for change in ALL_CHANGES), "servers prune"}
    for path, command in leaves(tree()):
        calls = "<br>".join(f"`{call}`" for call in sent_by(path))
        mark = " **Changes.**" if any(f"{change} ".startswith(f"{path} ") for change in changes) else ""
        typed = usage(path, command).replace("|", "\\|")
        rows.append(f"| `{typed}` | {command.help.partition(BLANK_LINE)[0]}{mark} | {calls} |")
    return "\n".join(rows)


def fields_table() -> str:
    """Return the table of the fields."""
    rows = ["| command | JSON | fields |", "| --- | --- | --- |"]
    for path, command in leaves(tree()):
        fields = fields_of(command.callback)
        names = ", ".join(f"`{name}`" for name in fields.names)
        rows.append(f"| `{path}` | {'list of objects' if fields.listed else 'object'} | {names} |")
    return "\n".join(rows)


def test_commands(request: pytest.FixtureRequest) -> None:
    """The manual has the current commands and options."""
    keep_block(PAGE, "commands", commands_table(), update=request.config.getoption("--update-golden"))


def test_fields(request: pytest.FixtureRequest) -> None:
    """The manual has the current output fields, which are stable."""
    keep_block(PAGE, "fields", fields_table(), update=request.config.getoption("--update-golden"))


def test_each_command_declares_what_it_shows() -> None:
    """Each command declares its output fields, and its calls are listed."""
    for path, command in leaves(tree()):
        assert fields_of(command.callback) != Fields(()), path
        assert sent_by(path) or path in {"simulate", "check config", "files"}


def test_installed_as_a_script() -> None:
    """pip installs clntool as a script."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["scripts"]["clntool"] == "cln_monitor.cli.main:run"
    names = {re.split("[>=<]", dependency)[0] for dependency in project["dependencies"]}
    assert {"typer", "rich"} <= names


def test_texts_of_errors_are_those_of_the_code() -> None:
    """Each error text in the troubleshooting section exists in the code."""
    page = PAGE.read_text(encoding="utf-8").partition("## When it fails")[2].partition("\n## ")[0]
    texts = re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)
    assert len(texts) >= 10
    code = " ".join(
        re.sub(r'"\s*\n\s*f?"', "", file.read_text(encoding="utf-8"))
        for file in sorted((ROOT / "cln_monitor").rglob("*.py"))
    )
    texts.remove("No such option: --login")  # typer's own text; the test of global options has it
    missing = [text for text in texts if not all(part in code for part in map(str.strip, text.split("…")) if part)]
    assert missing == []
