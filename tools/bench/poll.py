"""A poll over verified TLS, compared with a bare ``requests.Session`` that fetches the same data."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from statistics import median

from tests.helpers.certificates import Authority
from tests.helpers.running import ask

from .client import turn
from .processes import module
from .scale import Scale
from .table import Row, ratio


class Polling:
    """A process that polls on request; ``who`` is ``ours`` or ``bare``."""

    def __init__(self, who: str, port: str, scale: Scale, ca_file: Path, polls: int) -> None:
        options = (who, port, scale.keys, ca_file, scale.concurrency, polls)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tools.bench.polling", *map(str, options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._read()

    def poll(self) -> dict[str, float]:
        """Poll once and return the wall time and CPU time in seconds."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        took: dict[str, float] = json.loads(self._read())
        return took

    def _read(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the polling process exited with {self.process.wait()}")
        return line

    def stop(self) -> None:
        """Terminate the process."""
        self.process.kill()
        self.process.communicate()


def measure(scale: Scale, directory: Path) -> list[Row]:
    """Return the rows of a poll: with all responses changed, and with none changed."""
    authority = Authority(directory)
    certificate, key = authority.issue("localhost")
    options = (scale.servers, scale.keys, "--latency", scale.latency, "--certificate", certificate, "--key", key)
    with module("cln", directory, *options) as (_, ports):
        connections_made = f"http://127.0.0.1:{ports[2]}/connections"
        bare = Polling("bare", ports[1], scale, authority.file, scale.repeats)
        ask(connections_made)
        ours = Polling("ours", ports[1], scale, authority.file, 2 * scale.repeats)
        try:
            theirs, new, same, connections = [], [], [], 0
            for _ in range(scale.repeats):  # in turns, so that other load on the machine affects all of them
                turn(ports[2])
                new.append(ours.poll())
                connections = connections or int(ask(connections_made).text)
                same.append(ours.poll())
                theirs.append(bare.poll())
        finally:
            bare.stop()
            ours.stop()
    ideal = scale.latency * (1 + math.ceil(scale.keys / scale.concurrency))
    poll = f"a poll of {scale.keys} keys over TLS"
    how = f"{scale.latency * 1000:.0f} ms per call, {scale.concurrency} in flight"
    wall = median(took["wall"] for took in new) / ideal
    cpu, cpu_same = (_cpu(took) / _cpu(theirs) for took in (new, same))
    times = f"({_cpu(new) * 1000:.0f} ms to {_cpu(theirs) * 1000:.0f} ms)"
    return [
        Row(
            f"Wall time of {poll} ({how}), compared with the ideal",
            "≤ 1.15 ×",
            f"{ratio(wall)} ({wall * ideal:.1f} s)",
            wall <= 1.15,
            "threads that decode hold up those that fetch, and the text and its gzip form come after the last answer",
        ),
        Row(
            f"CPU of {poll}, all included, compared with a bare `requests.Session`",
            "≤ 1.5 ×",
            f"{ratio(cpu)} {times}",
            cpu <= 1.5,
            "the calls take less than those of the bare session; to read 100,000 servers, compare them with those of "
            "the poll before, and look for secrets takes a third of a bare fetch, to write and compress their 200,000 "
            "series another, 4 µs of Python per server in total",
        ),
        Row(
            f"CPU of {poll} when no answer changed, compared with a bare `requests.Session`", "", ratio(cpu_same), None
        ),
        Row(
            f"Connections of {poll}",
            f"≤ {scale.concurrency + 1}",
            str(connections),
            connections <= scale.concurrency + 1,
        ),
    ]


def _cpu(polls: list[dict[str, float]]) -> float:
    return median(took["cpu"] for took in polls)
