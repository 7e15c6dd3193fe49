"""The README is short and leads to all pages, and the flags of the exporter are those of the code."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from cln_monitor.exporter.options import make_parser
from cln_monitor.feed.options import make_parser as make_feed_parser
from tests.helpers.pages import keep_block

README = Path(__file__).parents[2] / "README.md"
DOCS = README.parent / "docs"


def flags_table(parser: argparse.ArgumentParser) -> str:
    """Return the table of the flags of a program, and of its commands."""
    rows = ["| flag | effect |", "| --- | --- |"]
    for action in parser._actions:
        if action.help and "-h" not in action.option_strings:
            choices = "|".join(action.choices or ()).replace("|", "\\|")
            value = "" if action.nargs == 0 else f" {action.metavar or choices}"
            text = action.help.replace("%(default)s", str(action.default))
            name = f"{''.join(action.option_strings[:1])}{value}".strip()  # a command has no option string
            rows.append(f"| `{name}` | {text} |")
    return "\n".join(rows)


def test_the_readme_fits_on_two_screens() -> None:
    """The README has at most 10 KB: a manual is a page of docs."""
    assert len(README.read_bytes()) <= 10_000


def test_the_readme_links_to_each_page() -> None:
    """Every page of docs is one click away from the README."""
    linked = set(re.findall(r"\]\(docs/([\w-]+\.md)", README.read_text(encoding="utf-8")))
    pages = {page.name for page in DOCS.glob("*.md") if not page.read_text(encoding="utf-8").startswith("```{include}")}
    assert pages == linked


def test_the_table_of_flags_is_that_of_the_code(request: pytest.FixtureRequest) -> None:
    """The pages of cln-exporter and cln-feed have their flags; pytest --update-golden writes them."""
    update = request.config.getoption("--update-golden")
    keep_block(DOCS / "cln-exporter.md", "flags", flags_table(make_parser()), update=update)
    keep_block(DOCS / "feed.md", "flags", flags_table(make_feed_parser()), update=update)
