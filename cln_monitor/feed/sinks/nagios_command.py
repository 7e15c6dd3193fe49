"""The line that submits a result through the command file of Nagios or Naemon."""

from __future__ import annotations

import re
import select
from collections.abc import Iterator, Sequence

from cln_monitor.feed.result import FeedResult

from .perfdata import split_perfdata

_UNFIT_FOR_NAME = re.compile(r"[;\n\r\0]")
_LONGEST_NAMES = 1024  # bytes of host and service together: the rest of a line is for the output
_MORE = re.compile(r"… and (\d+) more")
_ELLIPSIS = "…".encode()


def problem_of_names(host: str, service: str) -> str:
    """Return why the names of a host and a service cannot be in a line, or ""."""
    if any(not name or _UNFIT_FOR_NAME.search(name) for name in (host, service)):
        return "a name in a command must not be empty, or contain a semicolon or a line end"
    if len(_utf8(host + service)) > _LONGEST_NAMES:
        return f"the names of host and service have more than {_LONGEST_NAMES} bytes"
    return ""


def without_bars(output: str) -> str:
    """Return ``output`` without ``|``, after which a core reads perfdata; plugins replace it in the same way."""
    return output.replace("|", "¦")


def command(result: FeedResult, now: float) -> bytes:
    """Return the line for ``result``, of up to PIPE_BUF bytes: perfdata first, then as much long output as fits.

    ``now`` is the Unix time of the check. The core turns ``\\n`` into a line end, and ``\\\\`` into a backslash. Only
    the first three semicolons after the name of the command are separators.
    """
    start = _utf8(f"[{int(now)}] PROCESS_SERVICE_CHECK_RESULT;{result.host};{result.service};{result.state};")
    room = select.PIPE_BUF - len(start) - len(b"\n")
    first, *lines = map(_escaped, without_bars(result.output).rstrip("\n").split("\n"))
    items = list(map(_escaped, split_perfdata(result.perfdata)))
    text = _cut(first, max(room - sum(map(len, items)) - len(items) - len(b" |"), room // 4))
    fitting = list(_fitting(items, room - len(text) - len(b" |")))
    if fitting:
        text += b" | " + b" ".join(fitting)
    return start + text + _long_output(lines, room - len(text)) + b"\n"


def _long_output(lines: Sequence[bytes], room: int) -> bytes:
    """Return as many of ``lines`` as fit into ``room`` bytes, each after an escaped line end, and how many do not."""
    pieces = [b"\\n" + line for line in lines]
    if sum(map(len, pieces)) <= room:
        return b"".join(pieces)
    # The last line may already say how many the plugin has left out.
    found = _MORE.fullmatch(lines[-1].decode())
    left_out = int(found[1]) if found else 0
    pieces = pieces[:-1] if found else pieces
    room -= len(b"\\n") + len(_utf8(f"… and {left_out + len(pieces)} more"))
    if room < 0:
        return b""
    kept = []
    for piece in pieces:
        room -= len(piece)
        if room < 0:
            break
        kept.append(piece)
    return b"".join(kept) + b"\\n" + _utf8(f"… and {left_out + len(pieces) - len(kept)} more")


def _fitting(items: Sequence[bytes], room: int) -> Iterator[bytes]:
    """Yield the first of ``items`` that fit into ``room`` bytes, with one byte before each."""
    for item in items:
        room -= len(item) + 1
        if room < 0:
            return
        yield item


def _cut(text: bytes, room: int) -> bytes:
    """Return the escaped ``text``, shortened to ``room`` bytes without breaking a character or an escape."""
    if len(text) <= room:
        return text
    start = _utf8(text[: room - len(_ELLIPSIS)].decode("utf-8", "ignore"))
    backslashes = len(start) - len(start.rstrip(b"\\"))
    return start[: len(start) - backslashes % 2] + _ELLIPSIS


def _escaped(text: str) -> bytes:
    return _utf8(text.replace("\\", "\\\\"))


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")
