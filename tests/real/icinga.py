"""A real Icinga 2 with generated configuration files, controlled through its REST API."""

from __future__ import annotations

import base64
import contextlib
import grp
import json
import os
import pwd
import signal
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.helpers import servers
from tests.helpers.running import PATIENCE, Program, free_port, wait_until
from tests.real.watched import ENVIRONMENT, Result, result

_ASK_AGAIN = 5.0  # seconds: Icinga forgets a request for a check that is running at that moment
_DIRECTORIES = {
    "ConfigDir": "etc",
    "DataDir": "data",
    "LogDir": "log",
    "CacheDir": "cache",
    "SpoolDir": "spool",
    "InitRunDir": "run",
}
PASSWORD = "of-this-test-alone"
"""The password of the API user ``tests``."""

_MAIN = """\
const NodeName = "lab"
const ZoneName = NodeName
const PluginDir = "/usr/lib/nagios/plugins"
include <itl>
object Endpoint NodeName {{ }}
object Zone ZoneName {{ endpoints = [ NodeName ] }}
object CheckerComponent "checker" {{ }}
object ApiUser "tests" {{ password = "{password}"; permissions = [ "*" ] }}
{more}
"""


class IcingaDirectory:
    """A directory with all files of Icinga, and the configuration ``text``, which can include more files.

    Icinga runs as the current user: user ``nagios`` can access neither pytest's directories nor, usually, the Python of
    the tests. Running Icinga as root is no risk here: it listens on loopback only, with a password, and runs the
    plugins of this checkout.
    """

    def __init__(self, directory: Path, text: str) -> None:
        self.directory = directory
        for name in _DIRECTORIES.values():
            (directory / name).mkdir(parents=True)
        self.main = directory / "etc" / "icinga2.conf"
        self.main.write_text(_MAIN.format(password=PASSWORD, more=text))
        self.environment = ENVIRONMENT | {
            "ICINGA2_USER": pwd.getpwuid(os.getuid()).pw_name,
            "ICINGA2_GROUP": grp.getgrgid(os.getgid()).gr_name,
        }

    def command(self, *arguments: str) -> list[str]:
        """Return a command of Icinga for this directory."""
        defined = [f"-D{name}={self.directory / directory}" for name, directory in _DIRECTORIES.items()]
        return [servers.path("icinga2"), *arguments, *defined]

    def daemon(self, *arguments: str) -> list[str]:
        """Return the command of the daemon."""
        return self.command("daemon", "--config", str(self.main), *arguments)

    def run(self, command: Sequence[str]) -> tuple[int, str]:
        """Run a command that terminates, and return its exit code and output."""
        done = subprocess.run(
            command,
            env=os.environ | self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PATIENCE,
            check=False,
        )
        return done.returncode, done.stdout.decode()


def _make_certificates(place: IcingaDirectory, clients: Sequence[str]) -> Path:
    """Make the certificates of Icinga and ``clients``, and return the file of their authority."""
    certificates = place.directory / "data" / "certs"
    certificates.mkdir()
    commands: list[tuple[str, ...]] = [("new-ca",)] if clients else []
    for name in ("lab", *clients):
        key, certificate, request = (str(certificates / f"{name}.{suffix}") for suffix in ("key", "crt", "csr"))
        if clients:
            commands += [("new-cert", "--cn", name, "--key", key, "--csr", request)]
            commands += [("sign-csr", "--csr", request, "--cert", certificate)]
        else:
            commands += [("new-cert", "--cn", name, "--key", key, "--cert", certificate)]
    for command in commands:
        code, output = place.run(place.command("pki", *command))
        assert code == 0, output
    # Without an authority, the certificate has signed itself.
    authority = place.directory / "data" / "ca" / "ca.crt" if clients else certificates / "lab.crt"
    ca_file = certificates / "ca.crt"
    ca_file.write_bytes(authority.read_bytes())
    return ca_file


def verify(directory: Path, text: str) -> tuple[int, str]:
    """Return the exit code and the output of Icinga's validation of the configuration ``text``."""
    place = IcingaDirectory(directory, text)
    return place.run(place.daemon("--validate"))


