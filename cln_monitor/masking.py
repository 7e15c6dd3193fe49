"""The name under which a licence key may be shown: licence keys are credentials."""

from __future__ import annotations

import hashlib


def mask_key(key: str) -> str:
    """Name a licence key without giving it away: its first four characters, ``-``, eight hex digits of its SHA-256.

    The name is stable and unique, so it can serve as a label; the key cannot be told from it.
    """
    return f"{key[:4]}-{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def key_names(key: str) -> tuple[str, str]:
    """Return what ``key`` may be called: itself, where keys are shown in full or it is a mask already, and its mask."""
    return key, mask_key(key)
