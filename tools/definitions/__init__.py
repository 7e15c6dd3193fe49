"""The definitions of the plugins for Nagios and Icinga 2, made from their option tables.

``python -m tools.definitions [FOLDER]`` writes them, by default into the folder ``plugins`` of a checkout.
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
"""The files below ``plugins``, and what makes the text of each."""

__all__ = ["FILES", "write"]


def write(folder: Path) -> None:
    """Write all of the files below ``folder``. Raises OSError."""
    for name, make in FILES.items():
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(make(), encoding="utf-8")
