"""The YAML of a configuration: read strictly, with an error that says in which line what would be right."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import yaml

from .validator import ConfigProblem


class YamlError(Exception):
    """A text that is no YAML, or not as strict as we are; ``problem`` says where and why."""

    def __init__(self, problem: ConfigProblem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def read_document(text: str) -> object:
    """Return the plain values that the YAML ``text`` holds. Raises YamlError."""
    try:
        return yaml.load(text, _Loader)  # noqa: S506 # a SafeLoader, but for doubled keys
    except yaml.MarkedYAMLError as error:
        raise YamlError(_problem_of_yaml(error)) from None
    except RecursionError:
        raise YamlError(ConfigProblem("", "is not YAML; it is nested too deeply")) from None
    except yaml.YAMLError:
        raise YamlError(ConfigProblem("", "is not YAML; it holds a character that cannot be seen")) from None


_ADVICE = {
    "end of stream": "is a bracket or a quote still open?",
    "<stream end>": "is a bracket or a quote still open?",
    "could not find expected ':'": "after a name stands a colon and a blank",
    "'\\t' that cannot start any token": "indent with blanks",
    "cannot start any token": "a value that begins with it has to stand in quotes",
    "expected <block end>": "do lines that belong together begin in the same column?",
    "mapping values are not allowed": "a value with a colon and a blank in it has to stand in quotes",
    "unhashable key": "expected a name before the colon",
    "another document": "remove the line ---",
}
"""What to do, by what YAML says."""

_QUOTES_A_VALUE = re.compile(r"(?:alias|anchor|tag|handle) ['\"]")


def _problem_of_yaml(error: yaml.MarkedYAMLError) -> ConfigProblem:
    mark = error.problem_mark or error.context_mark
    text = error.problem or "is not YAML"
    if _QUOTES_A_VALUE.search(f"{error.context} {text}"):
        # The value itself is not shown: a secret may begin with such a character.
        text = "a value that begins with !, & or * has to stand in quotes"
    elif text.startswith("but ") and error.context:
        text = f"{error.context}, {text}"
    text += next((f"; {advice}" for sign, advice in _ADVICE.items() if sign in text), "")
    return ConfigProblem(f"line {mark.line + 1}, column {mark.column + 1}" if mark else "", text)


_NUMBERS = {"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"}


class _Loader(yaml.SafeLoader):
    """Refuses a mapping that names a key twice, of which YAML silently keeps the last.

    1:30 is a text to it, not 90, and 1_000 is one too.
    """

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        if node.tag in _NUMBERS and set(":_") & set(node.value):
            node.tag = "tag:yaml.org,2002:str"
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError, TypeError):
            # What YAML takes for a number or a date by its looks, and then cannot read: 2024-02-30, 0x_.
            problem = "looks like a number or a date and is none; put it in quotes"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        counts = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and counts[key.value] > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value} is here {counts[key.value]} times", key.start_mark
                )
        return super().construct_mapping(node, deep)
