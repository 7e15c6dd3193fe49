"""Validation of YAML values against types, with errors that never show a value."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

import msgspec
import pytest

from cln_monitor.cln import Secret
from cln_monitor.config.validator import ConfigProblem, Validator
from cln_monitor.probes import Duration


class Inner(msgspec.Struct, frozen=True):
    """A structure within another."""

    text: str = "by default"


class Outer(msgspec.Struct, frozen=True):
    """One field of each type; ``must`` is required."""

    must: str
    maybe: str | None = None
    inner: Inner = Inner()
    items: list[str] = []


@pytest.mark.parametrize(
    ("kind", "value", "typed"),
    [
        (str, "a", "a"),
        (Secret, "a", Secret("a")),
        (bool, True, True),
        (int, 7, 7),
        (float, 7, 7.0),
        (float, 0.5, 0.5),
        (Duration, "15m", 900.0),
        (str | list[str], "a", "a"),
        (str | list[str], ["a", "b"], ["a", "b"]),
        (str | list[str] | None, None, None),
        (str | None, None, None),
        (str | None, "a", "a"),
        (Literal["a", "b"], "b", "b"),
        (list[str], ["a", "b"], ["a", "b"]),
        (list[Secret], [], []),
        (Inner, {"text": "a"}, Inner("a")),
        (Inner, {}, Inner()),
    ],
    ids=repr,
)
def test_fits(kind: Any, value: object, typed: object) -> None:
    """A valid value is converted to its type."""
    typer = Validator()
    read = typer.value(kind, value, "here")
    assert typer.problems == []
    assert (read, type(read)) == (typed, type(typed))


@pytest.mark.parametrize(
    ("kind", "value", "complaint"),
    [
        (str | list[str], None, "expected a string, got null"),
        (str, 7, "expected a string, got a number; put it in quotes"),
        (str, 0.5, "expected a string, got a fraction; put it in quotes"),
        (str, True, "expected a string, got a boolean; put it in quotes"),
        (str, None, "expected a string, got null"),
        (str, date(2024, 2, 3), "expected a string, got a date"),
        (str, b"pl4nted", "expected a string, got something else"),
        (Secret, ["pl4nted"], "expected a string, got a list"),
        (Secret, {"pl4nted": 1}, "expected a string, got a mapping"),
        (bool, "pl4nted", "expected true or false, got a string"),
        (bool, 1, "expected true or false, got a number"),
        (int, True, "expected a whole number, got a boolean"),
        (int, 0.5, "expected a whole number, got a fraction"),
        (float, "pl4nted", "expected a number, got a string"),
        (float, "1e9", "expected a number, got a string; use digits, without quotes or an exponent"),
        (int, "7", "expected a whole number, got a string; use digits, without quotes or an exponent"),
        (Duration, ["pl4nted"], "expected a duration, for example 15m, got a list"),
        (Literal["a", "b"], "pl4nted", "expected a or b, got a string"),
        (list[str], "pl4nted", "expected a list, got a string"),
        (Inner, "pl4nted", "expected a mapping of names to values, got a string"),
        (str | None, 7, "expected a string, got a number; put it in quotes"),
    ],
    ids=repr,
)
def test_does_not_fit(kind: Any, value: object, complaint: str) -> None:
    """The problem of an invalid value has the expected and the actual type, and not the value."""
    typer = Validator()
    typer.value(kind, value, "here")
    assert typer.problems == [ConfigProblem("here", complaint)]


def test_all_problems_are_found_at_once() -> None:
    """All problems are found at once, each with its place, down to the item of a list."""
    typer = Validator()
    typed = typer.struct(Outer, {"inner": {"txt": "a"}, "items": ["a", 7], "maybe": []}, "outer")
    assert [str(problem) for problem in typer.problems] == [
        "outer.must: is required",
        "outer.maybe: expected a string, got a list",
        "outer.inner.txt: unknown key; did you mean text?",
        "outer.items[1]: expected a string, got a number; put it in quotes",
    ]
    assert typed == {}


def test_only_what_is_set_is_returned() -> None:
    """Only the fields that are set are returned, without the skipped ones."""
    typer = Validator()
    assert typer.struct(Outer, {"must": "a", "items": 7}, "", skip=("items",)) == {"must": "a"}
    assert typer.struct(Outer, {}, "", skip=("must",)) == {}
    assert typer.problems == []


def test_nothing_is_left_out_where_there_is_a_default() -> None:
    """A null field with a default counts as not set; without one it is a problem."""
    typer = Validator()
    assert typer.struct(Outer, {"must": None, "inner": None, "items": None, "maybe": None}, "outer") == {}
    assert typer.problems == [ConfigProblem("outer.must", "expected a string, got null")]


def test_a_problem_of_the_whole_has_no_place() -> None:
    """A problem without a place has no leading colon."""
    assert str(ConfigProblem("", "is not YAML")) == "is not YAML"
