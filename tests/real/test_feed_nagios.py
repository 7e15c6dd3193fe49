"""Results that cln-feed writes to a real Nagios are those of the active plugins; silence makes them UNKNOWN."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cln_monitor.feed.result import FeedResult
from cln_monitor.feed.sinks import Delivery, Outcome
from cln_monitor.feed.sinks.nagios import NagiosSink, Settings
from tests.helpers.running import wait_until
from tests.real.feeding import fed
from tests.real.nagios import Nagios
from tests.real.watched import FINE, LOST, NONE_SUCH, PLUGINS, SILENT, STATES, run_plugin, watched

pytestmark = pytest.mark.needs_server("nagios4")

DELIVERED = Outcome(Delivery.DELIVERED)
KEYS = {FINE: "OK", SILENT: "WARNING", LOST: "CRITICAL", NONE_SUCH: "UNKNOWN"}
ODD = 'WARNING - a;b "c" $d$ ¦ \U0001f600\nC:\\new \\\\ Über; and\nthe end'
ODD_PERFDATA = "'a b'=1s;10:20;@5;0;9 c=2%;90;100;0"
COMMANDS = PLUGINS / "nagios" / "cln-commands.cfg"
MACROS = {"USER1": "/usr/lib/nagios/plugins", "USER5": str(PLUGINS)}
MANY = 500

HOST = """\
define command {
    command_name  no_result
    command_line  $USER1$/check_dummy 3 "no result of cln-feed"
}
define host {
    use                 generic-host
    host_name           acme
    active_checks_enabled 0
    max_check_attempts  1
}
"""
ACTIVE = """\
define service {{
    use                    generic-service
    host_name              acme
    service_description    active {state}
    check_command          check_cln_kernelcare!--config {config} --key {key}
    check_interval         60
    max_check_attempts     1
}}
"""
FED = """\
define service {{
    use                    generic-service
    host_name              acme
    service_description    {name}
    check_command          no_result
    active_checks_enabled  0
    passive_checks_enabled 1
    check_freshness        {check}
    freshness_threshold    {seconds}
    max_check_attempts     1
}}
"""


@dataclass(frozen=True)
class Lab:
    """A Nagios with active services and services for results from outside."""

    config: Path
    nagios: Nagios

    @property
    def sink(self) -> NagiosSink:
        """A sink for its command file."""
        return NagiosSink(Settings(command_file=str(self.nagios.command_file)))

    def send(self, *results: FeedResult) -> list[Outcome]:
        """Send results of now."""
        return self.sink.send(results, now=time.time(), ttl=180.0)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Yield one lab for all tests."""
    folder = tmp_path_factory.mktemp("nagios")
    with watched(folder) as account:
        own = folder / "own.cfg"
        names = [*(f"fed {state}" for state in KEYS.values()), "odd", "long", "restart"]
        names += [f"many {number}" for number in range(MANY)]
        services = [ACTIVE.format(state=state, config=account.config, key=key) for key, state in KEYS.items()]
        services += [FED.format(name=name, check=0, seconds=0) for name in names]
        services += [FED.format(name="silent", check=1, seconds=3)]
        own.write_text(HOST + "".join(services))
        nagios = Nagios(folder, [COMMANDS, own], MACROS)
        try:
            yield Lab(account.config, nagios)
        finally:
            nagios.stop()


def short(service: str, state: int = 0) -> FeedResult:
    """Return a result with a short text."""
    return FeedResult("acme", service, state, f"{STATES[state]} - short", "a=1", "check_cln_status")


@pytest.mark.parametrize(("label", "state"), KEYS.items(), ids=KEYS.values())
def test_a_result_is_that_of_the_active_check(lab: Lab, label: str, state: str) -> None:
    """State, output and perfdata of a written result are those of Nagios' own check with the plugin."""
    active = lab.nagios.wait_for("acme", f"active {state}", state)
    printed = run_plugin("check_cln_kernelcare", "--config", str(lab.config), "--key", label)
    assert lab.send(fed("acme", f"fed {state}", printed)) == [DELIVERED]
    assert lab.nagios.wait_for("acme", f"fed {state}", state).lasting == active.lasting
    assert lab.nagios.status("acme", f"fed {state}")["check_type"] == "1"


