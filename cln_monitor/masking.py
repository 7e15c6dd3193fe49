"""The name under which a licence key may be shown: licence keys are credentials."""

from __future__ import annotations

import hashlib
import re

_MASK = re.compile(r".{0,4}-[0-9a-f]{8}", re.DOTALL)


def mask_key(key: str) -> str:
    """Name a licence key without giving it away: its first four characters, ``-``, eight hex digits of its SHA-256.

    The name is stable and unique, so it can serve as a label; the key cannot be told from it.
    """
    return f"{key[:4]}-{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def masked(name: str) -> str:
    """Return the mask of the key that ``name`` is, or that is its mask already."""
    return name if _MASK.fullmatch(name) else mask_key(name)


def same_key(name: str, other: str) -> bool:
    """Tell whether two names are of one key, each the key itself or its mask."""
    return name == other or masked(name) == masked(other)
