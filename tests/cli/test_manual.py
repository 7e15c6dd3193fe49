"""docs/clntool.md has each command with what it sends, and the fields of what it shows."""

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
    """Yield each command, with its words."""
    below = getattr(command, "commands", None)
    if below is None:
        yield path, command
        return
    for name, each in below.items():
        yield from leaves(each, f"{path} {name}".strip())


def usage(path: str, command: Any) -> str:
    """Return how a command is typed."""
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
        mark = " **Changes.**" if any(f"{each} ".startswith(f"{path} ") for each in changes) else ""
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
    """A command or option that changes changes the manual."""
    keep_block(PAGE, "commands", commands_table(), update=request.config.getoption("--update-golden"))


def test_fields(request: pytest.FixtureRequest) -> None:
    """So does a field, which is a promise."""
    keep_block(PAGE, "fields", fields_table(), update=request.config.getoption("--update-golden"))


def test_each_command_declares_what_it_shows() -> None:
    """None is without fields, and each that sends something is told with it."""
    for path, command in leaves(tree()):
        assert fields_of(command.callback) != Fields(()), path
        assert sent_by(path) or path in {"simulate", "check config", "files"}


def test_installed_as_a_script() -> None:
    """pip puts clntool on PATH."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["scripts"]["clntool"] == "cln_monitor.cli.main:run"
    names = {re.split("[>=<]", dependency)[0] for dependency in project["dependencies"]}
    assert {"typer", "rich"} <= names


def test_texts_of_errors_are_those_of_the_code() -> None:
    """Troubleshooting goes by the literal text, so each is one that the code has."""
    page = PAGE.read_text(encoding="utf-8").partition("## When it fails")[2].partition("\n## ")[0]
    texts = re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)
    assert len(texts) >= 10
    code = " ".join(
        re.sub(r'"\s*\n\s*f?"', "", file.read_text(encoding="utf-8"))
        for file in sorted((ROOT / "cln_monitor").rglob("*.py"))
    )
    texts.remove("No such option: --login")  # typer's; the test of what stands before the family has it
    missing = [text for text in texts if not all(part in code for part in map(str.strip, text.split("…")) if part)]
    assert missing == []