def test_odd_texts(lab: Lab) -> None:
    """Backslashes, line ends and odd characters arrive; Nagios has colons for semicolons in the first line."""
    assert lab.send(FeedResult("acme", "odd", 1, ODD, ODD_PERFDATA, "check_cln_kernelcare")) == [DELIVERED]
    status = wait_until(lambda: lab.nagios.status("acme", "odd"), "the result in Nagios")
    first, _, rest = ODD.partition("\n")
    assert status["plugin_output"] == first.replace(";", ":")
    assert status["long_plugin_output"] == rest.replace("\\", "\\\\").replace("\n", "\\n")  # as the file escapes it
    assert status["performance_data"] == ODD_PERFDATA


def test_a_long_output(lab: Lab) -> None:
    """Of 9 KB as much arrives as a command can have, with all perfdata and the number of lines left out."""
    lines = [f"203.0.113.{number}: silent for {number}d é" for number in range(300)]
    output = "\n".join(["CRITICAL - many", *lines])
    perfdata = "servers=300;;;0 stale=300;;;0"
    assert len(output) > 9000
    assert lab.send(FeedResult("acme", "long", 2, output, perfdata, "check_cln_kernelcare")) == [DELIVERED]
    result = lab.nagios.wait_for("acme", "long", "CRITICAL")
    assert result.perfdata == {"servers": "300;;;0", "stale": "300;;;0"}
    *kept, last = result.lines
    assert kept == lines[: len(kept)]
    assert last == f"… and {300 - len(kept)} more"
    assert len(kept) > 80


def test_many_results(lab: Lab) -> None:
    """Results that need many times the room of a pipe are all processed."""
    output = "WARNING - many\n" + "\n".join(f"line {number} of the long output" for number in range(60))
    perfdata = "servers=1;;;0"
    results = [
        FeedResult("acme", f"many {number}", 1, output, perfdata, "check_cln_kernelcare") for number in range(MANY)
    ]
    assert lab.send(*results) == [DELIVERED] * MANY

    def are_there() -> bool:
        statuses = lab.nagios.statuses()
        return all(statuses["acme", f"many {number}"]["current_state"] == "1" for number in range(MANY))

    wait_until(are_there, "all results in Nagios")


def test_silence_becomes_unknown(lab: Lab) -> None:
    """Without a new result the service is UNKNOWN after its freshness threshold, and the next result ends that."""
    assert lab.send(short("silent")) == [DELIVERED]
    lab.nagios.wait_for("acme", "silent", "OK")
    assert lab.nagios.wait_for("acme", "silent", "UNKNOWN").text == "UNKNOWN: no result of cln-feed"
    assert lab.send(short("silent", 1)) == [DELIVERED]
    lab.nagios.wait_for("acme", "silent", "WARNING")


def test_check(lab: Lab) -> None:
    """The check of a command file that is read has no problem, and writes nothing."""
    log = lab.nagios.log
    assert lab.sink.check([short("restart")]) == []
    assert lab.nagios.log == log


def test_a_restart_of_nagios(lab: Lab) -> None:
    """While Nagios is away results fail, and the same sink delivers the next ones when it is back."""
    sink = lab.sink
    lab.nagios.stop()

    def fails() -> str:
        # The process that reads the commands ends a moment after that of Nagios.
        (outcome,) = sink.send([short("restart")], now=time.time(), ttl=180.0)
        return outcome.reason if outcome.delivery is Delivery.FAILED else ""

    assert wait_until(fails, "a failure").startswith(f"{lab.nagios.command_file}: ")
    lab.nagios.start()
    assert sink.send([short("restart", 2)], now=time.time(), ttl=180.0) == [DELIVERED]
    lab.nagios.wait_for("acme", "restart", "CRITICAL")
