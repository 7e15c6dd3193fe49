"""The CPU time of programs that a person waits for, compared with Python and the library that they need."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import NamedTuple

from .processes import run
from .scale import Scale
from .table import Row, ratio

_PROGRAMS = Path(sys.executable).parent
_CLNTOOL, _CLN_EXPORTER = str(_PROGRAMS / "clntool"), str(_PROGRAMS / "cln-exporter")
_PYTHON, _TYPER = "`python -c pass`", '`python -c "import typer"`'
_BASES = {
    _PYTHON: (sys.executable, "-c", "pass"),
    _TYPER: (sys.executable, "-c", "import typer"),
}


def _tab(*typed: str) -> dict[str, str]:
    """Return the variables with which the completion script of bash runs clntool after ``typed``."""
    return {
        "_CLNTOOL_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(("clntool", *typed)),
        "COMP_CWORD": str(len(typed)),
    }


class _Start(NamedTuple):
    """A ``command`` and its ``variables``, with ``text`` in its output; ``why`` it takes longer than its ``base``."""

    command: tuple[str, ...]
    text: str
    base: str
    limit: float
    why: str
    variables: Mapping[str, str] = {}


_ROOT = "it makes the options of the root of the command line"
_STARTS = {
    "`clntool --version`": _Start((_CLNTOOL, "--version"), "clntool ", _PYTHON, 2.0, "it imports two small modules"),
    "`cln-exporter --version`": _Start(
        (_CLN_EXPORTER, "--version"), "cln-exporter ", _PYTHON, 2.0, "it imports two small modules"
    ),
    "`clntool --help`": _Start(
        (_CLNTOOL, "--help"), "kernelcare", _TYPER, 1.5, "half of the difference imports rich, half draws the page"
    ),
    "Tab after `clntool kern`": _Start((_CLNTOOL,), "kernelcare", _TYPER, 1.5, _ROOT, _tab("kern")),
    "Tab after `clntool kernelcare keys c`": _Start(
        (_CLNTOOL,),
        "create",
        _TYPER,
        1.5,
        "the module of the command imports msgspec and the client, with the calls of all products",
        _tab("kernelcare", "keys", "c"),
    ),
}


def measure(scale: Scale, directory: Path) -> list[Row]:
    """Return the rows of the start of programs."""
    # Compiled by the first run only, as for an installed program, regardless of the environment of this process.
    written = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(directory / "bytecode")}
    compiled = written if scale.plugin_runs else {}
    used: dict[str, list[float]] = {name: [] for name in (*_BASES, *_STARTS)}
    for _ in range(scale.plugin_runs + 1):
        for name, base in _BASES.items():
            used[name].append(run(*base, environment=compiled).cpu)
        for name, start in _STARTS.items():
            ended = run(*start.command, environment={**compiled, **start.variables})
            assert (ended.code, start.text in ended.output) == (0, True), ended.output
            used[name].append(ended.cpu)
    cpu = {name: median(times[1:] or times) for name, times in used.items()}  # the first compiles
    return [
        Row(
            f"CPU of {name}, compared with {start.base}",
            f"≤ {start.limit:g} ×",
            f"{ratio(cpu[name] / cpu[start.base])} ({cpu[name] * 1000:.0f} ms to {cpu[start.base] * 1000:.0f} ms)",
            cpu[name] <= start.limit * cpu[start.base],
            start.why,
        )
        for name, start in _STARTS.items()
    ]
