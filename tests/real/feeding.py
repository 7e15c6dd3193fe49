"""The exporter of the demo, cln-feed, and monitoring cores that have the same services fed and active."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from cln_monitor.feed.result import FeedResult
from tests.helpers.running import Exporter, Program, free_port, wait_until
from tests.real.icinga import PASSWORD, Icinga, result_of
from tests.real.nagios import Nagios
from tests.real.watched import PLUGINS, STATES, Result

CHECKS = (
    *("status", "kernelcare", "imunify", "patch_status", "ip_licenses", "els", "awp", "cloudlinux", "eportal", "cve"),
    "exporter",
)
"""The checks: there is a service with the name of each on the hosts ``fed`` and ``active``."""

_INTERVAL = 5  # seconds
_PATIENCE = 120.0
_MACROS = {"USER1": "/usr/lib/nagios/plugins", "USER5": str(PLUGINS)}

_CONFIG = """\
exporter: http://{address}
interval: {interval}s
sinks:
{sinks}
services:
{services}
"""
_ICINGA_SINK = """\
  icinga2:
    url: {url}
    username: tests
    password_file: icinga.password
    ca_file: {ca_file}
    tls_server_name: lab
"""
_NAGIOS_SINK = """\
  nagios: {{command_file: {command_file}}}
