"""A real Nagios over object files, with what a test may ask it and tell it."""

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


def write_main(folder: Path, objects: Sequence[Path], macros: Mapping[str, str]) -> Path:
    """Write the main file of a Nagios that reads ``objects`` beside the stock ones, and return its path.

    It runs as whoever runs the tests: user ``nagios`` may enter neither pytest's folders, nor, as a rule, the home in
    which the tests' Python lies. Nagios as root is no risk here: it listens nowhere, and runs the plugins of this
    checkout alone.
    """
    state = folder / "var"
    (state / "checkresults").mkdir(parents=True)
    resources = folder / "resource.cfg"
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
        "enable_notifications=0",
        "retain_state_information=0",
        "check_for_updates=0",
        "use_syslog=0",
    ]
    main = folder / "nagios.cfg"
    main.write_text("\n".join([*lines, ""]))
    return main


def verify(main: Path) -> tuple[int, str]:
    """Return with what code Nagios ends that only reads its files, and what it says about them."""
    done = subprocess.run(
        [servers.path("nagios4"), "-v", str(main)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout.decode()


class Nagios(Program):
    """Runs what is defined in ``objects``; all of its files lie in ``folder``."""

    def __init__(self, folder: Path, objects: Sequence[Path], macros: Mapping[str, str]) -> None:
        main = write_main(folder, objects, macros)
        self._state = folder / "var"
        super().__init__([servers.path("nagios4"), str(main)], folder / "nagios.out", ENVIRONMENT)
        try:
            self.wait_for_log("Successfully launched command file worker")
        except BaseException:
            self.stop()
            raise

    def tell(self, command: str) -> None:
        """Write a command into its command file."""
        pipe = os.open(self._state / "nagios.cmd", os.O_WRONLY | os.O_NONBLOCK)  # without a reader it is an error
        with os.fdopen(pipe, "w", encoding="utf-8") as file:
            file.write(f"[{time.time():.0f}] {command}\n")

    def statuses(self) -> dict[tuple[str, str], dict[str, str]]:
        """Return what it knows of the services, by host and description, in the names of ``status.dat``."""
        try:
            text = (self._state / "status.dat").read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        blocks = [dict(line.strip().split("=", 1) for line in block.splitlines()) for block in _SERVICE.findall(text)]
        return {(block["host_name"], block["service_description"]): block for block in blocks}

    def status(self, host: str, service: str) -> dict[str, str]:
        """Return what it knows of a service; nothing before its first check."""
        fields = self.statuses().get((host, service), {})
        return fields if fields.get("has_been_checked") == "1" else {}

    def wait_for_first_checks(self) -> None:
        """Return once it has checked each service that it checks by itself: it begins with all of them at once."""

        def look() -> bool:
            statuses = self.statuses().values()
            active = [fields["has_been_checked"] for fields in statuses if fields["active_checks_enabled"] == "1"]
            return bool(active) and set(active) == {"1"}

        wait_until(look, "the first check of each service, in Nagios")

    def result(self, host: str, service: str) -> Result | None:
        """Return the last result of a service, None before its first check."""
        return _result(self.status(host, service))

    def wait_for(self, host: str, service: str, state: str) -> Result:
        """Return the result of a service once it has that ``state``."""

        def look() -> Result | None:
            seen = self.result(host, service)
            return seen if seen and seen.state == state else None

        return _there(wait_until(look, f"{service} of {host} to be {state}, in Nagios"))

    def check(self, host: str, service: str) -> Result:
        """Let it check a service now, and return the result."""
        at = int(time.time()) + 1  # it tells the time of a check in whole seconds
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


def _there(seen: Result | None) -> Result:
    assert seen is not None
    return seen
