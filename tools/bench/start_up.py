"""The CPU time of programs that a person waits for, compared with Python and the library that they need."""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import median

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


# What is run, with which variables, what its output has; what it is compared with, and the limit.
_STARTS: dict[str, tuple[tuple[str, ...], dict[str, str], str, str, float]] = {
    "`clntool --version`": ((_CLNTOOL, "--version"), {}, "clntool ", _PYTHON, 2.0),
    "`cln-exporter --version`": ((_CLN_EXPORTER, "--version"), {}, "cln-exporter ", _PYTHON, 2.0),
    "`clntool --help`": ((_CLNTOOL, "--help"), {}, "kernelcare", _TYPER, 1.5),
    "Tab after `clntool kern`": ((_CLNTOOL,), _tab("kern"), "kernelcare", _TYPER, 1.5),
    "Tab after `clntool kernelcare keys c`": ((_CLNTOOL,), _tab("kernelcare", "keys", "c"), "create", _TYPER, 1.5),
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
        for name, (command, variables, has, _, _) in _STARTS.items():
            ended = run(*command, environment=compiled | variables)
            assert (ended.code, has in ended.output) == (0, True), ended.output
            used[name].append(ended.cpu)
    cpu = {name: median(times[1:] or times) for name, times in used.items()}  # the first compiles
    return [
        Row(
            f"CPU of {name}, compared with {base}",
            f"≤ {most:g} ×",
            f"{ratio(cpu[name] / cpu[base])} ({cpu[name] * 1000:.0f} ms to {cpu[base] * 1000:.0f} ms)",
            cpu[name] <= most * cpu[base],
        )
        for name, (_, _, _, base, most) in _STARTS.items()
    ]
