"""Values on the command line are converted as typer converts them, without pydantic where possible."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import typer

from cln_monitor.cli.conversion import without_pydantic
from cln_monitor.cli.main import command as tree

TEXTS = (
    "",
    " ",
    "x",
    "json",
    "JSON",
    "age",
    "bash",
    "1",
    "-1",
    "1.5",
    "0x10",
    "30d",
    "90%",
    "kernelcare",
    "é🚀",
    "/tmp",
)


def params(command: Any, path: str = "clntool") -> Iterator[tuple[str, Any]]:
    """Yield each parameter of each command, with its name."""
    for param in command.params:
        yield f"{path} {param.name}", param
    for name, child in getattr(command, "commands", {}).items():
        yield from params(child, f"{path} {name}")


def outcome(converter: Any, param: Any, value: Any) -> tuple[str, Any]:
    """Return the converted value with its type, or the error."""
    try:
        converted = converter.coerce(value, param=param, ctx=None)
    except typer.BadParameter as error:
        return "error", error.format_message()
    return type(converted).__name__, converted


def test_as_typer_does() -> None:
    """Each parameter of each command converts each value as typer does, and refuses what typer refuses."""
    kinds = set()
    for name, param in params(tree()):
        is_list = param.multiple or param.nargs == -1
        values = [(text,) for text in TEXTS] + [("x", "els"), ()] if is_list else [*TEXTS]
        for value in (None, param.default, *values):
            (ours,) = {without_pydantic([param])[0].get_runtime_param()}
            expected = outcome(type(param).get_runtime_param(param), param, value)
            assert outcome(ours, param, value) == expected, (name, value)
            kinds.add(expected[0])
    assert kinds >= {"error", "str", "int", "float", "bool", "list", "tuple", "NoneType", "Format", "Sort", "PosixPath"}


@pytest.mark.parametrize("value", ["json", None, "yaml"])
def test_a_choice(value: str | None) -> None:
    """A choice is converted to the member of its enumeration, and an unknown one is refused with those that exist."""
    (param,) = [param for name, param in params(tree()) if name == "clntool output"]
    kind, converted = outcome(without_pydantic([param])[0].get_runtime_param(), param, value)
    if value == "yaml":
        assert (kind, "'table', 'json', 'csv'" in converted) == ("error", True)
    else:
        assert converted == value
