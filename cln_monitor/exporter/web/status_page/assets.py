"""The templates of the pages, and their Content-Security-Policy."""

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
"""The template environment of the pages, with automatic escaping."""


def _source(name: str) -> str:
    return _loader.get_source(environment, name)[0]


def source_hash(text: str) -> str:
    """Return the source expression of a Content-Security-Policy that allows exactly ``text``."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


STYLE, SCRIPT = Markup(_source("status.css")), Markup(_source("status.js"))  # noqa: S704 # our own files
_NOTHING_ELSE = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
POLICY = (
    f"default-src 'none'; style-src {source_hash(STYLE)}; script-src {source_hash(SCRIPT)}; connect-src 'self'; "
    f"img-src data:; {_NOTHING_ELSE}"
)
"""The Content-Security-Policy of the status page, which allows only its own style and script."""
RUNBOOK_POLICY = f"default-src 'none'; style-src {source_hash(STYLE)}; img-src data:; {_NOTHING_ELSE}"
"""The Content-Security-Policy of the runbook, which has no script."""
