"""The objects for monitoring cores: one for each service, with a check of its freshness."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cln_monitor.feed.config import load_config
from cln_monitor.feed.definitions import icinga2, nagios
from cln_monitor.feed.services import Service

SERVICES = [
    {"host": "web1", "service": 'a "b" \\ é', "check": "check_cln_status"},
    {"host": "cln", "service": "kernelcare", "check": "check_cln_kernelcare"},
]


@pytest.fixture
def services(write: Callable[..., Path]) -> tuple[Service, ...]:
    """Services of two hosts."""
    return load_config(write(services=SERVICES)).services


def test_icinga(services: tuple[Service, ...], golden: Callable[[str, str], None]) -> None:
    """A template with the freshness, and a service for each one of the configuration, its name quoted."""
    golden("feed-icinga2.conf", icinga2.definitions(services, 180))


def test_nagios(services: tuple[Service, ...], golden: Callable[[str, str], None]) -> None:
    """A command, a template with the freshness, and a service for each one of the configuration."""
    golden("feed-nagios.cfg", nagios.definitions(services, 180))


@pytest.mark.processes
@pytest.mark.parametrize(
    ("times", "text"),
    [
        ((0, 0, 0), "UNKNOWN - no result from cln-feed\n"),
        (
            (1714490800, 1714490700, 0),
            "UNKNOWN - no result from cln-feed, last state other than UNKNOWN at 2024-04-30 15:26:40 UTC\n",
        ),
        (
            (0, 0, 1714490801),
            "UNKNOWN - no result from cln-feed, last state other than UNKNOWN at 2024-04-30 15:26:41 UTC\n",
        ),
    ],
)
def test_the_command_of_nagios(services: tuple[Service, ...], times: tuple[int, int, int], text: str) -> None:
    """Nagios' check of freshness is UNKNOWN and says since when; it needs nothing but a shell."""
    definitions = nagios.definitions(services, 180)
    found = re.search(r"command_line +(.*)", definitions)
    assert found
    command = found[1]
    assert ";" not in command  # which begins a comment
    for name, time in zip(("OK", "WARNING", "CRITICAL"), times, strict=True):
        command = command.replace(f"$LASTSERVICE{name}$", str(time))
    command = command.replace("$$", "$")
    done = subprocess.run(
        ["/bin/sh", "-c", command], env={"TZ": "UTC", "PATH": "/usr/bin:/bin"}, capture_output=True, check=False
    )
    assert done.stderr == b""
    assert done.stdout.decode() == text
    assert done.returncode == 3


def test_long_and_fractional_freshness(services: tuple[Service, ...]) -> None:
    """A freshness is written without an exponent, which Icinga does not read; Nagios takes whole seconds."""
    assert "check_interval = 1296000s" in icinga2.definitions(services, 1_296_000.0)
    assert "check_interval = 16.5s" in icinga2.definitions(services, 16.5)
    assert "freshness_threshold     17\n" in nagios.definitions(services, 16.5)
    assert "came for 1296000 seconds" in nagios.definitions(services, 1_296_000.0)
