"""Read a line of a command file as Nagios does, according to its documentation of external commands."""

from __future__ import annotations

import re
from typing import NamedTuple

PIPE_BUF = 4096
"""The longest line that is not mixed with others; Nagios itself reads 8 KB."""


class Submitted(NamedTuple):
    """A submitted result; ``output`` is what a plugin would have printed."""

    time: int
    host: str
    service: str
    state: int
    output: str

    @property
    def text(self) -> str:
        """The output without perfdata."""
        first, *lines = self.output.split("\n")
        return "\n".join([first.partition("|")[0].strip(), *lines])

    @property
    def perfdata(self) -> str:
        """The perfdata of the first line."""
        return self.output.split("\n")[0].partition("|")[2].strip()


def parse(line: bytes) -> Submitted:
    """Return the result in a line."""
    assert len(line) <= PIPE_BUF, len(line)
    assert line.endswith(b"\n")
    text = line.decode("utf-8").removesuffix("\n")
    assert "\n" not in text
    found = re.fullmatch(r"\[(\d+)\] PROCESS_SERVICE_CHECK_RESULT;([^;]+);([^;]+);([0-3]);(.*)", text)
    assert found is not None, text
    output = re.sub(r"\\([\\n])", lambda escape: {"\\": "\\", "n": "\n"}[escape[1]], found[5])
    assert "|" not in "".join(output.split("\n")[1:])
    return Submitted(int(found[1]), found[2], found[3], int(found[4]), output)
