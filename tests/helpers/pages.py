"""Pages of the documentation: their commands, and the blocks that are made from the code."""

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


def shell_commands(page: Path) -> list[str]:
    """Return the commands of the ``sh`` blocks of ``page``, without comments; lines that continue are joined."""
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    lines = [
        re.sub(r"\s+#.*", "", line).strip() for block in blocks for line in block.replace("\\\n", " ").splitlines()
    ]
    return [line for line in lines if line]
