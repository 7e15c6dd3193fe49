"""Blocks of pages that are generated from the code."""

from __future__ import annotations

import re
from pathlib import Path


def keep_block(page: Path, name: str, text: str, *, update: bool) -> None:
    """Compare the block ``name`` of a page with the generated text, or write it."""
    content = page.read_text(encoding="utf-8")
    block = re.compile(rf"(<!-- {name}: [^\n]* -->\n)(.*?)(<!-- /{name} -->)", re.DOTALL)
    assert block.search(content), f"{page.name} has no block {name}"
    expected = block.sub(lambda found: f"{found[1]}{text}\n{found[3]}", content)
    if update:
        page.write_text(expected, encoding="utf-8")
    else:
        assert content == expected, f"{page.name} differs from the code; use pytest --update-golden to write it"
