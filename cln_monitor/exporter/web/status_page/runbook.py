"""The runbook as a page: ``docs/runbook.md``, with an anchor for each alert."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.resources import files
from itertools import pairwise
from threading import Lock
from typing import TYPE_CHECKING

from markupsafe import Markup

from cln_monitor import __version__

from .assets import STYLE, environment

if TYPE_CHECKING:
    from markdown_it.token import Token

_IS_FOLLOWED = re.compile(r"#|https?://")
"""Links that work in a browser; other links of the runbook are to files of the repository."""


class Runbook:
    """The renderer of the runbook page, which caches the HTML; thread-safe."""

    def __init__(self, external_path: str | None = None) -> None:
        self._home = "./" if external_path is None else f"{external_path}/"
        self._lock = Lock()
        self._html = ""

    def render(self) -> str:
        """Return the HTML."""
        with self._lock:
            if not self._html:
                text = files(__package__).joinpath("runbook.md").read_text(encoding="utf-8")
                body, alerts = rendered(text)
                self._html = environment.get_template("runbook.html").render(
                    body=body, alerts=alerts, home=self._home, version=__version__, style=STYLE
                )
            return self._html


def rendered(text: str) -> tuple[Markup, list[tuple[str, str]]]:
    """Return the HTML of a runbook in Markdown without its title, and the anchor and title of each section.

    HTML in the Markdown is escaped.
    """
    from markdown_it import MarkdownIt  # noqa: PLC0415 # imported only when the runbook is requested

    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(text)
    if tokens and tokens[0].type == "heading_open" and tokens[0].tag == "h1":
        del tokens[:3]
    sections = []
    for opening, title in pairwise(tokens):
        if opening.type == "heading_open":
            anchor = _anchor(title.content)
            opening.attrSet("id", anchor)
            if opening.tag == "h2":
                sections.append((anchor, title.content))
        if opening.type == "inline":
            opening.children = _without_dead_links(opening.children or [])
    html: str = markdown.renderer.render(tokens, markdown.options, {})
    return Markup(html), sections  # noqa: S704 # the renderer has escaped the content


def _anchor(title: str) -> str:
    """Return the anchor of a section, in the format of GitHub."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _without_dead_links(tokens: Sequence[Token]) -> list[Token]:
    """Return ``tokens`` without the links that do not work in a browser; their text remains."""
    kept, is_open = [], True
    for token in tokens:
        if token.type == "link_open":
            is_open = _IS_FOLLOWED.match(str(token.attrGet("href"))) is not None
        if is_open or token.type not in {"link_open", "link_close"}:
            kept.append(token)
    return kept