"""
_ICINGA = """\
const ClnPluginDir = "{plugins}"
include "{plugins}/icinga2/cln-commands.conf"
object Host "fed" {{ check_command = "dummy" }}
object Host "active" {{ check_command = "dummy"; vars.cln_exporter = "http://{address}" }}
{active}
include "{definitions}"
"""
_ICINGA_ACTIVE = """\
object Service "{check}" {{
  host_name = "active"
  check_command = "cln_{check}"
  check_interval = 1h
  max_check_attempts = 1
}}
"""
_NAGIOS_HOST = """\
define host {{
    use                   generic-host
    host_name             {host}
    active_checks_enabled 0
    max_check_attempts    1
}}
"""
_NAGIOS_ACTIVE = """\
define service {{
    use                 generic-service
    host_name           active
    service_description {check}
    check_command       check_cln_{check}!--exporter http://{address}
    check_interval      60
    max_check_attempts  1
}}
"""


class IcingaCore:
    """An Icinga whose objects are in ``directory``; they include those of ``cln-feed definitions icinga2``."""

    name = "icinga2"

    def __init__(self, directory: Path, address: str, definitions: str) -> None:
        directory.mkdir()
        file = directory / "feed.conf"
        file.write_text(definitions, encoding="utf-8")
        active = "".join(_ICINGA_ACTIVE.format(check=check) for check in CHECKS)
        text = _ICINGA.format(plugins=PLUGINS, address=address, active=active, definitions=file)
        self.program = Icinga(directory, text)

    @property
    def sink(self) -> str:
        """The settings of its sink."""
        return _ICINGA_SINK.format(url=self.program.url, ca_file=self.program.ca_file)

    def fed(self, check: str) -> Result | None:
        """Return the result of cln-feed, None before the first one."""
        last = self.program.last_check(f"fed!{check}")
        return result_of(last) if last else None

    def check(self, check: str) -> Result:
        """Run the active check now, and return its result."""
        return self.program.check(f"active!{check}")


def fed(host: str, service: str, printed: Result) -> FeedResult:
    """Return what the plugin for KernelCare printed, as a result for a service of ``host``."""
    perfdata = " ".join(f"{label}={value}" for label, value in printed.perfdata.items())
    output = "\n".join([printed.text, *printed.lines])
    return FeedResult(host, service, STATES.index(printed.state), output, perfdata, "check_cln_kernelcare")


class NagiosCore:
    """A Nagios whose objects are in ``directory``, among them those of ``cln-feed definitions nagios``."""

    name = "nagios"

    def __init__(self, directory: Path, address: str, definitions: str) -> None:
        directory.mkdir()
        file, own = directory / "feed.cfg", directory / "own.cfg"
        file.write_text(definitions, encoding="utf-8")
        hosts = "".join(_NAGIOS_HOST.format(host=host) for host in ("fed", "active"))
        own.write_text(hosts + "".join(_NAGIOS_ACTIVE.format(check=check, address=address) for check in CHECKS))
        self.program = Nagios(directory, [PLUGINS / "nagios" / "cln-commands.cfg", own, file], _MACROS)

    @property
    def sink(self) -> str:
        """The settings of its sink."""
        return _NAGIOS_SINK.format(command_file=self.program.command_file)

    def fed(self, check: str) -> Result | None:
        """Return the result of cln-feed, None before the first one."""
        return self.program.result("fed", check)

    def check(self, check: str) -> Result:
        """Run the active check now, and return its result."""
        return self.program.check("active", check)


class Feed(Program):
    """A running ``cln-feed``."""

    def __init__(self, config: Path) -> None:
        self._config = config
        self.start()

    def start(self) -> None:
        """Start it, also again after it was stopped."""
        super().__init__(_feed(self._config), self._config.with_name("feed.log"))
        self.wait_for_log("msg=feeding")


class Lab:
    """All programs, which can be killed and started again; their files are in ``directory``."""

    def __init__(self, directory: Path, kinds: Sequence[type[IcingaCore | NagiosCore]]) -> None:
        self._directory = directory
        self._address = f"127.0.0.1:{free_port()}"
        self._running = contextlib.ExitStack()
        self.cores: dict[str, IcingaCore | NagiosCore] = {}
        try:
            self._start_exporter()
            (directory / "icinga.password").write_text(PASSWORD)
            config = directory / "cln-feed.yml"
            self._write_config(config, f"  checkmk: {{spool_directory: {directory}}}\n")  # there is no core yet
            for kind in kinds:
                definitions = run_feed(config, "definitions", kind.name)
                core = kind(directory / kind.name, self._address, definitions)
                self._running.callback(core.program.stop)
                self.cores[kind.name] = core
            self._write_config(config, "".join(core.sink for core in self.cores.values()))
            assert run_feed(config, "--check").splitlines() == [
                f"{name}: ok, {len(CHECKS)} services" for name in self.cores
            ]
            self._feed = Feed(config)
            self._running.callback(self._feed.stop)
            self.wait_for_results()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop all programs."""
        self._running.close()

    def _write_config(self, file: Path, sinks: str) -> None:
        entry = "  - {{host: fed, service: {check}, check: check_cln_{check}}}"
        services = "\n".join(entry.format(check=check) for check in CHECKS)
        file.write_text(_CONFIG.format(address=self._address, interval=_INTERVAL, sinks=sinks, services=services))

    def _start_exporter(self) -> None:
        self._exporter = Exporter(self._directory / "exporter.log", "--demo", address=self._address)
        self._running.callback(self._exporter.stop)
        self._exporter.wait_ready()

    def kill(self, name: str) -> None:
        """Kill the ``exporter``, the ``feed``, or all ``cores``."""
        programs: dict[str, list[Program]] = {
            "exporter": [self._exporter],
            "feed": [self._feed],
            "cores": [core.program for core in self.cores.values()],
        }
        for program in programs[name]:
            program.stop(signal.SIGKILL)

    def start(self, name: str) -> None:
        """Start again what was killed."""
        if name == "exporter":
            self._start_exporter()
        elif name == "feed":
            self._feed.start()
        else:
            for core in self.cores.values():
                core.program.start()

    def wait_for(self, look: Callable[[str, Result], bool], description: str) -> None:
        """Wait until the results of cln-feed in all cores are as ``look`` expects them of each check."""
        others: list[Result | None] = []

        def all_are() -> bool:
            results = [(check, core.fed(check)) for check in CHECKS for core in self.cores.values()]
            others[:] = [result for check, result in results if result is None or not look(check, result)]
            return not others

        try:
            wait_until(all_are, description, _PATIENCE)
        except AssertionError as error:
            raise AssertionError(f"{error}; others: {others}") from None

    def wait_for_results(self) -> None:
        """Wait until all cores have a result of a check for each service."""
        self.wait_for(lambda _, result: bool(result.perfdata), "the results of all checks")

    def compare(self, check: str) -> None:
        """Wait until the result of cln-feed is that of the active check, in each core."""
        self.wait_for_results()
        for core in self.cores.values():

            def are_same(core: IcingaCore | NagiosCore = core) -> bool:
                active, fed = core.check(check), core.fed(check)
                return fed is not None and active.lasting == fed.lasting

            wait_until(are_same, f"the same result of {check} by both, in {core.name}", _PATIENCE)

    def kill_and_recover(self, order: str) -> None:
        """Kill the programs in ``order``, and start them again; each time wait for what that should lead to."""
        self.wait_for_results()
        running = {"exporter", "feed", "cores"}
        for name in order.split():
            self.kill(name)
            running.remove(name)
            if running >= {"feed", "cores"}:
                self.wait_for(_is_unreadable, "the reason why the exporter cannot be read")
            if name == "feed" and "cores" in running:
                self.wait_for(_is_silent, "UNKNOWN by freshness")
        for name in order.split():
            self.start(name)
        self.wait_for_results()


@contextlib.contextmanager
def running_lab(directory: Path, *kinds: type[IcingaCore | NagiosCore]) -> Iterator[Lab]:
    """Run all programs, with these cores."""
    lab = Lab(directory, kinds)
    try:
        yield lab
    finally:
        lab.stop()


def run_feed(config: Path, *arguments: str) -> str:
    """Return the output of a ``cln-feed`` that ends."""
    done = subprocess.run([*_feed(config), *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _feed(config: Path) -> list[str]:
    return [sys.executable, "-m", "cln_monitor.feed", f"--config.file={config}"]


def _is_unreadable(check: str, result: Result) -> bool:
    """Return whether a result says that the exporter could not be read; for its own check that is CRITICAL."""
    state = "CRITICAL" if check == "exporter" else "UNKNOWN"
    return result.state == state and "the exporter at" in result.text


def _is_silent(_: str, result: Result) -> bool:
    """Return whether a result is that of the check of freshness."""
    return result.state == "UNKNOWN" and "no result from cln-feed" in result.text
