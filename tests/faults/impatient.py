"""Changes to the programs in the tests of faults: shorter limits, and a resolver that can fail."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

from cln_monitor.cln.http import answer, retry
from cln_monitor.probes import settings

RESOLVER = "TESTS_RESOLVER_FAILS"
"""The variable with the path of a file: as long as it is there, no name resolves."""
LARGEST_BODY = "TESTS_LARGEST_BODY"
"""The variable with the bytes of a body that are read, where it is not to be as many as by default."""


def be_impatient() -> None:
    """Retry failed calls without delay, allow shorter intervals, and let name resolution fail on demand."""
    retry._FIRST_BACK_OFF = 0.01
    settings._SHORTEST_INTERVAL = 0.1
    answer.LARGEST_BODY = int(os.environ.get(LARGEST_BODY, answer.LARGEST_BODY))
    resolve, fails = socket.getaddrinfo, Path(os.environ[RESOLVER])

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host == "localhost" and fails.exists():
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return resolve(host, *args, **kwargs)

    socket.getaddrinfo = getaddrinfo


if __name__ == "__main__":
    from cln_monitor.exporter.__main__ import run

    be_impatient()
    run()
