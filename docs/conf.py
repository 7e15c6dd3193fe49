"""The Sphinx configuration of ``make docs``: the pages of this directory as a web site without external assets.

The pages link to each other as they do on GitHub. `_read` changes links that leave this directory: a link to a page
outside it, such as ``SECURITY.md``, becomes one to the page that includes it, and a link to a file becomes a download.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING

from cln_monitor import __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "cln-monitor"
author = "The cln-monitor authors"
release = version = __version__
extensions = ["myst_parser"]
myst_heading_anchors = 4
suppress_warnings = ["misc.highlighting_failure"]  # the lexer of PromQL does not know the names of recording rules
html_theme = "furo"
html_title = f"cln-monitor {__version__}"
html_copy_source = False
html_use_index = False
html_show_copyright = False
html_show_sphinx = False

_ROOT = Path(__file__).parents[1]
_INCLUDED = {
    "README.md": "index.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "RELEASE.md": "release.md",
    "plugins/README.md": "plugins.md",
}
"""The pages outside this directory, and the page here that includes each."""
_INCLUDE = re.compile(r"^```\{include\} \.\./(\S+)\n```$", re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[([^]]+)\]\((?!https?:|#)([^)#\s]+)(#[^)\s]*)?\)")
_IMAGE = re.compile(r"(!\[[^]]*\]\()docs/")
_PICTURE = re.compile(r'<picture>.*?srcset="docs/([^"]+)".*?src="docs/([^"]+)" alt="([^"]+)".*?</picture>', re.DOTALL)


def _linked(text: str, directory: str) -> str:
    """Return the Markdown ``text`` of a file in ``directory``, below the root, with links that work in the site."""

    def link(found: re.Match[str]) -> str:
        title, target, anchor = found[1], found[2], found[3] or ""
        path = posixpath.normpath(posixpath.join(directory, target))
        if path in _INCLUDED:
            return f"[{title}]({_INCLUDED[path]}{anchor})"
        if path.startswith("docs/"):
            return f"[{title}]({path.removeprefix('docs/')}{anchor})"
        if (_ROOT / path).is_file():
            return f"{{download}}`{title.replace('`', '')} <../{path}>`"
        return title  # a directory, which a site does not show

    return _LINK.sub(link, text)


def _picture(found: re.Match[str]) -> str:
    """Return a picture in two color schemes as the theme shows it."""
    dark, light, alt = found.groups()
    image = "```{{image}} {}\n:class: only-{}\n:alt: {}\n```"
    return "\n\n".join((image.format(light, "light", alt), image.format(dark, "dark", alt)))


def _read(_app: Sphinx, _name: str, source: list[str]) -> None:
    """Include the page that ``source`` asks for, and change the links of both."""

    def included(found: re.Match[str]) -> str:
        text = (_ROOT / found[1]).read_text(encoding="utf-8")
        return _linked(_IMAGE.sub(r"\1", _PICTURE.sub(_picture, text)), posixpath.dirname(found[1]))

    source[0] = _INCLUDE.sub(included, _linked(source[0], "docs"))


def setup(app: Sphinx) -> None:
    """Connect `_read`."""
    app.connect("source-read", _read)
