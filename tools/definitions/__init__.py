"""The definitions of the plugins for Nagios and Icinga 2, generated from their option tables.

``python -m tools.definitions [DIRECTORY]`` writes them, by default to the directory ``plugins`` of the checkout.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from . import icinga, nagios

FILES: Mapping[str, Callable[[], str]] = {
    "nagios/cln-commands.cfg": nagios.commands,
    "nagios/cln-services.cfg": nagios.services,
    "icinga2/cln-commands.conf": icinga.commands,
    "icinga2/cln-services.conf": icinga.services,
}
"""The files below ``plugins``, and the functions that return their text."""

__all__ = ["FILES", "write"]


def write(directory: Path) -> None:
    """Write all files below ``directory``. Raises OSError."""
    for name, make in FILES.items():
        file = directory / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(make(), encoding="utf-8")
