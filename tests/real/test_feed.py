"""The exporter, cln-feed, Icinga 2 and Nagios together: as with active plugins, and each of them may end and return."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.helpers.running import Exporter, Program, free_port, wait_until
from tests.real.icinga import PASSWORD, Icinga, result_of
from tests.real.nagios import Nagios
from tests.real.watched import PLUGINS, Result

pytestmark = pytest.mark.needs_server("icinga2", "nagios4")

INTERVAL = 5
FRESHNESS = 3 * INTERVAL
CHECKS = ("status", "kernelcare", "imunify", "patch_status", "ip_licenses", "els", "awp", "exporter")
MACROS = {"USER1": "/usr/lib/nagios/plugins", "USER5": str(PLUGINS)}
PATIENCE = 120.0

CONFIG = """\
exporter: http://{address}
interval: {interval}s
sinks:
  icinga2:
    url: {url}
    username: tests
    password_file: icinga.password
    ca_file: {ca_file}
    tls_server_name: lab
  nagios: {{command_file: {command_file}}}
services:
{services}
"""
ICINGA = """\
const ClnPluginDir = "{plugins}"
include "{plugins}/icinga2/cln-commands.conf"
object Host "fed" {{ check_command = "dummy" }}
object Host "active" {{ check_command = "dummy"; vars.cln_exporter = "http://{address}" }}
{active}
include "{definitions}"
"""
ICINGA_ACTIVE = """\
object Service "{check}" {{
  host_name = "active"
  check_command = "cln_{check}"
  check_interval = 1h
  max_check_attempts = 1
}}
"""
NAGIOS_HOST = """\
define host {{
    use                   generic-host
    host_name             {host}
    active_checks_enabled 0
    max_check_attempts    1
}}
"""
NAGIOS_ACTIVE = """\
define service {{
    use                 generic-service
    host_name           active
    service_description {check}
    check_command       check_cln_{check}!--exporter http://{address}
    check_interval      60
    max_check_attempts  1
}}
"""


class Feed(Program):
    """A running ``cln-feed``."""

    def __init__(self, config: Path) -> None:
        self._config = config
        self.start()

    def start(self) -> None:
        """Start it, also again after it was stopped."""
        command = [sys.executable, "-m", "cln_monitor.feed", f"--config.file={self._config}"]
        super().__init__(command, self._config.with_name("feed.log"))
        self.wait_for_log("msg=feeding")


@dataclass
class Lab:
    """All programs, which can be killed and started again."""

    folder: Path
    address: str
    exporter: Exporter
    icinga: Icinga
    nagios: Nagios
    feed: Feed

    def kill(self, name: str) -> None:
        """Kill the ``exporter``, the ``feed``, or both of the ``cores``."""
        for program in self._programs(name):
            program.stop(signal.SIGKILL)

    def start(self, name: str) -> None:
        """Start again what was killed."""
        if name == "exporter":
            self.exporter = run_exporter(self.folder, self.address)
        for program in self._programs(name):
            if isinstance(program, Icinga | Nagios | Feed):
                program.start()

    def _programs(self, name: str) -> list[Program]:
        programs: dict[str, list[Program]] = {
            "exporter": [self.exporter],
            "feed": [self.feed],
            "cores": [self.icinga, self.nagios],
        }
        return programs[name]

    def fed(self, check: str) -> list[Result | None]:
        """Return the result of cln-feed in both cores, None before the first one."""
        last = self.icinga.last_check(f"fed!{check}")
        return [result_of(last) if last else None, self.nagios.result("fed", check)]

    def wait_for(self, look: Callable[[str, Result], bool], description: str) -> None:
        """Wait until the results of cln-feed in both cores are as ``look`` expects them of each check."""
        others: list[Result | None] = []

        def all_are() -> bool:
            results = [(check, result) for check in CHECKS for result in self.fed(check)]
            others[:] = [result for check, result in results if result is None or not look(check, result)]
            return not others

        try:
            wait_until(all_are, description, PATIENCE)
        except AssertionError as error:
            raise AssertionError(f"{error}; others: {others}") from None

    def wait_for_results(self) -> None:
        """Wait until both cores have a result of a check for each service."""
        self.wait_for(lambda _, result: bool(result.perfdata), "the results of all checks")


def run_exporter(folder: Path, address: str) -> Exporter:
    """Run an exporter of the demo at ``address``."""
    exporter = Exporter(folder / "exporter.log", "--demo", address=address)
    exporter.wait_ready()
    return exporter


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Yield all programs, which run until the last test."""
    folder = tmp_path_factory.mktemp("feed")
    address = f"127.0.0.1:{free_port()}"
    programs: list[Program] = []
    try:
        programs.append(exporter := run_exporter(folder, address))
        config = folder / "cln-feed.yml"
        (folder / "icinga.password").write_text(PASSWORD)
        icinga_folder, nagios_folder = folder / "icinga", folder / "nagios"
        for directory in (icinga_folder, nagios_folder):
            directory.mkdir()
        write_config(config, address, "https://127.0.0.1:1", folder / "icinga.password", folder / "nagios.cmd")
        definitions = {core: icinga_folder / f"{core}.objects" for core in ("icinga2", "nagios")}
        for core, file in definitions.items():
            file.write_text(run_feed(config, "definitions", core), encoding="utf-8")
        active = "".join(ICINGA_ACTIVE.format(check=check) for check in CHECKS)
        text = ICINGA.format(plugins=PLUGINS, address=address, active=active, definitions=definitions["icinga2"])
        programs.append(icinga := Icinga(icinga_folder, text))
        own = nagios_folder / "own.cfg"
        hosts = "".join(NAGIOS_HOST.format(host=host) for host in ("fed", "active"))
        own.write_text(hosts + "".join(NAGIOS_ACTIVE.format(check=check, address=address) for check in CHECKS))
        objects = nagios_folder / "fed.cfg"
        objects.write_bytes(definitions["nagios"].read_bytes())
        files = [PLUGINS / "nagios" / "cln-commands.cfg", own, objects]
        programs.append(nagios := Nagios(nagios_folder, files, MACROS))
        write_config(config, address, icinga.url, icinga.ca_file, nagios.command_file)
        assert run_feed(config, "--check").splitlines() == [
            f"{sink}: ok, {len(CHECKS)} services" for sink in ("icinga2", "nagios")
        ]
        programs.append(feed := Feed(config))
        lab = Lab(folder, address, exporter, icinga, nagios, feed)
        lab.wait_for_results()
        try:
            yield lab
        finally:
            programs[0] = lab.exporter
    finally:
        for program in programs:
            program.stop()


