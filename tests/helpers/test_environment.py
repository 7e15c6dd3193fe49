"""The environment of tests and of their programs does not depend on how the tests are started."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.helpers.environment import normalize
from tests.helpers.running import PATIENCE

pytestmark = pytest.mark.processes

_TOLD = """
import json, os, signal, subprocess, sys
child = "import json, os, signal; print(json.dumps([[int(s) for s in signal.valid_signals()" \\
    " if signal.getsignal(s) is signal.SIG_IGN], sorted(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, ())))," \\
    " os.umask(0), {k: v for k, v in os.environ.items() if not k.startswith('PYTHON') and k != 'LC_CTYPE'}]))"
from tests.helpers.environment import normalize
normalize()
done = subprocess.run([sys.executable, "-c", child], capture_output=True, text=True)
ignored, blocked, umask, environment = json.loads(done.stdout)
home = environment.pop("HOME")
assert environment.pop("TESTS_HOME") == home
print(json.dumps([ignored, blocked, umask, environment, os.path.isdir(home), home]))
"""


def environment_of_program(
    prepare: Callable[[], object] = lambda: None, environment: Mapping[str, str] = {}
) -> tuple[object, str]:
    """Return the environment of a program started by normalized tests, and its home directory."""
    bare = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", _TOLD],
        env=bare | dict(environment),
        preexec_fn=prepare,  # what a shell or a daemon does before it starts something
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    *found, home = json.loads(done.stdout)
    return found, home


def ignore_all() -> None:
    """Ignore all signals that can be ignored, as for a background job under nohup, and block the others."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM, signal.SIGALRM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGTERM, signal.SIGINT})


@pytest.mark.processes
@pytest.mark.parametrize(
    "prepare",
    [ignore_all, os.setsid, lambda: os.umask(0o777), lambda: os.close(0)],
    ids=["ignoring", "setsid", "umask", "stdin"],
)
def test_whatever_started_them(prepare: Callable[[], object]) -> None:
    """Signals, the session, the umask and a closed stdin do not affect the tests."""
    assert environment_of_program(prepare)[0] == environment_of_program()[0]


@pytest.mark.processes
@pytest.mark.parametrize(
    "environment",
    [
        {"LANG": "C", "LC_ALL": "C"},
        {"LC_ALL": "nowhere.UTF-8", "LANGUAGE": "de"},
        {"TERM": "xterm-256color", "COLUMNS": "20", "NO_COLOR": "1", "FORCE_COLOR": "1"},
        {"HOME": "/nowhere"},
        {"http_proxy": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "x"},
        {"TZ": "Asia/Kathmandu"},
        {"CLN_LOGIN": "somebody", "CLN_SECRET_KEY": "something"},
        {"NOTIFY_SOCKET": "/run/nobody", "LISTEN_FDS": "1", "STATE_DIRECTORY": "/nowhere", "WATCHDOG_USEC": "1000"},
        {"SSLKEYLOGFILE": "/nowhere/keys", "REQUESTS_CA_BUNDLE": "/nowhere.pem"},
    ],
    ids=lambda environment: next(iter(environment)),
)
def test_whatever_is_set(environment: dict[str, str]) -> None:
    """Variables of the shell, of a proxy or of systemd are not passed to programs of the tests."""
    assert environment_of_program(environment=environment)[0] == environment_of_program()[0]


@pytest.mark.processes
def test_home_is_removed_at_the_end() -> None:
    """The home directory belongs to one run and is removed at its end."""
    home = environment_of_program()[1]
    assert home != str(Path.home())
    assert not Path(home).exists()


def test_twice() -> None:
    """Normalizing twice has the same result, as each worker normalizes a normalized environment."""
    before = dict(os.environ)
    normalize()
    assert dict(os.environ) == before
