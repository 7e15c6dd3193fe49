"""The import of typer's help pages without what they do not show: Markdown and tracebacks.

For these, rich imports a parser of Markdown and pygments, which takes longer than the rest of a help page.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from types import ModuleType

_UNUSED = {"rich.markdown": "Markdown", "rich.traceback": "Traceback"}
"""The modules that ``typer.rich_utils`` imports although clntool has no use for them, and the class it imports."""


def import_help_pages() -> None:
    """Import the module of typer that makes help pages, unless it is imported."""
    with _stand_ins():
        import typer.rich_utils  # noqa: F401, PLC0415 # for sys.modules, where typer finds it


@contextlib.contextmanager
def _stand_ins() -> Iterator[None]:
    """Let the imports of ``_UNUSED`` give modules with an empty class, and remove those modules afterward."""
    added = {}
    for name, class_ in _UNUSED.items():
        if name not in sys.modules:
            added[name] = sys.modules[name] = ModuleType(name)
            setattr(added[name], class_, type(class_, (), {}))
    try:
        yield
    finally:
        for name, module in added.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
