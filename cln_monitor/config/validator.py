"""Convert the plain values of a YAML file into typed structures, and collect all problems with their place."""

from __future__ import annotations

import re
import types
import typing
from datetime import date, datetime
from functools import cache
from typing import Any, Literal

import msgspec

from cln_monitor.cln import Secret
from cln_monitor.durations import parse_duration
from cln_monitor.probes import Duration, Shard


class ConfigProblem(msgspec.Struct, frozen=True):
    """A problem at a ``place`` of a configuration, such as ``accounts[1].login``."""

    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}" if self.place else self.text


class Validator:
    """Checks values against types; an invalid value is added to ``problems`` and replaced by its default."""

    def __init__(self) -> None:
        self.problems: list[ConfigProblem] = []

    def note(self, place: str, text: str) -> None:
        """Add a problem at ``place``."""
        self.problems.append(ConfigProblem(place, text))

    def struct(
        self, kind: type[msgspec.Struct], value: object, place: str, skip: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """Return the typed values of the fields of ``kind`` that ``value`` sets, without the fields in ``skip``.

        A field that has a default and is set to null counts as not set.
        """
        if not isinstance(value, dict):
            self.note(place, f"expected a mapping of names to values, got {_described(value)}")
            return {}
        self.only_known(value, list(kind.__struct_fields__), place)
        fields = _fields(kind)
        for field in fields:
            if field.required and field.name not in value and field.name not in skip:
                self.note(at(place, field.name), "is required")
        typed: dict[str, Any] = {}
        for field in fields:
            is_set = value.get(field.name) is not None or (field.required and field.name in value)
            if is_set and field.name not in skip:
                before = len(self.problems)
                read = self.value(field.type, value[field.name], at(place, field.name))
                if len(self.problems) == before:
                    typed[field.name] = read
        return typed

    def only_known(self, value: dict[Any, Any], known: list[str], place: str) -> None:
        """Add a problem for each key of ``value`` that is not ``known``."""
        for key in value:
            if key not in known:
                from difflib import get_close_matches  # noqa: PLC0415 # 0.7 ms that only a mistake needs

                close = get_close_matches(str(key), known, n=1)
                hint = f"did you mean {close[0]}?" if close else f"known keys: {', '.join(known)}"
                self.note(at(place, str(key)), f"unknown key; {hint}")

    def value(self, kind: Any, value: object, place: str) -> Any:
        """Return ``value`` as a ``kind``, or add a problem and return None."""
        origin, arguments = typing.get_origin(kind), typing.get_args(kind)
        if origin in {typing.Union, types.UnionType}:
            if value is None and types.NoneType in arguments:
                return None
            kinds = [argument for argument in arguments if argument is not types.NoneType]
            lists = [one for one in kinds if typing.get_origin(one) is list and isinstance(value, list)]
            return self.value([*lists, *kinds][0], value, place)
        if origin is Literal:
            if value not in arguments:
                self.note(place, f"expected {' or '.join(map(str, arguments))}, got {_described(value)}")
            return value
        if origin is list:
            if not isinstance(value, list):
                self.note(place, f"expected a list, got {_described(value)}")
                return None
            return [self.value(arguments[0], item, f"{place}[{index}]") for index, item in enumerate(value)]
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind is not Shard:
            typed = self.struct(kind, value, place)
            return None if self.problems else kind(**typed)
        return self._leaf(kind, value, place)

    def _leaf(self, kind: Any, value: object, place: str) -> Any:
        if kind is Duration:
            try:
                return parse_duration(str(value))
            except ValueError as error:
                is_close = isinstance(value, str | int) and not isinstance(value, bool)
                self.note(
                    place, str(error) if is_close else f"expected a duration, for example 15m, got {_described(value)}"
                )
                return None
        if kind is Shard:
            return self._shard(value, place)
        name, accepted = _LEAVES[kind]
        if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
            self.note(place, f"expected {name}, got {_described(value)}{_hint(value, accepted)}")
            return None
        return kind(value)

    def _shard(self, value: object, place: str) -> Shard | None:
        if not isinstance(value, str):
            self.note(place, f"expected a shard, for example 0/3, got {_described(value)}")
            return None
        try:
            return Shard.parse(value)
        except ValueError as error:
            self.note(place, str(error))
            return None


_fields = cache(msgspec.structs.fields)  # which resolves the types again on each call


_LEAVES: dict[Any, tuple[str, tuple[type, ...]]] = {
    str: ("a string", (str,)),
    Secret: ("a string", (str,)),
    bool: ("true or false", (bool,)),
    int: ("a whole number", (int,)),
    float: ("a number", (int, float)),
}


_NUMBER = r"(?ai)[+-]?\d{1,20}(\.\d{1,20})?(e[+-]?\d{1,3})?"


def _hint(value: object, accepted: tuple[type, ...]) -> str:
    if isinstance(value, int | float) and str in accepted:
        return "; put it in quotes"
    if isinstance(value, str) and int in accepted and re.fullmatch(_NUMBER, value):
        return "; use digits, without quotes or an exponent"  # YAML reads 1e9 as a string
    return ""


def at(place: str, name: str) -> str:
    """Return the place of the field ``name`` below ``place``."""
    return f"{place}.{name}" if place else name


def _described(value: object) -> str:
    if value is None:
        return "null"
    # The value is not shown: it may be a misplaced secret.
    return _KINDS.get(type(value), "something else")


_KINDS: dict[type, str] = {
    bool: "a boolean",
    int: "a number",
    float: "a fraction",
    str: "a string",
    dict: "a mapping",
    list: "a list",
    date: "a date",
    datetime: "a date",
}
