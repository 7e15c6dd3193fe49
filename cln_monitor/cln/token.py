"""The authorization token of the CLN API."""

from __future__ import annotations

import hashlib


def make_token(login: str, secret_key: str, now: float) -> str:
    """Return ``login|timestamp|sha1hex(secret_key + timestamp)`` (API document, "API overview").

    ``now`` is in Unix seconds; CLN takes a token for 30 minutes, so each request makes its own.
    """
    timestamp = str(int(now))
    # The API document prescribes SHA-1; nothing here rests on its collision resistance.
    signed = (secret_key + timestamp).encode("utf-8", "surrogateescape")  # the environment may hold any bytes
    digest = hashlib.sha1(signed, usedforsecurity=False).hexdigest()
    return f"{login}|{timestamp}|{digest}"
