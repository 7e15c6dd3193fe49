"""The real servers for tests; add a server as one line in SERVERS.

Run as a program, it prints the missing Debian packages, which `make test` then installs.
"""

import os
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Server:
    """A server: its programs, and its Debian package."""

    package: str
    binaries: tuple[str, ...]


SERVERS = {
    "alertmanager": Server(package="prometheus-alertmanager", binaries=("prometheus-alertmanager", "amtool")),
    "chromium": Server(package="chromium", binaries=("chromium",)),
    "faketime": Server(package="faketime", binaries=("faketime",)),
    "icinga2": Server(package="icinga2-bin", binaries=("icinga2",)),
    "nagios4": Server(package="nagios4-core", binaries=("nagios4",)),
    "prometheus": Server(package="prometheus", binaries=("prometheus", "promtool")),
    "systemd": Server(package="systemd-container", binaries=("systemd-nspawn", "systemd-analyze")),
    "victoria-metrics": Server(package="victoria-metrics", binaries=("victoria-metrics",)),
}


def find(binary: str) -> str | None:
    """Return the path of a server's program, including directories that are only in root's PATH, or None."""
    return shutil.which(binary, path=f"{os.environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin:/sbin")


def path(binary: str) -> str:
    """Return the path of a program for a test that is marked with needs_server."""
    found = find(binary)
    if found is None:
        msg = f"{binary} is not here: is the test marked with needs_server?"
        raise LookupError(msg)
    return found


def missing(names: Iterable[str]) -> list[str]:
    """Return the given servers with a missing program."""
    return [name for name in names if not all(find(binary) for binary in SERVERS[name].binaries)]


def packages(names: Iterable[str]) -> str:
    """Return the Debian packages of the given servers, as arguments of `apt install`."""
    return " ".join(dict.fromkeys(SERVERS[name].package for name in names))


def reason_to_skip(names: Iterable[str]) -> str:
    """Return which of the given servers are missing and what to install, or "" if none is missing."""
    absent = missing(names)
    return f"no {', '.join(absent)} here: apt install {packages(absent)}" if absent else ""


if __name__ == "__main__":
    sys.stdout.write(packages(missing(SERVERS)))
