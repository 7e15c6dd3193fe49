"""The objects of ``cln-feed definitions`` in the real cores: accepted, and UNKNOWN when no result comes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cln_monitor.config import Validator
from cln_monitor.feed.definitions import icinga2, nagios
from cln_monitor.feed.services import Service, read_services
from tests.helpers.running import wait_until

from .icinga import Icinga, result_of, verify
from .nagios import verify as verify_nagios
from .nagios import write_main

HOSTS = ("cln", "web1 é")
NAMES = ("kernelcare", 'KernelCare "WsTs-8c7994d7"', "Лицензии")
ICINGA_HOSTS = "".join(f'object Host "{host}" {{ check_command = "dummy" }}\n' for host in HOSTS)
TTL = 2.0


def services_of(*names: str) -> list[Service]:
    """Return a service of each name for each host."""
    entries = [{"host": host, "service": name, "check": "check_cln_status"} for host in HOSTS for name in names]
    validator = Validator()
    services = read_services(validator, entries)
    assert not validator.problems
    return services


@pytest.mark.needs_server("icinga2")
def test_icinga_accepts_them(tmp_path: Path) -> None:
    """Icinga accepts the objects; a host that does not exist is refused, so that this test can fail."""
    text = icinga2.definitions(services_of(*NAMES), 180)
    code, output = verify(tmp_path / "good", ICINGA_HOSTS + text)
    assert code == 0, output
    assert f"Instantiated {len(HOSTS) * len(NAMES)} Services" in output
    code, output = verify(tmp_path / "bad", text)
    assert code != 0, output


@pytest.mark.needs_server("nagios4")
def test_nagios_accepts_them(tmp_path: Path) -> None:
    """Nagios accepts the objects; a host that does not exist is refused, so that this test can fail."""
    hosts = "".join(
        f"define host {{\n    use generic-host\n    host_name {host}\n    address 192.0.2.1\n"
        "    max_check_attempts 1\n}\n"
        for host in HOSTS
    )
    names = [name.replace('"', "") for name in NAMES]  # which Nagios does not allow in names
    text = nagios.definitions(services_of(*names), 180)
    for directory, definitions, expected in (("good", hosts + text, 0), ("bad", text, 1)):
        (tmp_path / directory).mkdir()
        file = tmp_path / directory / "objects.cfg"
        file.write_text(definitions, encoding="utf-8")
        code, output = verify_nagios(write_main(tmp_path / directory, [file], {}))
        assert code == expected, output
        if not code:
            assert f"Checked {len(HOSTS) * len(NAMES)} services." in output
            assert re.search(r"Total Errors: +0$", output, re.MULTILINE), output


@pytest.fixture
def icinga(tmp_path: Path) -> Iterator[Icinga]:
    """An Icinga with a service whose results are valid for a short time."""
    core = Icinga(tmp_path, ICINGA_HOSTS + icinga2.definitions(services_of("kernelcare"), TTL))
    try:
        yield core
    finally:
        core.stop()


@pytest.mark.needs_server("icinga2")
def test_a_feed_that_is_silent(icinga: Icinga) -> None:
    """Without results a service is UNKNOWN; after the last one the text says since when, and keeps saying so."""
    name = "cln!kernelcare"
    first = wait_until(lambda: icinga.last_check(name), "the first check of freshness")
    assert first["output"] == "no result from cln-feed yet"
    assert first["state"] == 3
    icinga.ask(
        "/actions/process-check-result",
        {
            "type": "Service",
            "service": name,
            "exit_status": 0,
            "plugin_output": "OK - fine",
            "check_source": "cln-feed",
            "ttl": TTL,
        },
    )

    def stale() -> dict[str, object]:
        check = icinga.last_check(name)
        return check if check["state"] == 3 and "since" in str(check["output"]) else {}

    check = wait_until(stale, "the service to be UNKNOWN")
    text = str(check["output"])
    assert re.fullmatch(r"no result from cln-feed since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}", text)
    later = wait_until(
        lambda: (again := icinga.last_check(name))["execution_end"] != check["execution_end"] and again,
        "another check of freshness",
    )
    assert later["output"] == text
    assert result_of(later).state == "UNKNOWN"
