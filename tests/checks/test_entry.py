"""Plugins as processes: each ends once, with one valid line on stdout and a code from 0 to 3."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cln_monitor.checks.registry import MODULES
from cln_monitor.simulator import Fault, Simulator, serve
from tests.helpers.running import PATIENCE, wait_until
from tests.helpers.small_cln import LOGIN, SECRET_KEY
from tests.helpers.streams import SUBSETS, unwritable, without

from .conftest import Cln
from .running import PLUGINS, STATES, bare_environment, checked, run_command, run_held_up, run_plugin

pytestmark = pytest.mark.processes


@pytest.mark.parametrize("name", MODULES)
def test_help_is_no_verdict(name: str) -> None:
    """-h prints the help and exits with 3, so that a core does not take it for OK."""
    outcome = run_plugin(name, "-h")
    assert outcome.code == 3
    assert outcome.output.startswith(f"usage: {name} ")
    assert "--timeout" in outcome.output


@pytest.mark.measured
def test_version_is_no_verdict() -> None:
    """-V prints the version and exits with 3."""
    outcome = run_plugin("check_cln_status", "-V")
    assert (outcome.code, outcome.output) == (3, "check_cln_status 0.1.0\n")


@pytest.mark.parametrize("name", MODULES)
def test_a_wrong_option_is_unknown(name: str) -> None:
    """An unknown option is UNKNOWN, while argparse would exit with 2 and print to stderr."""
    assert run_plugin(name, "--nonsense=x").output == "UNKNOWN - unknown option --nonsense; see --help\n"


@pytest.mark.measured
def test_without_cln_monitor() -> None:
    """A Python without cln-monitor, as after an upgrade of Python, is reported."""
    outcome = run_plugin("check_cln_status", python=(sys.executable, "-I", "-S"))
    assert outcome.output == (
        "UNKNOWN - cannot import cln_monitor: "
        "ModuleNotFoundError(\"No module named 'cln_monitor'\"); install it for this Python\n"
    )


@pytest.mark.parametrize(
    ("broken", "content", "told"),
    [
        ("cln_monitor/__init__.py", "def f(:\n", "cannot import cln_monitor: SyntaxError("),
        ("cln_monitor/__init__.py", "raise RuntimeError('a|b\\nc')\n", "RuntimeError('a/b\\nc')"),
        ("cln_monitor/__init__.py", "raise KeyboardInterrupt\n", "KeyboardInterrupt()"),
        ("nagiosplugin.py", "import no_such_module\n", "cannot import a module: No module"),
        ("nagiosplugin.py", "", "cannot import a module: cannot import name 'Range'"),
        ("nagiosplugin.py", "def f(:\n", "internal error while starting (use -vvv for the traceback): SyntaxError: "),
        ("argparse.py", "raise MemoryError\n", "out of memory"),
        ("requests.py", "raise ImportError('a|b\\nc')\n", "cannot import a module: a¦b c; reinstall cln-monitor"),
    ],
)
def test_a_broken_module(broken: str, content: str, told: str, tmp_path: Path) -> None:
    """A broken or missing module is reported on one line with the remedy."""
    file = tmp_path / broken
    file.parent.mkdir(exist_ok=True)
    file.write_text(content)
    outcome = run_plugin("check_cln_status", "--api-url=http://127.0.0.1:9", environment={"PYTHONPATH": str(tmp_path)})
    assert outcome.state == "UNKNOWN"
    assert told in outcome.output
    assert outcome.lines == []


@pytest.mark.measured
def test_a_broken_module_with_its_traceback(tmp_path: Path) -> None:
    """-vvv adds the traceback of an error before the options are parsed."""
    (tmp_path / "nagiosplugin.py").write_text("import no_such_module\n")
    outcome = run_plugin("check_cln_status", "-vvv", environment={"PYTHONPATH": str(tmp_path)})
    assert outcome.lines[0] == "Traceback (most recent call last):"
    assert outcome.lines[-1] == "ModuleNotFoundError: No module named 'no_such_module'"


_BUG = """
import sys
from cln_monitor.checks import entry
from cln_monitor.checks.plugins import status
def judge(*_):
    raise {error}
