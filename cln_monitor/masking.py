"""Mask license keys for display: license keys are credentials."""

from __future__ import annotations

import hashlib
import re

_MASK = re.compile(r".{0,4}-[0-9a-f]{8}", re.DOTALL)


def mask_key(key: str) -> str:
    """Return the mask of a license key: its first four characters, ``-``, eight hex digits of its SHA-256.

    The mask is stable and unique, so it can be used as a label; the key cannot be recovered from it.
    """
    return f"{key[:4]}-{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def masked(name: str) -> str:
    """Return the mask of ``name``, which is a license key or already a mask."""
    return name if _MASK.fullmatch(name) else mask_key(name)


def same_key(name: str, other: str) -> bool:
    """Return whether two names, each a license key or its mask, mean the same key."""
    return name == other or masked(name) == masked(other)
