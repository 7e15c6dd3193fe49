"""Servers that a change took away."""

from __future__ import annotations

import msgspec

from .fields import text


class RemovedServer(msgspec.Struct, frozen=True):
    """A server that was removed, and the key it was registered with; what neither CLN nor the call named is empty."""

    server_id: str
    key: str


class RemovedRow(msgspec.Struct):
    """A removed server as CLN tells it: the products differ in the name of its id."""

    id: object = None
    server_id: object = None
    key: object = None

    def server(self, *, server_id: str = "", key: str = "") -> RemovedServer:
        """Return the server; ``server_id`` and ``key``, those of the call, where CLN repeats neither."""
        return RemovedServer(text(self.server_id) or text(self.id) or server_id, text(self.key) or key)
