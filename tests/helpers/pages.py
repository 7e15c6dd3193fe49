"""Pages of the documentation: their commands, and the blocks that are made from the code."""

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


def shell_commands(page: Path) -> list[str]:
    """Return the commands of the ``sh`` blocks of ``page``, without comments; lines that continue are joined."""
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    lines = [
        re.sub(r"\s+#.*", "", line).strip() for block in blocks for line in block.replace("\\\n", " ").splitlines()
    ]
    return [line for line in lines if line]
