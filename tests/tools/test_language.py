"""The list of phrases that texts may not have: what is found, where, and in which files."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tools.language import EXEMPT, NAMES, PHRASES, files, findings_in, names_in, phrases_in


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The licence is used up.", [(1, "licence")]),
        ("A license is used up.", []),
        ("one\ntwo series\na server three", [(2, "series a server")]),
        ("it is None", []),
        ("This is none of them.", [(1, "is none")]),
        ("The goesting is no phrase.", []),
        ("Nobody is told.", [(1, "Nobody"), (1, "told")]),
        ("It is None told.", [(1, "told")]),
        ("İİİ NOBODY told", [(1, "NOBODY"), (1, "told")]),
    ],
)
def test_phrases_are_found_with_their_line(text: str, found: list[tuple[int, str]]) -> None:
    """A phrase is found in any case, as whole words, and also where it is broken over two lines."""
    assert [(line, phrase) for line, phrase, _ in phrases_in(text)] == found


def test_names_are_found_where_they_are_defined() -> None:
    """Functions, classes, arguments, variables and attributes are looked at; uses of the names of others are not."""
    code = "class Verdict: pass\ndef tell(each):\n    self.words = each\n    told, good = other.seen(gone=1)\n"
    found = [(line, name) for line, name, _ in names_in(ast.parse(code))]
    assert sorted(found) == [(1, "Verdict"), (2, "each"), (2, "tell"), (3, "words"), (4, "told")]


def test_of_a_test_only_the_docstrings_are_read(tmp_path: Path) -> None:
    """What a test plants or expects may hold any phrase; what it says about itself may not."""
    code = 'def test_x():\n    """Nobody reads it."""\n    assert "nobody" in text  # nobody\n'
    for name, lines in (("tests/test_x.py", [2]), ("tools/x.py", [2, 3, 3])):
        file = tmp_path / name
        file.parent.mkdir()
        file.write_text(code)
        assert [finding.line for finding in findings_in(file, tmp_path)] == lines


@pytest.mark.processes
def test_no_text_of_the_project_has_such_a_phrase() -> None:
    """All tracked files are free of the listed phrases and names."""
    assert [str(finding) for path in files() if path.exists() for finding in findings_in(path)] == []


@pytest.mark.parametrize(("name", "phrase"), EXEMPT)
def test_each_exemption_is_needed(name: str, phrase: str) -> None:
    """A file that no longer has the phrase needs no exemption."""
    assert phrase in (Path(__file__).parents[2] / name).read_text()


def test_each_entry_says_what_to_write() -> None:
    """Every phrase and name has a replacement."""
    assert all(PHRASES.values())
    assert all(NAMES.values())
