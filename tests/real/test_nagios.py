"""A real Nagios runs the plugins with the shipped definitions, and shows their results."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.helpers.small_cln import KEY
from tests.real.nagios import Nagios, verify, write_main
from tests.real.watched import (
    DAY,
    FIGURES_OF_SERVERS,
    FINE,
    GIVEN_UP_AFTER,
    HANG_TIMEOUT,
    LOST,
    NO_ANSWER,
    NONE_SUCH,
    PLUGINS,
    SILENT,
    SLOW,
    STATES,
    Result,
    Watched,
    run_plugin,
    watched,
)

pytestmark = pytest.mark.needs_server("nagios4")

SHIPPED = [PLUGINS / "nagios" / name for name in ("cln-commands.cfg", "cln-services.cfg")]
MACROS = {"USER1": "/usr/lib/nagios/plugins", "USER5": str(PLUGINS)}
KEY_SERVICES = {FINE: "OK", SILENT: "WARNING", LOST: "CRITICAL", NONE_SUCH: "UNKNOWN"}

# A second account, asked without an exporter, and services of single keys; the fractions make seconds of minutes.
HOST = """\
define host {{
    use                   generic-host
    host_name             direct
    hostgroups            cln-accounts
    max_check_attempts    1
    _CLN_SOURCE           --config {config}
}}
"""
SERVICE = """\
define service {{
    use                   cln-service
    host_name             direct
    service_description   {name}
    check_command         {command}
    check_interval        {minutes}
    retry_interval        {minutes}
    active_checks_enabled {active}
}}
"""


def service(name: str, command: str, minutes: float = 60, active: int = 1) -> str:
    """Return a service of the host that queries CLN."""
    return SERVICE.format(name=name, command=command, minutes=minutes, active=active)


def uncommented(text: str) -> str:
    """Return the shipped definitions, with those in comments enabled."""
    return re.sub(r"^#(define \w+ \{|    .*|\})$", r"\1", text, flags=re.MULTILINE)


def edited(text: str, changes: dict[str, str]) -> str:
    """Return ``text`` with each of the old texts, which must occur once, replaced by the new one."""
    for old, new in changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


@dataclass(frozen=True)
class Lab:
    """The simulated account, and the Nagios that monitors it."""

    account: Watched
    nagios: Nagios


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Yield one lab for all tests."""
    folder = tmp_path_factory.mktemp("nagios")
    with watched(folder) as account:
        services = folder / "services.cfg"
        services.write_text(
            edited(
                uncommented(SHIPPED[1].read_text()),
                {
                    "http://127.0.0.1:10099": account.exporter_url,
                    "--key-file /etc/cln-monitor/monitoring.key": f"--key-file {account.key_file} "
                    f"--api-url {account.api_url}",
                },
            )
        )
        own = folder / "own.cfg"
        key_command = "check_cln_kernelcare!$_HOSTCLN_SOURCE$ --key"
        own.write_text(
            HOST.format(config=account.config)
            + "".join(service(f"key {label}", f"{key_command} {label}") for label in KEY_SERVICES)
            + service("slow key", f"{key_command} {SLOW} -t {HANG_TIMEOUT}")
            + service("each second", "check_cln_status!$_HOSTCLN_SOURCE$", minutes=1 / 60)
            + service("from outside", f"{key_command} {FINE}", active=0)
        )
        nagios = Nagios(folder, [SHIPPED[0], services, own], MACROS)
        try:
            nagios.wait_for_first_checks()
            yield Lab(account, nagios)
        finally:
            nagios.stop()


def as_nagios_has_it(result: Result) -> Result:
    """Return a plugin's result as stored by Nagios: with colons for semicolons except in perfdata."""
    lines = tuple(line.replace(";", ":") for line in result.lines)
    return Result(result.state, result.text.replace(";", ":"), lines, result.perfdata)


def test_the_shipped_files_are_accepted(tmp_path: Path) -> None:
    """Nagios accepts the shipped files, including those in comments."""
    all_used = tmp_path / "services.cfg"
    all_used.write_text(uncommented(SHIPPED[1].read_text()))
    for objects, services in ((SHIPPED, 6), ([SHIPPED[0], all_used], 13)):
        code, output = verify(write_main(tmp_path / str(services), objects, MACROS))
        assert code == 0, output
        assert f"Checked {services} services." in output
        assert re.search(r"Total Errors: +0$", output, re.MULTILINE), output


def test_a_command_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """Nagios rejects an unknown command, so that the test above can fail."""
    services = tmp_path / "services.cfg"
    services.write_text(SHIPPED[1].read_text().replace("check_cln_imunify!", "check_cln_immunify!"))
    code, output = verify(write_main(tmp_path, [SHIPPED[0], services], MACROS))
    assert code == 1
    assert "check_cln_immunify" in output


