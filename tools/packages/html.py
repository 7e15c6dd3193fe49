"""The documentation as HTML, with links to installed files."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath

from markdown_it import MarkdownIt

from cln_monitor.bundled_files import SOURCES

_FOREIGN = re.compile(r"[a-z]+:|//")
_INCLUDE = re.compile(r"```\{include\} (\S+)")
_NOT_INSTALLED = frozenset({"CONTRIBUTING.md", "RELEASE.md"})
_STYLE = """\
body { font: 16px/1.5 sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff }
pre, code { font-family: monospace; background: #f3f3f3 } pre { padding: .7rem; overflow-x: auto }
table { border-collapse: collapse; display: block; overflow-x: auto }
td, th { border: 1px solid #bbb; padding: .2rem .5rem }
img { max-width: 100% }
@media (prefers-color-scheme: dark) {
body { color: #ddd; background: #1b1b1b } pre, code { background: #2a2a2a } a { color: #8bf }
}
"""
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<meta name="viewport" content="width=device-width">
<style>
{style}</style>
</head>
<body>
{body}</body>
</html>
"""
_DOCUMENTS, _FILES = "/usr/share/doc/cln-monitor/html", "/usr/share/cln-monitor"


def pages(root: Path) -> dict[str, bytes]:
    """Return the files of the documentation of the checkout ``root``, by their path below ``html``."""
    sources = [*root.glob("*.md"), *(root / "docs").glob("*.md"), root / "plugins" / "README.md"]
    included = {path: _INCLUDE.match(path.read_text("utf-8")) for path in sorted(sources)}
    names = {
        path.relative_to(root).as_posix(): path
        for path, found in included.items()
        if not found and path.name not in _NOT_INSTALLED
    }
    images = {path.relative_to(root).as_posix(): path for path in sorted((root / "docs" / "images").iterdir())}
    known = {name: _html_name(name) for name in names} | {name: name for name in images}
    # A page of the web site that only includes another page is not installed: links to it lead to that page.
    for path, found in included.items():
        if found and (target := known.get(normpath(f"{path.relative_to(root).parent}/{found[1]}"))):
            known[path.relative_to(root).as_posix()] = target
    texts = {known[name]: _page(path.read_text("utf-8"), name, known).encode() for name, path in names.items()}
    return texts | {name: path.read_bytes() for name, path in images.items()}


def _html_name(name: str) -> str:
    return "index.html" if name == "README.md" else re.sub(r"README\.md$|\.md$", _ending, name)


def _ending(found: re.Match[str]) -> str:
    return "index.html" if found[0] == "README.md" else ".html"


def _page(text: str, name: str, known: Mapping[str, str]) -> str:
    markdown = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    tokens = markdown.parse(text)
    title = name
    for opening, content in pairwise(tokens):
        if opening.type == "heading_open":
            opening.attrSet("id", re.sub(r"[^\w\- ]", "", content.content.lower()).replace(" ", "-"))
            if opening.tag == "h1":
                title = content.content
    body: str = markdown.renderer.render(tokens, markdown.options, {})
    body = re.sub(r'<a href="([^"]*)">(.*?)</a>', lambda found: _link(found, name, known), body, flags=re.DOTALL)
    body = re.sub(r'(src|srcset)="([^"]*)"', lambda found: _image(found, name, known), body)
    return _PAGE.format(title=html.escape(title), style=_STYLE, body=body)


def _link(found: re.Match[str], name: str, known: Mapping[str, str]) -> str:
    """Return a link, or only its text if its target is not installed."""
    target = _target(found[1], name, known)
    return found[2] if target is None else f'<a href="{target}">{found[2]}</a>'


def _image(found: re.Match[str], name: str, known: Mapping[str, str]) -> str:
    return f'{found[1]}="{_target(found[2], name, known) or found[2]}"'


def _target(target: str, name: str, known: Mapping[str, str]) -> str | None:
    if target.startswith("#") or _FOREIGN.match(target):
        return target
    path, _, anchor = target.partition("#")
    here = f"{_DOCUMENTS}/{PurePosixPath(known[name]).parent}"
    where = normpath(f"{PurePosixPath(name).parent}/{path}")
    if where in known:
        found = f"{_DOCUMENTS}/{known[where]}"
    else:
        installed = _installed(where)
        if installed is None:
            return None
        found = f"{_FILES}/{installed}"
    return relpath(found, normpath(here)) + (f"#{anchor}" if anchor else "")


def _installed(path: str) -> str | None:
    """Return the path below /usr/share/cln-monitor of a file of the checkout, or None if it is not installed."""
    for name, source in SOURCES.items():
        if path == source or path.startswith(f"{source}/"):
            return name + path.removeprefix(source)
    return None