def write_config(file: Path, address: str, url: str, ca_file: Path, command_file: Path) -> None:
    """Write the configuration of the feed, with a service per check."""
    entry = "  - {{host: fed, service: {check}, check: check_cln_{check}}}"
    file.write_text(
        CONFIG.format(
            address=address,
            interval=INTERVAL,
            url=url,
            ca_file=ca_file,
            command_file=command_file,
            services="\n".join(entry.format(check=check) for check in CHECKS),
        )
    )


def run_feed(config: Path, *arguments: str) -> str:
    """Return the output of a ``cln-feed`` that ends."""
    command = [sys.executable, "-m", "cln_monitor.feed", f"--config.file={config}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("check", CHECKS)
def test_the_same_as_by_active_checks(lab: Lab, check: str) -> None:
    """State, output and perfdata of both cores' own checks with the plugin are those of cln-feed."""
    lab.wait_for_results()

    def in_icinga() -> bool:
        active = lab.icinga.check(f"active!{check}")
        fed, _ = lab.fed(check)
        return fed is not None and active.lasting == fed.lasting

    def in_nagios() -> bool:
        active = lab.nagios.check("active", check)
        _, fed = lab.fed(check)
        return fed is not None and active.lasting == fed.lasting

    wait_until(in_icinga, "the same result of both in Icinga", PATIENCE)
    wait_until(in_nagios, "the same result of both in Nagios", PATIENCE)


def unreadable(check: str, result: Result) -> bool:
    """Return whether a result says that the exporter could not be read; for its own check that is CRITICAL."""
    state = "CRITICAL" if check == "exporter" else "UNKNOWN"
    return result.state == state and "the exporter at" in result.text


def silent(_: str, result: Result) -> bool:
    """Return whether a result is that of the check of freshness."""
    return result.state == "UNKNOWN" and "no result from cln-feed" in result.text


@pytest.mark.parametrize("order", ["exporter feed cores", "cores feed exporter", "feed exporter cores"])
def test_what_ends_recovers(lab: Lab, order: str) -> None:
    """The end of the exporter is UNKNOWN with the reason, that of the feed by freshness; all recover on their own."""
    lab.wait_for_results()
    running = {"exporter", "feed", "cores"}
    for name in order.split():
        lab.kill(name)
        running.remove(name)
        if running >= {"feed", "cores"}:
            lab.wait_for(unreadable, "the reason why the exporter cannot be read")
        if name == "feed" and "cores" in running:
            lab.wait_for(silent, "UNKNOWN by freshness")
    for name in order.split():
        lab.start(name)
    lab.wait_for_results()
