"""The output formats, and the output fields of commands.

The fields are declared so that the manual can list them: the fields of their JSON are stable.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_ATTRIBUTE = "shown_fields"


class Format(StrEnum):
    """The output formats."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class Fields(NamedTuple):
    """The output fields of a command, in order; ``listed`` if the output is a list of rows with these fields.

    A table shows the ``columns`` instead, if there are too many fields for a terminal.
    """

    names: tuple[str, ...]
    listed: bool = False
    columns: tuple[str, ...] = ()


def lists(*names: str, columns: tuple[str, ...] = ()) -> Callable[[F], F]:
    """Declare that a command shows a list of rows with the fields ``names``, or as a table the ``columns``."""
    return _declare(Fields(names, listed=True, columns=columns))


def shows(*names: str) -> Callable[[F], F]:
    """Declare that a command shows one record with the fields ``names``."""
    return _declare(Fields(names))


def fields_of(command: Callable[..., Any] | None) -> Fields:
    """Return the fields that the function of a command declares, or none."""
    declared = getattr(command, _ATTRIBUTE, None)
    return declared if isinstance(declared, Fields) else Fields(())


def _declare(fields: Fields) -> Callable[[F], F]:
    def mark(command: F) -> F:
        setattr(command, _ATTRIBUTE, fields)
        return command

    return mark
