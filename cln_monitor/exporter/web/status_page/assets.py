"""The templates of the pages, and their Content-Security-Policy."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

# An upgrade replaces the files while the exporter runs, so they are read now; compiling them can wait for a reader.
_FILES = {file.name: file.read_text(encoding="utf-8") for file in (Path(__file__).parent / "templates").iterdir()}

environment = Environment(
    loader=DictLoader(_FILES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
"""The template environment of the pages, with automatic escaping."""


def source_hash(text: str) -> str:
    """Return the source expression of a Content-Security-Policy that allows exactly ``text``."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


STYLE, SCRIPT = Markup(_FILES["status.css"]), Markup(_FILES["status.js"])  # noqa: S704 # our own files
_NOTHING_ELSE = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
POLICY = (
    f"default-src 'none'; style-src {source_hash(STYLE)}; script-src {source_hash(SCRIPT)}; connect-src 'self'; "
    f"img-src data:; {_NOTHING_ELSE}"
)
"""The Content-Security-Policy of the status page, which allows only its own style and script."""
RUNBOOK_POLICY = f"default-src 'none'; style-src {source_hash(STYLE)}; img-src data:; {_NOTHING_ELSE}"
"""The Content-Security-Policy of the runbook, which has no script."""
