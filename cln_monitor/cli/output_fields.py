"""What commands show, known without running them: the fields of their JSON are a promise, and stand in the manual."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_ATTRIBUTE = "shown_fields"


class Fields(NamedTuple):
    """The fields of what a command shows, in their order; ``listed`` when it shows a list of such rows.

    A table has the ``columns`` in their place where there are too many fields for a terminal.
    """

    names: tuple[str, ...]
    listed: bool = False
    columns: tuple[str, ...] = ()


def lists(*names: str, columns: tuple[str, ...] = ()) -> Callable[[F], F]:
    """Declare that a command shows a list of rows with the fields ``names``, in a table ``columns``."""
    return _declare(Fields(names, listed=True, columns=columns))


def shows(*names: str) -> Callable[[F], F]:
    """Declare that a command shows one thing with the fields ``names``."""
    return _declare(Fields(names))


def fields_of(command: Callable[..., Any] | None) -> Fields:
    """Return what the function of a command declares that it shows."""
    declared = getattr(command, _ATTRIBUTE, None)
    return declared if isinstance(declared, Fields) else Fields(())


def _declare(fields: Fields) -> Callable[[F], F]:
    def mark(command: F) -> F:
        setattr(command, _ATTRIBUTE, fields)
        return command

    return mark
