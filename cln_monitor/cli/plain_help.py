"""Help without the names of types: a flag takes no value, and what stands for an argument is its name alone."""

from __future__ import annotations

from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperGroup


class PlainCommand(TyperCommand):
    """A command whose help shows neither ``<bool>`` nor ``{ID}``."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return its parameters, none of which shows a type."""
        return without_types(super().get_params(ctx))

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the words of its usage line, required arguments by their bare names."""
        return [piece.replace("{", "").replace("}", "") for piece in super().collect_usage_pieces(ctx)]


class PlainGroup(TyperGroup):
    """A level of the command line whose help shows no types either."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return its parameters, none of which shows a type."""
        return without_types(super().get_params(ctx))


def without_types(params: list[Any]) -> list[Any]:
    """Return ``params``, typer's, made to show no type; what an option takes is its metavar."""
    for param in params:
        if isinstance(param, TyperArgument):
            param.display_type_rich = _no_type  # type: ignore[method-assign] # the metavar is its name, not its type
        elif getattr(param, "is_flag", False) and param.metavar is None:
            param.metavar = ""
    return params


def _no_type(ctx: Any) -> None:  # noqa: ARG001 # typer calls it so
    return None
