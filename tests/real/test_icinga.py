"""A real Icinga 2 runs the plugins with the shipped definitions, and shows their results."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.helpers.small_cln import KEY
from tests.real.icinga import Icinga, result_of, verify
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
    Watched,
    run_plugin,
    watched,
)

pytestmark = pytest.mark.needs_server("icinga2")

COMMANDS, SERVICES = (PLUGINS / "icinga2" / name for name in ("cln-commands.conf", "cln-services.conf"))
SHIPPED = f'include "{COMMANDS}"\ninclude "{SERVICES}"\n'
CONSTANT = f'const ClnPluginDir = "{PLUGINS}"\n'
EXAMPLE = re.compile(r"^/\*\n(object Host .*?)^\*/$", re.MULTILINE | re.DOTALL)
KEYS = {FINE: "OK", SILENT: "WARNING", LOST: "CRITICAL", NONE_SUCH: "UNKNOWN"}

# A second account, asked without an exporter, with services of single keys and one that is checked each second.
OWN = """\
object Host "direct" {{
  check_command = "dummy"
  vars.cln_config = "{config}"
  vars.cln_checks = [ "status", "kernelcare", "imunify", "patch_status", "ip_licenses", "monitoring_key" ]
  vars.cln_monitoring_key_key_file = "{key_file}"
  {keys}
  vars.cln_keys["slow"] = {{ cln_kernelcare_key = "{slow}", cln_timeout = {timeout} }}
}}
object Host "bare" {{ check_command = "dummy" }}
object Service "each-second" {{
  import "cln-service"
  host_name = "direct"
  check_command = "cln_status"
  check_interval = 1s
  retry_interval = 1s
}}
object Service "from-outside" {{
  import "cln-service"
  host_name = "direct"
  check_command = "passive"
  enable_active_checks = false
}}
object Service "arguments" {{
  import "cln-service"
  host_name = "direct"
  check_command = "cln_kernelcare"
  vars.cln_verbose = 2
  vars.cln_kernelcare_key = [ "{slow}", "{fine}" ]
  vars.cln_kernelcare_ip = "198.51.100.9"
  vars.cln_kernelcare_limit_warning = 5
  vars.cln_unreachable_state = ""
}}
"""


def example() -> str:
    """Return the shipped example host."""
    found = EXAMPLE.search(SERVICES.read_text())
    assert found
    return found[1]


@dataclass(frozen=True)
class Lab:
    """The simulated account, and the Icinga that monitors it."""

    account: Watched
    icinga: Icinga


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Yield one lab for all tests."""
    folder = tmp_path_factory.mktemp("icinga")
    with watched(folder) as account:
        shown = example()
        assert shown.count("http://127.0.0.1:10099") == 1
        keys = "\n  ".join(
            f'vars.cln_keys["{state}"] = {{ cln_kernelcare_key = "{key}" }}' for key, state in KEYS.items()
        )
        own = OWN.format(
            config=account.config, key_file=account.key_file, keys=keys, slow=SLOW, fine=FINE, timeout=HANG_TIMEOUT
        )
        text = CONSTANT + SHIPPED + shown.replace("http://127.0.0.1:10099", account.exporter_url) + own
        icinga = Icinga(folder, text)
        try:
            icinga.check_all()
            yield Lab(account, icinga)
        finally:
            icinga.stop()


def test_the_shipped_files_are_accepted(tmp_path: Path) -> None:
    """Icinga accepts the shipped files, with and without the constant and example host."""
    for number, text in enumerate((SHIPPED, CONSTANT + SHIPPED, SHIPPED + example())):
        code, output = verify(tmp_path / str(number), text)
        assert code == 0, output
        assert "warning" not in output.replace("warning/ApplyRule", "")  # for a rule that matches no host
    assert "Instantiated 8 Services" in output


def test_a_command_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """Icinga rejects an unknown command, so that the test above can fail."""
    code, output = verify(tmp_path, SHIPPED + example().replace("cln_imunify", "cln_immunify", 1))
    assert code == 1
    assert "cln_immunify" in output


@pytest.mark.parametrize(("label", "state"), KEYS.items(), ids=KEYS.values())
def test_a_result_is_what_the_plugin_prints(lab: Lab, label: str, state: str) -> None:
    """State, first line, long output and perfdata are those of the plugin."""
    result = lab.icinga.wait_for(f"direct!cln-key-{state}", state)
    printed = run_plugin("check_cln_kernelcare", "--config", str(lab.account.config), "--key", label)
    assert result.lasting == printed.lasting
    assert result.text.startswith(f"{state} - ")


def test_the_perfdata_are_understood(lab: Lab) -> None:
    """Icinga parses values, units and thresholds as numbers."""
    lab.icinga.wait_for("direct!cln-key-WARNING", "WARNING")
    parsed = lab.icinga.parsed_perfdata("direct!cln-key-WARNING")
    usage, oldest = parsed["limit_usage"], parsed["oldest_checkin"]
    assert set(parsed) == FIGURES_OF_SERVERS
    assert [usage[name] for name in ("value", "unit", "warn", "crit", "min")] == [10, "percent", 90, 100, 0]
    assert [oldest[name] for name in ("unit", "warn", "crit", "min")] == ["seconds", 86400, None, 0]
    assert 2.5 * DAY <= oldest["value"] < 2.5 * DAY + 120  # CLN's dates have minutes only


