"""The conversion of values on the command line, without pydantic where there is nothing for it to do.

typer converts each value with a schema of pydantic, also the None of an option that is not given. Importing pydantic
takes longer than everything else that a command imports.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, get_args, get_origin

_NOT_CONVERTED = object()
_PLAIN = (str, int, float)


class _Converter:
    """Converts the values of ``param`` as typer does."""

    def __init__(self, param: Any) -> None:
        self._type = param.type_descriptor
        self._typer = type(param).get_runtime_param

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return ``value`` converted. Raises typer.BadParameter."""
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        converted = self._converted(value)
        return self._typer(param).coerce(value, param=param, ctx=ctx) if converted is _NOT_CONVERTED else converted

    def _converted(self, value: Any) -> Any:
        annotation = self._type.annotation
        if get_origin(annotation) is not list:
            return self._item(value, annotation)
        if not isinstance(value, list | tuple):
            return _NOT_CONVERTED
        items = [self._item(item, get_args(annotation)[0]) for item in value]
        return _NOT_CONVERTED if _NOT_CONVERTED in items else items

    def _item(self, value: Any, annotation: Any) -> Any:
        info = self._type.parameter_info
        if info.parser is not None:
            return info.parser(value)
        if annotation in _PLAIN and type(value) is annotation and info.min is None and info.max is None:
            return value
        if isinstance(annotation, type) and issubclass(annotation, Enum):
            return next((choice for choice in annotation if value in {choice, choice.value}), _NOT_CONVERTED)
        return _NOT_CONVERTED


def without_pydantic(params: list[Any]) -> list[Any]:
    """Return ``params`` of typer, changed to import pydantic only for a value that needs it."""
    for param in params:
        param.get_runtime_param = lambda param=param: _Converter(param)
    return params
