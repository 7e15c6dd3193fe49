"""Plugins as processes, and the rules that apply to every outcome."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.helpers.running import PATIENCE
from tests.helpers.small_cln import SECRETS

from .perfdata import Perfdata, parse_perfdata

PLUGINS = Path(__file__).parents[2] / "plugins"
STATES = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
PROXY_PASSWORD, EXPORTER_PASSWORD, API_TOKEN = "pr0xy|pl4nted pass", "exp0rter|pl4nted pass", "pl4nted-api-token"
MONITORING_KEY = "Pl4ntedMon1toringKey"
PLANTED = (*SECRETS, PROXY_PASSWORD, EXPORTER_PASSWORD, API_TOKEN, MONITORING_KEY)
"""Secrets that no plugin may print, at any verbosity."""

NAGIOS_CUTS_AT = 8192
"""Bytes of output that Nagios reads."""

_UNFIT = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Outcome:
    """The outcome of a plugin: the exit ``code``, its output, and its duration in ``seconds``."""

    code: int
    output: str
    seconds: float = 0.0

    @property
    def state(self) -> str:
        """The state for the exit code."""
        return STATES[self.code]

    @property
    def text(self) -> str:
        """The first line without state and perfdata."""
        return self.output.split("\n", 1)[0].split(" | ")[0].partition(" - ")[2]

    @property
    def lines(self) -> list[str]:
        """The lines after the first one."""
        return self.output.rstrip("\n").split("\n")[1:]

    @property
    def perfdata(self) -> Perfdata:
        """The perfdata of the first line, parsed strictly."""
        return parse_perfdata(self.output.split("\n", 1)[0].partition(" | ")[2])


def run_plugin(
    name: str,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    python: Sequence[str] = (sys.executable,),
) -> Outcome:
    """Return the outcome of the plugin ``name``; the rules of all outcomes are asserted here."""
    return run_command([*python, str(PLUGINS / name), *arguments], environment)


_HELD_UP = """
import sys, time
from cln_monitor.checks import entry
from cln_monitor.checks.plugin_exit import PluginExit
watch = PluginExit._watch
def watch_from_there(exit_, seconds):
    while not exit_.stage.startswith({stage!r}):
        time.sleep(0.01)
    watch(exit_, seconds)
PluginExit._watch = watch_from_there
PluginExit.left = property(lambda _: {left})
{more}
sys.argv = sys.argv[1:]
entry.run(sys.argv[0])
"""


def run_held_up(name: str, *arguments: str, stage: str, left: float = 1000.0, more: str = "") -> Outcome:
    """Return the outcome of a plugin whose --timeout counts from the ``stage`` on.

    ``left`` are the seconds left for requests; ``more`` is code that runs before the plugin.
    """
    script = _HELD_UP.format(stage=stage, left=left, more=more)
    return run_command([sys.executable, "-c", script, name, *arguments])


def run_command(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Outcome:
    """Return the outcome of a ``command`` that runs a plugin, without CLN variables in its ``environment``."""
    started = time.monotonic()
    done = subprocess.run(
        command,
        env=bare_environment() | dict(environment or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    seconds = time.monotonic() - started
    assert done.stderr == b"", done.stderr.decode(errors="replace")
    return checked(done.returncode, done.stdout, seconds, command)


def bare_environment() -> dict[str, str]:
    """Return the environment of the tests without the variables that plugins read."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CLN_")}


def checked(code: int, output: bytes, seconds: float, arguments: Sequence[str]) -> Outcome:
    """Return the outcome after asserting the rules that apply to all outcomes."""
    text = output.decode()
    shown = text[:2000]
    assert 0 <= code <= 3, (code, shown)
    assert len(output) < NAGIOS_CUTS_AT, len(output)
    assert text.endswith("\n"), shown
    assert not _UNFIT.search(text), shown
    first, *lines = text.rstrip("\n").split("\n")
    if first.startswith(("usage: ", "check_cln_", "register_cln_")):
        assert code == 3
    else:
        assert first.startswith(f"{STATES[code]} - "), (code, shown)
    assert first.count("|") <= 1, shown
    assert not any("|" in line for line in lines), shown
    if "-vvv" not in arguments:
        assert "Traceback" not in text, shown
    for secret in PLANTED:
        assert secret not in text, f"{secret} is shown: {shown}"
    outcome = Outcome(code, text, seconds)
    assert outcome.perfdata is not None
    return outcome
