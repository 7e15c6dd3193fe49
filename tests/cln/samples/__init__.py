"""The samples of the API document, one file each, named after the call.

``literal/`` holds them byte for byte as the document prints them. ``repaired/`` holds what must have been meant where
the PDF broke the JSON or the document gives no more than words, and those of ``/v2``.
"""

from pathlib import Path

_HERE = Path(__file__).parent


def _read(folder: str) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted((_HERE / folder).iterdir())}


LITERAL = _read("literal")
REPAIRED = _read("repaired")
MEANT = {name: body for name, body in (LITERAL | REPAIRED).items() if name.endswith(".json")}
"""The JSON of each call as it must have been meant."""
PLAIN = {name: body for name, body in LITERAL.items() if name.endswith(".plain")}
