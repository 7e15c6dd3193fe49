"""The undocumented names of other libraries exist where the code expects them."""

from __future__ import annotations

import ast
import asyncio
import importlib
import inspect
import pkgutil
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from uvicorn.protocols.http import h11_impl

import cln_monitor
from tests.helpers.package import locked_releases

from .private_surface import PRIVATE, Private

pytestmark = pytest.mark.unmeasured

ROOT = Path(__file__).parents[2]
LIBRARIES = {row.library for row in PRIVATE} - {"asyncio", "http"}  # of Python itself
_PACKAGES = {"asyncio", *(name.replace("-", "_") for name in LIBRARIES)}


@pytest.mark.parametrize("private", PRIVATE, ids=lambda row: f"{row.owner}.{row.name}")
def test_a_private_name_is_where_it_was(private: Private) -> None:
    """A release that has moved a name fails with a sentence on its use."""
    assert private.problem() == ""


@pytest.mark.parametrize("private", PRIVATE, ids=lambda row: f"{row.owner}.{row.name}")
def test_a_private_name_is_used_where_the_table_says(private: Private) -> None:
    """Each name in the table is used by its module."""
    text = (ROOT / "cln_monitor" / private.module).read_text(encoding="utf-8")
    name = private.owner.partition(":")[2] if private.name in {"__init__", "__name__"} else private.name
    assert re.search(rf"\b{name}\b", text), f"{private.module} does not name {name} any more"


def _overridden() -> Iterator[tuple[type, type, str]]:
    """Yield each class of cln_monitor, its base class in one of those libraries, and an overridden name."""
    for found in pkgutil.walk_packages(cln_monitor.__path__, "cln_monitor."):
        if found.name.endswith("__main__"):
            continue
        for ours in vars(importlib.import_module(found.name)).values():
            if not inspect.isclass(ours) or ours.__module__ != found.name:
                continue
            for base in ours.__mro__:
                if base.__module__.partition(".")[0] in _PACKAGES:
                    for name in vars(ours).keys() & vars(base).keys():
                        if name == "__call__" or not name.startswith(("__", "_abc_")):
                            yield ours, base, name


def test_each_override_is_in_the_table() -> None:
    """Each override of a name of those libraries is in the table."""
    rows = {row.name for row in PRIVATE}
    missing = {
        f"{ours.__module__}.{ours.__name__}.{name} of {base}" for ours, base, name in _overridden() if name not in rows
    }
    assert missing == set()


def test_each_underscore_of_a_library_is_in_the_table() -> None:
    """Each name of a library with an underscore is in the table."""
    ours: set[str] = set()
    used: dict[str, str] = {}
    for file in sorted((ROOT / "cln_monitor").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                    ours.add(name)
                case ast.Attribute(attr=name, ctx=ast.Store()) | ast.Name(id=name, ctx=ast.Store()):
                    ours.add(name)
                case ast.Attribute(attr=name) if name.startswith("_") and not name.startswith("__"):
                    used[name] = file.name
    documented = {
        "_exit",
        "_replace",
        "_fields",
        "_asdict",
        "_Decompress",
    }  # of os, named tuples, types
    missing = {f"{name} in {file}" for name, file in used.items() if name not in ours | documented}
    assert {row.partition(" ")[0] for row in missing} <= {row.name for row in PRIVATE}, missing


@pytest.mark.parametrize("library", sorted(LIBRARIES))
def test_a_library_with_private_names_has_an_upper_bound(library: str) -> None:
    """A library in the table has an upper bound."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (bounds,) = (row for row in project["dependencies"] if re.split("[<>=]", row)[0].lower() == library)
    upper = re.search(r"<([\d.]+)", bounds)
    assert upper, f"{bounds} has no upper bound in pyproject.toml"
    major, minor, *_ = (int(row) for row in locked_releases()[library].split(".")[:2])
    highest = tuple(int(row) for row in upper[1].split("."))
    assert (major, minor) < highest <= ((major + 1,) if major else (1,))


class _Moved(h11_impl.H11Protocol):
    """A class as in a future release."""

    def __init__(self, config: Any) -> None:
        pass


@pytest.mark.parametrize(
    ("change", "name", "sentence"),
    [
        (
            "method",
            "resume_writing",
            "no longer has H11Protocol.resume_writing, which exporter/web/connections.py overrides to see that",
        ),
        (
            "attribute",
            "cycle",
            "no longer has H11Protocol.cycle, which exporter/web/connections.py reads for the request",
        ),
        ("parameter", "__init__", "no longer passes server_state, app_state to H11Protocol.__init__, which "),
        (
            "class",
            "flow",
            "no longer has uvicorn.protocols.http.h11_impl.H11Protocol, of which exporter/web/connections.py needs",
        ),
    ],
)
def test_a_moved_name_is_reported(change: str, name: str, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing method, attribute, parameter or class is reported in a sentence."""
    (private,) = (row for row in PRIVATE if row.owner.endswith(":H11Protocol") and row.name == name)
    if change == "method":
        monkeypatch.delattr(h11_impl.H11Protocol, name)
        monkeypatch.delattr(asyncio.BaseProtocol, name)
    elif change == "attribute":
        monkeypatch.setattr(h11_impl, "H11Protocol", type("H11Protocol", (), {"__module__": "builtins"}))
    elif change == "parameter":
        monkeypatch.setattr(h11_impl, "H11Protocol", _Moved)
    else:
        monkeypatch.delattr(h11_impl, "H11Protocol")
    assert private.problem().startswith(f"uvicorn {version('uvicorn')} {sentence}")
