"""The proxy that the environment names: it is never used, and an error says so where CLN cannot be reached."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from requests.utils import should_bypass_proxies


def ignored_proxy(url: str) -> str:
    """Return the variable by which other programs reach ``url`` through a proxy, "" for none. Its value is never shown.

    A token must not go where the shell of whoever starts the program happens to point, and the same configuration has
    to go the same way from a service, a core's plugin and a terminal.
    """
    names = [name for each in (f"{urlsplit(url).scheme}_proxy", "all_proxy") for name in (each, each.upper())]
    name = next((name for name in names if os.environ.get(name, "").strip()), "")
    return "" if should_bypass_proxies(url, no_proxy=None) else name