status.judge = judge
sys.argv = ["check_cln_status", *sys.argv[1:]]
entry.run("check_cln_status")
"""


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            "KeyError('a|b\\n\\u202e🚀')",
            "internal error while evaluating the result (use -vvv for the traceback): KeyError",
        ),
        ("RecursionError()", "(use -vvv for the traceback): RecursionError"),
        ("MemoryError()", "out of memory"),
        ("SystemExit(0)", "(use -vvv for the traceback): SystemExit: 0"),
        ("KeyboardInterrupt()", "interrupted"),
        ("GeneratorExit()", "(use -vvv for the traceback): GeneratorExit"),
    ],
)
def test_an_error_of_ours(error: str, told: str, cln: Cln) -> None:
    """An internal error is UNKNOWN on one line with the stage, and -vvv adds the traceback."""
    command = [sys.executable, "-c", _BUG.format(error=error), "--api-url", cln.url]
    outcome = run_command(command)
    assert outcome.state == "UNKNOWN"
    assert told in outcome.text
    assert outcome.lines == []
    if not error.startswith(("KeyError", "SystemExit")):
        return  # two are enough to see that the traceback is there
    loud = run_command([*command, "-vvv"])
    assert loud.text == outcome.text
    assert loud.lines[0] == "Traceback (most recent call last):"
    assert loud.lines[-1].startswith(error.partition("(")[0])


def test_an_error_in_a_thread_of_ours_or_a_log_says_nothing_on_stderr(cln: Cln) -> None:
    """An internal error of a probe leaves stderr empty."""
    bug = (
        "import sys\n"
        "from cln_monitor.checks import entry\n"
        "from cln_monitor.probes import status\n"
        "status._read = None\n"
        "entry.run('check_cln_status')\n"
    )
    outcome = run_command([sys.executable, "-W", "always", "-c", bug, "--api-url", cln.url])
    assert outcome.state == "UNKNOWN"
    assert "internal error; see the log, and please report it: TypeError" in outcome.text


@pytest.mark.parametrize("code", ["-h", "--nonsense", "fine"])
@pytest.mark.parametrize("output", ["closed", "gone", "full"])
def test_output_that_nobody_can_read(code: str, output: str, cln: Cln) -> None:
    """A plugin whose stdout cannot be written exits with 3."""
    arguments = ["--api-url", cln.url] if code == "fine" else [code]
    command = [sys.executable, str(PLUGINS / "check_cln_status"), *arguments]
    if output == "closed":
        done = subprocess.run(
            without({1}, command), env=bare_environment(), stderr=subprocess.PIPE, timeout=PATIENCE, check=False
        )
    else:
        with unwritable(output) as stdout:
            done = subprocess.run(
                command, env=bare_environment(), stdout=stdout, stderr=subprocess.PIPE, timeout=PATIENCE, check=False
            )
    assert (done.returncode, done.stderr) == (3, b"")


def test_a_verdict_stays_what_it_is_where_nobody_reads_it(cln: Cln) -> None:
    """A CRITICAL result keeps its code if stdout cannot be written."""
    command = [sys.executable, str(PLUGINS / "check_cln_kernelcare"), *cln.login, "-c", "1d"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, env=bare_environment(), stdout=full, timeout=PATIENCE, check=False)
    assert done.returncode == STATES.index("CRITICAL")


@pytest.mark.parametrize("closed", SUBSETS, ids=str)
def test_without_standard_streams(closed: set[int], cln: Cln) -> None:
    """A plugin works without standard streams and does not write its output into a connection."""
    done = subprocess.run(
        without(closed, [sys.executable, str(PLUGINS / "check_cln_status"), "--api-url", cln.url, "-vvv"]),
        env=bare_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        timeout=PATIENCE,
        check=False,
    )
    if 1 in closed:
        assert (done.returncode, done.stdout) == (3, b"")
    else:
        assert checked(done.returncode, done.stdout, 0, ()).state == "OK"
    assert [request.method for request in cln.simulator.requests] == ["GET"]


@pytest.mark.parametrize("closed", [{1}, {0, 1, 2}], ids=str)
def test_critical_without_standard_streams(closed: set[int], cln: Cln) -> None:
    """A CRITICAL result keeps its code without stdout."""
    command = [sys.executable, str(PLUGINS / "check_cln_kernelcare"), *cln.login, "-c", "1d"]
    done = subprocess.run(without(closed, command), env=bare_environment(), timeout=PATIENCE, check=False)
    assert done.returncode == STATES.index("CRITICAL")


@pytest.mark.measured
@pytest.mark.parametrize(
    ("how", "line"),
    [
        (signal.SIGINT, "UNKNOWN - interrupted"),
        (signal.SIGTERM, "UNKNOWN - terminated by SIGTERM while reading kernelcare from CLN at 127.0.0.1"),
    ],
)
def test_a_signal_ends_it_at_once(how: signal.Signals, line: str, cln: Cln) -> None:
    """A signal ends a plugin immediately, even while threads wait for CLN."""
    cln.simulator.faults.add(Fault("hang", "/kcare/key/servers.json"))
    process = subprocess.Popen(
        [sys.executable, str(PLUGINS / "check_cln_kernelcare"), *cln.login, "-t", "100"],
        env=bare_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    wait_until(lambda: len(cln.simulator.requests) == 3, "the calls that hang")
    now = time.monotonic()
    process.send_signal(how)
    output, errors = process.communicate(timeout=PATIENCE)
    outcome = checked(process.returncode, output, time.monotonic() - now, ())
    assert (outcome.output.startswith(line), outcome.lines, errors) == (True, [], b"")
    assert outcome.seconds < 30


@pytest.mark.parametrize("kind", ["hang", "drip", "drip_headers"])
def test_a_cln_that_does_not_come_to_an_end(kind: str, cln: Cln) -> None:
    """A slow or hanging CLN ends the check with the stage in the line."""
    cln.simulator.faults.add(Fault(kind) if kind == "hang" else Fault(kind, seconds=0.2))
    outcome = run_held_up("check_cln_kernelcare", *cln.login, "-t", "60", stage="reading kernelcare", left=3)
    assert outcome.state == "UNKNOWN"
    assert "reading /kcare/key/list.json at 127.0.0.1" in outcome.text
    assert "timed out after" in outcome.text  # so it was not the end of the process that ended it
    assert outcome.seconds < 50


@pytest.mark.parametrize(
    ("module", "function", "stage"),
    [
        ("socket", "getaddrinfo", "reading kernelcare from CLN at 127.0.0.1"),
        ("cln_monitor.config.load", "parse_config", "reading the configuration"),
    ],
)
def test_the_deadline_ends_what_knows_of_none(module: str, function: str, stage: str, cln: Cln) -> None:
    """The timeout ends blocked code, such as a resolver, with the stage in the line."""
    more = f"import {module}\n{module}.{function} = lambda *_, **__: time.sleep(100)"
    arguments = ("-C", str(cln.config), "-t", "0.5")
    outcome = run_held_up("check_cln_kernelcare", *arguments, stage=stage, more=more)
    assert outcome.state == "UNKNOWN"
    assert outcome.text.startswith(f"timed out after 0.5 s (-t/--timeout) while {stage}")
    assert 0.5 <= outcome.seconds < 50


HOSTILE = "web|1 🚀 'q' \"r\" a=b \x1b[31m\u202e"


@pytest.fixture(scope="module")
def hostile() -> Iterator[str]:
    """The API root of a CLN whose host names have characters that break plugin output."""
    simulator = Simulator(seed=1)
    account = simulator.add_account(LOGIN, SECRET_KEY)
    key = account.add_kernelcare_key("Hostile0Hostile0", limit=1, note=f"{HOSTILE}\n|")
    for name in (HOSTILE, f"second\n{HOSTILE}"):
        key.add_server(
            server_id=f"{name}1", ip=name, hostname=name, created=100_000, last_checkin=100_000, patch_state="outofdate"
        )
    with serve(simulator) as served:
        yield served.url


@pytest.mark.parametrize(
    "environment",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1:strict"},
        {"LC_ALL": "nowhere.UTF-8", "PYTHONWARNDEFAULTENCODING": "1", "PYTHONWARNINGS": "error", "PYTHONDEVMODE": "1"},
    ],
    ids=["C", "ascii", "ascii-io", "latin-1", "dev"],
)
def test_any_locale_and_any_name(environment: dict[str, str], hostile: str, tmp_path: Path) -> None:
    """Output is valid in any locale and for any name, with the same state."""
    secret = tmp_path / "secret"
    secret.write_text(SECRET_KEY)
    login = ("--login", LOGIN, "--secret-key-file", str(secret), "--api-url", hostile)
    done = subprocess.run(
        [sys.executable, str(PLUGINS / "check_cln_kernelcare"), *login, "-v"],
        env=bare_environment() | environment,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.stderr == b""
    text = done.stdout.decode("latin-1" if "latin-1" in str(environment) else "utf-8").encode()
    outcome = checked(done.returncode, text, 0, ())
    assert outcome.state == "WARNING"
    assert "2 of 2 KernelCare servers silent for over 30d and still billed: web" in outcome.text
    assert outcome.perfdata["stale"].value == 2
