"""The templates of the pages, and what a browser may do with the pages made of them."""

from __future__ import annotations

import base64
import hashlib

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

_loader = PackageLoader("cln_monitor.exporter.web.status_page")
environment = Environment(
    loader=_loader,
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
"""What the pages are rendered in: all that is put into them is text."""


def _source(name: str) -> str:
    return _loader.get_source(environment, name)[0]


def source_hash(text: str) -> str:
    """Return the source of a Content-Security-Policy that allows ``text`` alone."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


STYLE, SCRIPT = Markup(_source("status.css")), Markup(_source("status.js"))  # noqa: S704 # our own files
_NOTHING_ELSE = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
POLICY = (
    f"default-src 'none'; style-src {source_hash(STYLE)}; script-src {source_hash(SCRIPT)}; connect-src 'self'; "
    f"img-src data:; {_NOTHING_ELSE}"
)
"""The Content-Security-Policy of the status page: its own style and script and no others, whatever CLN sends."""
RUNBOOK_POLICY = f"default-src 'none'; style-src {source_hash(STYLE)}; img-src data:; {_NOTHING_ELSE}"
"""That of the runbook, which has no script."""
