"""Parts of pages that are made from the code."""

from __future__ import annotations

import re
from pathlib import Path


def keep_block(page: Path, name: str, made: str, *, update: bool) -> None:
    """Compare the block ``name`` of a page with what the code makes of it now, or write that."""
    text = page.read_text(encoding="utf-8")
    block = re.compile(rf"(<!-- {name}: [^\n]* -->\n)(.*?)(<!-- /{name} -->)", re.DOTALL)
    assert block.search(text), f"{page.name} has no block {name}"
    now = block.sub(lambda found: f"{found[1]}{made}\n{found[3]}", text)
    if update:
        page.write_text(now, encoding="utf-8")
    else:
        assert text == now, "as it should be? pytest --update-golden writes it"
