"""The proxy that the environment names: it is never used, and an error says so where CLN cannot be reached."""

from __future__ import annotations

import os
from urllib.parse import urlsplit


def ignored_proxy(url: str) -> str:
    """Return the variable by which other programs reach ``url`` through a proxy, "" for none. Its value is never shown.

    A token must not go where the shell of whoever starts the program happens to point, and the same configuration has
    to go the same way from a service, a core's plugin and a terminal.
    """
    parts = urlsplit(url)
    names = [name for each in (f"{parts.scheme}_proxy", "all_proxy") for name in (each, each.upper())]
    name = next((name for name in names if os.environ.get(name, "").strip()), "")
    if not name:
        return ""
    from urllib.request import proxy_bypass_environment  # noqa: PLC0415 # only a failure with such a variable needs it

    return "" if proxy_bypass_environment(parts.netloc.rpartition("@")[2]) else name
