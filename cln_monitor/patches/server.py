"""The client of the patch server, which is public: it sends GETs without any credentials."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from cln_monitor.cln.errors import BadAnswerError, ClnError, RefusedError, TimedOutError
from cln_monitor.cln.http.answer import HttpAnswer, Reply, rate_limit
from cln_monitor.cln.http.clock import Clock
from cln_monitor.cln.http.deadline import Deadline
from cln_monitor.cln.http.rate_limiter import RateLimiter
from cln_monitor.cln.http.retry import with_reconnect, with_retries
from cln_monitor.cln.http.settings import TIMEOUT, TransportSettings

from .live_patch import LivePatch, parse_patch_info

T = TypeVar("T")

PATCHES_URL = "https://patches.kernelcare.com"
"""The patch server of KernelCare."""

LARGEST = 64 << 10
"""The maximum size of a response in bytes."""

_KERNEL_ID = r"[0-9a-f]{40}"
_SHOWN = 12  # digits of a kernel id in an error
_LEVEL = r"(?a)\s*(\d{1,9})\s*"
_UNEXPECTED = "unexpected response from the patch server"


def patch_settings(
    url: str = PATCHES_URL,
    *,
    timeout: float = TIMEOUT,
    proxy: str | None = None,
    ca_file: str | None = None,
    insecure_skip_verify: bool = False,
) -> TransportSettings:
    """Return the settings of the patch server at ``url``; ``timeout`` is that of one request in seconds."""
    return TransportSettings(
        url.rstrip("/"),
        timeout=timeout,
        proxy=proxy,
        ca_file=ca_file,
        insecure_skip_verify=insecure_skip_verify,
        server="the patch server",
        url_setting="patches.url",
        largest_body=LARGEST,
    )


class PatchServer:
    """Reads the patch server of ``settings``. It follows no redirects, and reads at most 64 KB. Thread-safe."""

    def __init__(self, settings: TransportSettings, rate_limiter: RateLimiter, clock: Clock) -> None:
        from cln_monitor.cln.http.sender import Sender  # noqa: PLC0415 # requests and urllib3, which few programs need

        self._settings = settings
        self._rate_limiter = rate_limiter
        self.clock = clock
        self._sender = Sender(settings, clock, rate_limiter.concurrency)

    def patch(self, kernel_id: str, level: int, deadline: Deadline) -> LivePatch | None:
        """Return the patch of ``level``, 1 or more, for a kernel; None if the server does not know it (HTTP 404).

        ``kernel_id`` is 40 hex digits. Raises ValueError for other arguments, and ClnError.
        """
        if level < 1:
            raise ValueError("level 0 is no patch")
        path = f"/{_checked(kernel_id)}/{level}/kpatch.info"
        return self._read(path, lambda text: parse_patch_info(kernel_id, level, text), deadline)

    def newest_level(self, kernel_id: str, deadline: Deadline) -> int | None:
        """Return the newest level for a kernel in the default channel; None if the server does not know the kernel.

        Raises ValueError for an id that is not 40 hex digits, and ClnError.
        """
        return self._read(f"/{_checked(kernel_id)}/latest.v2", _level, deadline)

    def close(self) -> None:
        """Close the idle connections."""
        self._sender.close()

    def _read(self, path: str, decode: Callable[[str], T], deadline: Deadline) -> T | None:
        def read_once() -> T | None:
            reply = with_reconnect(lambda over_new: self._send(path, deadline, over_new=over_new), deadline)
            return reply.decoded(lambda answer: _decoded(answer, decode))

        try:
            return with_retries(read_once, self.clock, deadline)
        except ClnError as error:
            # In full, an id would be replaced later: it has the form of CLN's tokens.
            error.add_context(f"reading {path[: 1 + _SHOWN]}…{path[41:]} at {self._settings.api}", str)
            raise

    def _send(self, path: str, deadline: Deadline, *, over_new: bool) -> Reply:
        with self._rate_limiter.slot(self._settings.host, deadline):
            seconds = min(self._settings.timeout, deadline.left())
            if seconds <= 0:
                raise TimedOutError("deadline exceeded; request not sent", of_run=True)
            reply = self._sender.send("GET", path, {}, seconds, over_new=over_new)
        limited = rate_limit(reply.answer, self._settings.server)
        if limited is None:
            return reply
        if limited.retry_after is not None:
            self._rate_limiter.pause(self._settings.host, limited.retry_after)
        raise limited


def _checked(kernel_id: str) -> str:
    if re.fullmatch(_KERNEL_ID, kernel_id) is None:
        raise ValueError("a kernel id has 40 hex digits")
    return kernel_id


def _decoded(answer: HttpAnswer, decode: Callable[[str], T]) -> T | None:
    status = answer.status
    if status == 404:
        return None
    if 300 <= status < 400:
        raise BadAnswerError(f"unexpected redirect (HTTP {status}), not followed; check patches.url")
    if 400 <= status < 500:
        raise RefusedError(f"the patch server refused the request: HTTP {status}")
    if status != 200:
        raise BadAnswerError(f"{_UNEXPECTED}: HTTP {status}", transient=status >= 500)
    if answer.body.lstrip().startswith(b"<"):
        raise BadAnswerError(f"{_UNEXPECTED}: an HTML page (HTTP 200)")
    # A part of a list of fixes, or of a number, would look like a whole.
    if not answer.has_end and not answer.body.endswith(b"\n"):
        raise BadAnswerError(f"{_UNEXPECTED}: no Content-Length and no newline at its end, so it may be truncated")
    return decode(answer.body.decode("utf-8", "replace"))


def _level(text: str) -> int:
    found = re.fullmatch(_LEVEL, text)
    if found is None:
        raise BadAnswerError(f"{_UNEXPECTED}: not a patch level")
    return int(found[1])