@pytest.mark.parametrize("host", ["cln", "direct"])
@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("status", "OK"),
        ("kernelcare", "CRITICAL"),
        ("imunify", "OK"),
        ("patch-status", "WARNING"),
        ("ip-licenses", "OK"),
    ],
)
def test_a_shipped_service_of_each_account(lab: Lab, host: str, name: str, state: str) -> None:
    """A service has the same result from the exporter and from CLN."""
    result = lab.icinga.wait_for(f"{host}!cln-{name}", state)
    assert result.text.startswith(f"{state} - ")
    assert result.perfdata


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("cln!cln-exporter", r"OK - all \d+ probes .*"),
        ("direct!cln-monitoring-key", "OK - monitoring key Moni-[0-9a-f]{8} is registered .*"),
        ("cln!cln-key-web", rf"OK - .*{FINE} at 10% \(1/10\)"),
        ("cln!cln-key-mail", r"OK - 1 Imunify server, .*"),
    ],
)
def test_a_shipped_service_of_some_hosts(lab: Lab, name: str, text: str) -> None:
    """A service of a key finds it by its label."""
    assert re.fullmatch(text, lab.icinga.wait_for(name, "OK").text)


def test_a_host_gets_what_it_asks_for(lab: Lab) -> None:
    """A host has only the services that it configures."""
    names = [name.split("!") for name in lab.icinga.services()]
    assert {name for host, name in names if host == "cln"} == {
        *("cln-status", "cln-kernelcare", "cln-imunify", "cln-patch-status", "cln-ip-licenses", "cln-exporter"),
        *("cln-key-web", "cln-key-mail"),
    }
    assert not [name for host, name in names if host == "bare"]


def test_arguments(lab: Lab) -> None:
    """A list is passed as several arguments, -v as letters, and no license key as an argument."""
    result = lab.icinga.wait_for("direct!arguments", "UNKNOWN")
    command = lab.icinga.last_check("direct!arguments")["command"]
    expected = ["--config", str(lab.account.config), "--ip", "198.51.100.9", "--key", SLOW, "--key", FINE]
    assert command[0] == str(PLUGINS / "check_cln_kernelcare")
    assert command[1:] == [*expected, "--limit-warning", "5", "--unreachable-state", "", "-vv"]
    assert "--unreachable-state" in result.text


def test_a_hang_is_ended_by_the_plugin(lab: Lab) -> None:
    """With a hanging CLN, -t ends the plugin as UNKNOWN, before Icinga would."""
    with lab.account.hanging():
        hung = lab.icinga.check("direct!cln-key-slow")
        check = lab.icinga.last_check("direct!cln-key-slow")
    assert hung.state == "UNKNOWN"
    assert re.search(NO_ANSWER, hung.text), hung.text
    assert HANG_TIMEOUT / 2 < check["execution_end"] - check["execution_start"] < GIVEN_UP_AFTER / 2
    assert lab.icinga.check("direct!cln-key-slow").state == "OK"


def test_a_key_recovers(lab: Lab) -> None:
    """The check after a check-in is OK, with current perfdata."""
    with lab.account.silent(KEY, 4 * DAY):
        before = lab.icinga.check("direct!cln-key-OK")
    recovered = lab.icinga.check("direct!cln-key-OK")
    assert [(result.state, result.perfdata["stale"]) for result in (before, recovered)] == [
        ("WARNING", "1;;;0"),
        ("OK", "0;;;0"),
    ]


def test_scheduled_checks(lab: Lab) -> None:
    """Scheduled checks report a bad flag as WARNING, and its recovery as OK."""
    lab.icinga.wait_for("direct!each-second", "OK")
    lab.account.simulator.flags["xmlrpc"] = False
    broken = lab.icinga.wait_for("direct!each-second", "WARNING")
    lab.account.simulator.flags["xmlrpc"] = True
    assert "xmlrpc is false" in broken.text
    assert broken.perfdata["xmlrpc"] == "0;;;0"
    assert lab.icinga.wait_for("direct!each-second", "OK").perfdata["xmlrpc"] == "1;;;0"


def test_a_result_from_outside(lab: Lab) -> None:
    """Results from elsewhere can be submitted through the API, with long output and perfdata."""
    printed = run_plugin("check_cln_kernelcare", "--config", str(lab.account.config), "--key", LOST)
    (answer,) = lab.icinga.ask(
        "/actions/process-check-result",
        {
            "type": "Service",
            "service": "direct!from-outside",
            "exit_status": STATES.index(printed.state),
            "plugin_output": "\n".join([printed.text, *printed.lines]),
            "performance_data": [f"{label}={value}" for label, value in printed.perfdata.items()],
        },
    )
    assert answer["code"] == 200, answer
    check = lab.icinga.last_check("direct!from-outside")
    assert result_of(check) == printed
    assert not check["active"]
