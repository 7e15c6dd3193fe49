"""Help texts without type names: flags take no value, and arguments are shown by name."""

from __future__ import annotations

from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperGroup

from .conversion import without_pydantic
from .rich_help import import_help_pages


class PlainCommand(TyperCommand):
    """A command whose help shows neither ``<bool>`` nor ``{ID}``."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, without their types."""
        return without_types(without_pydantic(super().get_params(ctx)))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help page."""
        import_help_pages()
        super().format_help(ctx, formatter)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the words of the usage line, with required arguments by their bare names."""
        return [piece.replace("{", "").replace("}", "") for piece in super().collect_usage_pieces(ctx)]


class PlainGroup(TyperGroup):
    """A command group whose help shows no types either."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, without their types."""
        return without_types(without_pydantic(super().get_params(ctx)))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help page."""
        import_help_pages()
        super().format_help(ctx, formatter)


def without_types(params: list[Any]) -> list[Any]:
    """Return ``params`` of typer, changed to show no type; the value of an option is shown as its metavar."""
    for param in params:
        if isinstance(param, TyperArgument):
            param.display_type_rich = _no_type  # type: ignore[method-assign] # the metavar is its name, not its type
        elif getattr(param, "is_flag", False) and param.metavar is None:
            param.metavar = ""
    return params


def _no_type(ctx: Any) -> None:  # noqa: ARG001 # typer calls it so
    return None