class Icinga(Program):
    """Runs the configuration ``text``; all files are in ``directory``.

    ``ca_file`` is the authority of its certificate for the name ``lab``: the certificate itself, or Icinga's own
    authority if ``clients`` are given. They are the names of client certificates, ``NAME.crt`` and ``NAME.key`` beside
    it. ``url`` is the root of the API, in which the user ``tests`` may do everything.
    """

    def __init__(self, directory: Path, text: str, *, clients: Sequence[str] = ()) -> None:
        port = free_port()
        listener = f'object ApiListener "api" {{ bind_host = "127.0.0.1"; bind_port = {port} }}\n'
        self._place = place = IcingaDirectory(directory, listener + text)
        self.ca_file = _make_certificates(place, clients)
        context = ssl.create_default_context(cafile=self.ca_file)
        context.check_hostname = False  # it names the node, and we call an address
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # not a valid CA, which newer Pythons refuse
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        self.url = f"https://127.0.0.1:{port}"
        self.start()

    def start(self) -> None:
        """Start it, also again after it was stopped, and wait until it runs."""
        super().__init__(self._place.daemon(), self._place.directory / "icinga.out", self._place.environment)
        try:
            self.wait_for_log("Activated all objects")
        except BaseException:
            self.stop()
            raise

    def ask(self, path: str, document: object = None) -> list[dict[str, Any]]:
        """Return the results at ``path``; a ``document`` is sent with POST."""
        request = urllib.request.Request(f"{self.url}/v1{path}")
        request.add_header("Authorization", "Basic " + base64.b64encode(f"tests:{PASSWORD}".encode()).decode())
        request.add_header("Accept", "application/json")
        if document is not None:
            request.data = json.dumps(document).encode()
        with self._opener.open(request, timeout=PATIENCE) as response:
            results: list[dict[str, Any]] = json.load(response)["results"]
            return results

    def stop(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Stop it; the worker process would outlive the started one if that had to be killed."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children")
        workers = children.read_text().split() if children.exists() else []
        ended = super().stop(how)
        if ended[0] == -signal.SIGKILL:
            for worker in workers:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(worker), signal.SIGKILL)
        return ended

    def services(self) -> dict[str, dict[str, Any]]:
        """Return the attributes of all services by name, ``host!service``."""
        return {service["name"]: service["attrs"] for service in self.ask("/objects/services")}

    def last_check(self, name: str) -> dict[str, Any]:
        """Return the result of the last check of a service; empty before the first."""
        (service,) = self.ask(f"/objects/services/{name}?attrs=last_check_result")
        return service["attrs"]["last_check_result"] or {}

    def check_all(self) -> None:
        """Check all services now and wait for the results; otherwise the first checks take a while."""
        everything = {"type": "Service", "filter": "service.enable_active_checks", "force": True}
        self.ask("/actions/reschedule-check", everything)

        def look() -> bool:
            active = [service for service in self.services().values() if service["enable_active_checks"]]
            return all(service["last_check_result"] for service in active)

        wait_until(look, "a check of each service, in Icinga")

    def check(self, name: str) -> Result:
        """Check a service now, and return the result."""
        since = time.time()
        asked = float("-inf")

        def look() -> dict[str, Any]:
            nonlocal asked
            if time.monotonic() - asked > _ASK_AGAIN:
                self.ask("/actions/reschedule-check", {"type": "Service", "service": name, "force": True})
                asked = time.monotonic()
            check = self.last_check(name)
            return check if check and check["execution_start"] >= since else {}

        return result_of(wait_until(look, f"a check of {name}, in Icinga"))

    def wait_for(self, name: str, state: str) -> Result:
        """Return the result of a service once it has the ``state``."""

        def look() -> dict[str, Any]:
            check = self.last_check(name)
            return check if check and result_of(check).state == state else {}

        return result_of(wait_until(look, f"{name} to be {state}, in Icinga"))

    def parsed_perfdata(self, name: str) -> dict[str, dict[str, Any]]:
        """Return the perfdata of the last check as parsed by Icinga, by label."""
        host, service = name.split("!")
        perfdata = f'get_service("{host}", "{service}").last_check_result.performance_data'
        (answer,) = self.ask("/console/execute-script", {"command": f"{perfdata}.map(parse_performance_data)"})
        return {metric["label"]: metric for metric in answer["result"]}


def result_of(check: dict[str, Any]) -> Result:
    """Return the result of a check stored by Icinga."""
    return result(int(check["state"]), check["output"], " ".join(check["performance_data"]))
