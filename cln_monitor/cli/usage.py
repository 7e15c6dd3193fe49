"""Errors of usage that typer does not detect."""

from __future__ import annotations

from collections.abc import Mapping


class UsageError(Exception):
    """The command line is incomplete or contradictory."""


def refuse_blank(options: Mapping[str, str | None]) -> None:
    """Raise UsageError for an option with a blank value."""
    for name, value in options.items():
        if value is not None and not value.strip():
            raise UsageError(f"--{name} must not be empty; set a value or omit the option")