@pytest.mark.parametrize(("label", "state"), KEY_SERVICES.items(), ids=KEY_SERVICES.values())
def test_a_result_is_what_the_plugin_prints(lab: Lab, label: str, state: str) -> None:
    """State, first line, long output and perfdata are those of the plugin."""
    result = lab.nagios.wait_for("direct", f"key {label}", state)
    printed = run_plugin("check_cln_kernelcare", "--config", str(lab.account.config), "--key", label)
    assert result.lasting == as_nagios_has_it(printed).lasting
    assert result.text.startswith(f"{state} - ")
    if state != "UNKNOWN":
        assert set(result.perfdata) == FIGURES_OF_SERVERS
        assert re.fullmatch(r"\d+s;86400;;0", result.perfdata["oldest_checkin"])


@pytest.mark.parametrize("host", ["cln", "direct"])
@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("CLN status", "OK"),
        ("CLN KernelCare servers", "CRITICAL"),
        ("CLN Imunify servers", "OK"),
        ("CLN patch status", "WARNING"),
        ("CLN IP licenses", "OK"),
    ],
)
def test_a_shipped_service_of_each_account(lab: Lab, host: str, name: str, state: str) -> None:
    """A service has the same result from the exporter and from CLN."""
    result = lab.nagios.wait_for(host, name, state)
    assert result.text.startswith(f"{state} - ")
    assert result.perfdata


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CLN exporter", r"OK - all \d+ probes .*"),
        ("CLN monitoring key", "OK - monitoring key Moni-[0-9a-f]{8} is registered .*"),
        ("CLN KernelCare key web", rf"OK - .*{FINE} at 10% \(1/10\)"),
    ],
)
def test_a_shipped_service_of_the_exporters_host(lab: Lab, name: str, text: str) -> None:
    """A service of a key finds it by its label, on one host only."""
    assert re.fullmatch(text, lab.nagios.wait_for("cln", name, "OK").text)


def test_a_hang_is_ended_by_the_plugin(lab: Lab) -> None:
    """With a hanging CLN, -t ends the plugin as UNKNOWN, before Nagios would."""
    with lab.account.hanging():
        hung = lab.nagios.check("direct", "slow key")
        took = float(lab.nagios.status("direct", "slow key")["check_execution_time"])
    assert hung.state == "UNKNOWN"
    assert re.search(NO_ANSWER, hung.text), hung.text
    assert HANG_TIMEOUT / 2 < took < GIVEN_UP_AFTER / 2
    assert lab.nagios.check("direct", "slow key").state == "OK"


def test_a_key_recovers(lab: Lab) -> None:
    """The check after a check-in is OK, with current perfdata."""
    with lab.account.silent(KEY, 4 * DAY):
        before = lab.nagios.check("direct", f"key {FINE}")
    recovered = lab.nagios.check("direct", f"key {FINE}")
    assert [(result.state, result.perfdata["stale"]) for result in (before, recovered)] == [
        ("WARNING", "1;;;0"),
        ("OK", "0;;;0"),
    ]


def test_scheduled_checks(lab: Lab) -> None:
    """Scheduled checks report a bad flag as WARNING, and its recovery as OK."""
    lab.nagios.wait_for("direct", "each second", "OK")
    lab.account.simulator.flags["xmlrpc"] = False
    broken = lab.nagios.wait_for("direct", "each second", "WARNING")
    lab.account.simulator.flags["xmlrpc"] = True
    assert "xmlrpc is false" in broken.text
    assert broken.perfdata["xmlrpc"] == "0;;;0"
    assert lab.nagios.wait_for("direct", "each second", "OK").perfdata["xmlrpc"] == "1;;;0"


def test_a_result_from_outside(lab: Lab) -> None:
    """Results from elsewhere can be submitted through the command file."""
    printed = run_plugin("check_cln_kernelcare", "--config", str(lab.account.config), "--key", LOST)
    perfdata = " ".join(f"{label}={value}" for label, value in printed.perfdata.items())
    output = "\\n".join([f"{printed.text} | {perfdata}", *printed.lines])
    code = STATES.index(printed.state)
    lab.nagios.tell(f"PROCESS_SERVICE_CHECK_RESULT;direct;from outside;{code};{output}")
    assert lab.nagios.wait_for("direct", "from outside", "CRITICAL") == as_nagios_has_it(printed)
    assert lab.nagios.status("direct", "from outside")["check_type"] == "1"
