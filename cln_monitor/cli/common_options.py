"""The options that are accepted anywhere on the line: before the command group, and after every command."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any, Optional, TypeVar

import typer

from .configured_names import account_names
from .output_fields import Format
from .plain_help import PlainCommand, PlainGroup

F = TypeVar("F", bound=Callable[..., Any])

ConfigOption = Annotated[
    Optional[str],  # noqa: UP045 # typer reads the annotation
    typer.Option("--config", "-C", metavar="FILE", help="Configuration file of cln-monitor."),
]
AccountOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--account",
        "-a",
        metavar="NAME",
        autocompletion=account_names,
        help="Account (default: the only one) or ePortal (default: all) in the configuration.",
    ),
]
OutputOption = Annotated[
    Optional[Format],  # noqa: UP045
    typer.Option("--output", "-o", metavar="FORMAT", help="Output format: table (default), json or csv."),
]
_COMMON = {"config": ConfigOption, "account": AccountOption, "output": OutputOption}


def with_common_options(command: F) -> F:
    """Return ``command`` with ``--config``, ``--account`` and ``--output``, which override the global options."""

    @functools.wraps(command)
    def run(**arguments: Any) -> Any:
        from .session import session_in  # noqa: PLC0415 # loaded by then; help and completion do not need it

        common = {name: arguments.pop(name) for name in _COMMON}
        session_in(arguments["context"]).override(**common)
        return command(**arguments)

    signature = inspect.signature(command, eval_str=True)
    own = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in _COMMON.items()
    ]
    run.__signature__ = signature.replace(parameters=[*signature.parameters.values(), *own])  # type: ignore[attr-defined]
    return run  # type: ignore[return-value] # it takes what the command takes, and three options


class Commands(typer.Typer):
    """A group of commands, all of which accept the common options."""

    def __init__(self, **settings: Any) -> None:
        # Without typer's options for completion, which take no shell as their value.
        defaults: dict[str, Any] = {"cls": PlainGroup, "add_completion": False}
        super().__init__(**(defaults | settings))

    def command(self, name: str | None = None, **settings: Any) -> Callable[[F], F]:
        """Return a decorator that registers a function as the command ``name``."""

        def decorate(command: F) -> F:
            paragraphs = inspect.cleandoc(command.__doc__ or "").split("\n\n")
            help_ = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)  # rich keeps line breaks
            register = super(Commands, self).command(name, cls=PlainCommand, help=help_, **settings)
            register(with_common_options(command))
            return command

        return decorate
