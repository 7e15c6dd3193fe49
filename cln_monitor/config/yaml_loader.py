"""Read the YAML of a configuration strictly; an error names the line and says what to do."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import yaml

from .validator import ConfigProblem


class YamlError(Exception):
    """The text is not YAML, or not in the strict subset that is accepted; ``problem`` says where and why."""

    def __init__(self, problem: ConfigProblem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def read_document(text: str) -> object:
    """Return the plain values in the YAML ``text``. Raises YamlError."""
    try:
        return yaml.load(text, _Loader)  # noqa: S506 # a SafeLoader that refuses duplicate keys
    except yaml.MarkedYAMLError as error:
        raise YamlError(_problem_of_yaml(error)) from None
    except RecursionError:
        raise YamlError(ConfigProblem("", "invalid YAML: nested too deeply")) from None
    except yaml.YAMLError:
        raise YamlError(ConfigProblem("", "invalid YAML: contains a non-printable character")) from None


_ADVICE = {
    "end of stream": "check for an unclosed bracket or quote",
    "<stream end>": "check for an unclosed bracket or quote",
    "could not find expected ':'": "put a colon and a space after each key",
    "'\\t' that cannot start any token": "indent with spaces, not tabs",
    "cannot start any token": "quote a value that begins with this character",
    "expected <block end>": "check the indentation",
    "mapping values are not allowed": "quote a value that contains a colon and a space",
    "unhashable key": "expected a string before the colon",
    "another document": "remove the --- line",
}
"""What to do, by a part of the error text of YAML."""

_QUOTES_A_VALUE = re.compile(r"(?:alias|anchor|tag|handle) ['\"]")


def _problem_of_yaml(error: yaml.MarkedYAMLError) -> ConfigProblem:
    mark = error.problem_mark or error.context_mark
    text = error.problem or "invalid YAML"
    if _QUOTES_A_VALUE.search(f"{error.context} {text}"):
        # The value is not shown: a secret may begin with such a character.
        text = "quote a value that begins with !, & or *"
    elif text.startswith("but ") and error.context:
        text = f"{error.context}, {text}"
    text += next((f"; {advice}" for sign, advice in _ADVICE.items() if sign in text), "")
    return ConfigProblem(f"line {mark.line + 1}, column {mark.column + 1}" if mark else "", text)


_NUMBERS = {"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"}


class _Loader(yaml.SafeLoader):
    """Refuses duplicate keys in a mapping, of which YAML silently keeps the last.

    It reads 1:30 and 1_000 as strings, not as the numbers 90 and 1000.
    """

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        if node.tag in _NUMBERS and set(":_") & set(node.value):
            node.tag = "tag:yaml.org,2002:str"
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError, TypeError):
            # YAML takes it for a number or a date by its form, but cannot read it: 2024-02-30, 0x_.
            problem = "looks like a number or a date but is not a valid one; put it in quotes"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        counts = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and counts[key.value] > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"duplicate key {key.value} ({counts[key.value]} times)", key.start_mark
                )
        return super().construct_mapping(node, deep)
