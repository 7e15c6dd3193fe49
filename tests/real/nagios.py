"""A real Nagios with generated object files, controlled through its command file."""

from __future__ import annotations

import grp
import os
import pwd
import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.helpers import servers
from tests.helpers.running import Program, wait_until
from tests.real.watched import ENVIRONMENT, Result, result

STOCK = Path("/etc/nagios4/objects")
"""The objects that Debian's Nagios comes with."""

_STOCK_FILES = ("commands.cfg", "contacts.cfg", "timeperiods.cfg", "templates.cfg")
_SERVICE = re.compile(r"^servicestatus \{\n(.*?)^\t\}", re.MULTILINE | re.DOTALL)


def write_main(directory: Path, objects: Sequence[Path], macros: Mapping[str, str]) -> Path:
    """Write the main file of a Nagios that reads ``objects`` and the stock ones, and return its path.

    It runs as the current user: user ``nagios`` can access neither pytest's directories nor, usually, the Python of the
    tests. Running Nagios as root is no risk here: it does not listen, and runs only the plugins of this checkout.
    """
    state = directory / "var"
    (state / "checkresults").mkdir(parents=True)
    resources = directory / "resource.cfg"
    resources.write_text("".join(f"${name}$={value}\n" for name, value in macros.items()))
    lines = [
        *(f"cfg_file={file}" for file in [*(STOCK / name for name in _STOCK_FILES), *objects]),
        f"resource_file={resources}",
        *(
            f"{name}={state / file}"
            for name, file in {
                "log_file": "nagios.log",
                "status_file": "status.dat",
                "object_cache_file": "objects.cache",
                "precached_object_file": "objects.precache",
                "state_retention_file": "retention.dat",
                "temp_file": "nagios.tmp",
                "temp_path": "",
                "check_result_path": "checkresults",
                "lock_file": "nagios.lock",
                "command_file": "nagios.cmd",
                "query_socket": "nagios.qh",
            }.items()
        ),
        f"nagios_user={pwd.getpwuid(os.getuid()).pw_name}",
        f"nagios_group={grp.getgrgid(os.getgid()).gr_name}",
        "illegal_macro_output_chars=`~$&|'\"<>",  # as it is shipped
        "service_inter_check_delay_method=n",  # all first checks at once
        "status_update_interval=1",
        "check_workers=2",
        "check_external_commands=1",
        "service_check_timeout=60",
        "service_freshness_check_interval=1",
        "additional_freshness_latency=0",
        "enable_notifications=0",
        "retain_state_information=0",
        "check_for_updates=0",
        "use_syslog=0",
    ]
    main = directory / "nagios.cfg"
    main.write_text("\n".join([*lines, ""]))
    return main


def verify(main: Path) -> tuple[int, str]:
    """Return the exit code and the output of Nagios' validation of its files."""
    done = subprocess.run(
        [servers.path("nagios4"), "-v", str(main)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout.decode()


class Nagios(Program):
    """Runs ``objects``; all files are in ``directory``."""

    def __init__(self, directory: Path, objects: Sequence[Path], macros: Mapping[str, str]) -> None:
        self._main = write_main(directory, objects, macros)
        self._state = directory / "var"
        self.command_file = self._state / "nagios.cmd"
        self.start()

    def start(self) -> None:
        """Start it, also again after it was stopped, and wait until it reads commands."""
        log_file = self._main.with_name("nagios.out")
        super().__init__([servers.path("nagios4"), str(self._main)], log_file, ENVIRONMENT)
        try:
            self.wait_for_log("Successfully launched command file worker")
            wait_until(self._reads_commands, "a process that reads the commands of Nagios")
        except BaseException:
            self.stop()
            raise

    def _reads_commands(self) -> bool:
        # The worker opens the file a moment after its start.
        try:
            os.close(os.open(self.command_file, os.O_WRONLY | os.O_NONBLOCK))
        except OSError:
            return False
        return True

    def tell(self, command: str) -> None:
        """Write a command to its command file."""
        pipe = os.open(self.command_file, os.O_WRONLY | os.O_NONBLOCK)  # without a reader it is an error
        with os.fdopen(pipe, "w", encoding="utf-8") as file:
            file.write(f"[{time.time():.0f}] {command}\n")

    def statuses(self) -> dict[tuple[str, str], dict[str, str]]:
        """Return the status of all services by host and description, with the names in ``status.dat``."""
        try:
            text = (self._state / "status.dat").read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        blocks = [dict(line.strip().split("=", 1) for line in block.splitlines()) for block in _SERVICE.findall(text)]
        return {(block["host_name"], block["service_description"]): block for block in blocks}

    def status(self, host: str, service: str) -> dict[str, str]:
        """Return the status of a service; empty before its first check."""
        fields = self.statuses().get((host, service), {})
        return fields if fields.get("has_been_checked") == "1" else {}

    def wait_for_first_checks(self) -> None:
        """Wait until each active service has been checked: Nagios starts with all of them at once."""

        def look() -> bool:
            statuses = self.statuses().values()
            active = [fields["has_been_checked"] for fields in statuses if fields["active_checks_enabled"] == "1"]
            return bool(active) and set(active) == {"1"}

        wait_until(look, "the first check of each service, in Nagios")

    def result(self, host: str, service: str) -> Result | None:
        """Return the last result of a service, or None before its first check."""
        return _result(self.status(host, service))

    def wait_for(self, host: str, service: str, state: str) -> Result:
        """Return the result of a service once it has the ``state``."""

        def look() -> Result | None:
            result = self.result(host, service)
            return result if result and result.state == state else None

        return _there(wait_until(look, f"{service} of {host} to be {state}, in Nagios"))

    def check(self, host: str, service: str) -> Result:
        """Check a service now, and return the result."""
        at = int(time.time()) + 1  # the time of a check has whole seconds
        self.tell(f"SCHEDULE_FORCED_SVC_CHECK;{host};{service};{at}")

        def look() -> Result | None:
            fields = self.status(host, service)
            return _result(fields) if fields and int(fields["last_check"]) >= at else None

        return _there(wait_until(look, f"a check of {service} of {host}, in Nagios"))


def _result(fields: Mapping[str, str]) -> Result | None:
    if not fields:
        return None
    lines = fields["long_plugin_output"].replace("\\n", "\n")
    output = f"{fields['plugin_output']}\n{lines}"
    return result(int(fields["current_state"]), output, fields["performance_data"])


def _there(result: Result | None) -> Result:
    assert result is not None
    return result
