"""Global options, wrong usage, errors, and clntool as a process."""

from __future__ import annotations

import gc
import json
import re
import subprocess
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from cln_monitor.cli import main as main_module
from cln_monitor.simulator import Fault
from tests.helpers.running import PATIENCE
from tests.helpers.streams import unwritable, without

from .account import LOGIN, PROXY_PASSWORD, SECRET_KEY, Cln
from .commands import ALL, OF_THEIR_OWN
from .inside import ask, run, run_unchecked
from .processes import CLNTOOL, process


@pytest.mark.parametrize(
    "spelled",
    [
        ("--config", "{config}", "--account", "acme", "--output", "json"),
        ("--config={config}", "--account=acme", "--output=json"),
        ("-C", "{config}", "-a", "acme", "-o", "json"),
        ("-C{config}", "-aacme", "-ojson"),
        ("-o", "json", "--login", LOGIN, "--secret-key-file", "{secret}", "--api-url", "{url}"),
        ("--secret-key-file={secret}", f"--login={LOGIN}", "--api-url={url}", "-ojson"),
    ],
)
def test_global_options(spelled: tuple[str, ...], cln: Cln) -> None:
    """The global options are accepted in each notation."""
    secret = str(cln.config.with_name("acme.secret"))
    options = [option.format(config=cln.config, secret=secret, url=cln.url) for option in spelled]
    outcome = run(*options, "groups", "list")
    assert outcome.code == 0, outcome
    assert outcome.json == [{"name": "web", "description": "all that must be up"}]


def test_garbage_collection(cln: Cln) -> None:
    """A start is without garbage collection, as its imports leave none, and a command is with it."""
    was = []

    def hold(*_: object) -> list[object]:
        was.append(gc.isenabled())
        return []

    gc.disable()
    try:
        with mock.patch("cln_monitor.cln.groups.Groups.groups", hold):
            assert run("--help").code == 0
            assert not gc.isenabled()
            assert run("-C", str(cln.config), "groups", "list").code == 0
    finally:
        gc.enable()
    assert was == [True]


def test_variables(cln: Cln, monkeypatch: pytest.MonkeyPatch) -> None:
    """The login and the secret key are read from the environment."""
    monkeypatch.setenv("CLN_LOGIN", LOGIN)
    monkeypatch.setenv("CLN_SECRET_KEY", SECRET_KEY)
    assert run("--api-url", cln.url, "groups", "list").code == 0


@pytest.mark.parametrize(
    "spelled",
    [
        "groups list -C {config} -a acme -o json",
        "groups -C {config} -a acme -o json list",
        "-o csv groups -o table -C /nowhere list -o json -C {config}",
        "groups list --config={config} --account=acme --output=json",
        "-o csv groups list -ojson -C{config}",
        "-C /nowhere -a nobody groups list -a acme -o json -C {config}",
    ],
)
def test_options_after_the_command(spelled: str, cln: Cln) -> None:
    """--config, --account and --output are also accepted after groups and commands; the last one wins."""
    outcome = run(*spelled.format(config=cln.config).split())
    assert outcome.code == 0, outcome
    assert outcome.json == [{"name": "web", "description": "all that must be up"}]


def test_each_command_takes_the_common_options() -> None:
    """Every command accepts --config, --account and --output."""

    def leaves(command: Any) -> list[Any]:
        below = getattr(command, "commands", None)
        return [command] if below is None else [leaf for child in below.values() for leaf in leaves(child)]

    for command in leaves(main_module.command()):
        options = {name for param in command.params for name in param.opts}
        assert options >= {"--config", "-C", "--account", "-a", "--output", "-o"}, command.name


@pytest.mark.parametrize("option", ["--config", "--account"])
def test_a_blank_option_behind_a_command(option: str, cln: Cln) -> None:
    """A blank option after a command is refused."""
    outcome = ask(cln, "groups", "list", option, " ")
    assert (outcome.code, cln.sent()) == (2, [])
    assert outcome.err == f"clntool: {option} must not be empty; set a value or omit the option\n"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((), "Usage: clntool"),
        (("kernelcare",), "Usage: clntool kernelcare"),
        (("kernelcare", "keys"), "Usage: clntool kernelcare keys"),
        (("awp",), "Usage: clntool awp"),
        (("nope",), "clntool: No such command 'nope'; see clntool --help"),
        (("kernelcare", "kes"), "No such command 'kes'. Did you mean 'keys'?; see clntool kernelcare --help"),
        (("no\x1b[31mpe",), "No such command"),
        (("--nope", "status"), "No such option: --nope"),
        (("groups", "list", "--login", "x"), "No such option: --login"),
        (("-o", "yaml", "status"), "'--output' / '-o': 'yaml' is not one of 'table', 'json'"),
        (("status", "more"), "unexpected extra argument"),
        (("imunify", "servers", "convert", "im-1"), "Missing argument 'NEW_KEY'"),
        (("groups", "servers", "add", "web"), "Missing argument 'ID'"),
        (("kernelcare", "keys", "set-cidr", "K"), "Missing argument 'CIDR'"),
        (("ip-licenses", "servers"), "Missing argument 'IP'"),
        (("ip-licenses", "update", "192.0.2.1"), "Missing option '--els-allowed'"),
        (("ip-licenses", "register", "192.0.2.1"), "Missing option '--type'"),
        (("kernelcare", "keys", "create"), "Missing option '--limit'"),
        (("kernelcare", "patch-status"), "use either --key KEY or --reseller"),
        (("kernelcare", "patch-status", "--key", "K", "--reseller"), "use either --key KEY or --reseller"),
        (("-a", "other", "groups", "list"), "--account: unknown account other; known accounts: acme"),
        *(
            (
                (option, empty, "groups", "list"),
                f"clntool: {option} must not be empty; set a value or omit the option\n",
            )
            for option in ("--config", "--account", "--login", "--secret-key-file", "--api-url", "--proxy")
            for empty in ("", " ")
        ),
        (("-a", "", "groups", "list"), "clntool: --account must not be empty;"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], text: str, cln: Cln) -> None:
    """Wrong usage is reported on stderr and exits with 2, and nothing is sent."""
    outcome = ask(cln, *arguments)
    assert (outcome.code, outcome.out, cln.sent()) == (2, "", [])
    assert text in outcome.err
    assert "\x1b" not in outcome.err


@pytest.mark.parametrize("arguments", [("-h",), ("--help",), ("kernelcare", "-h"), ("els", "keys", "create", "--help")])
def test_help(arguments: tuple[str, ...]) -> None:
    """Requested help exits with 0."""
    outcome = run(*arguments)
    assert (outcome.code, outcome.err) == (0, "")
    assert "Usage: clntool" in outcome.out


def test_help_shows_no_types() -> None:
    """The help shows no type names."""
    outcome = run("groups", "servers", "add", "--help")
    assert "Usage: clntool groups servers add [OPTIONS] NAME ID..." in outcome.out
    for command in ("ip-licenses update", "servers prune", "groups servers add", ""):
        shown = run(*command.split(), "--help").out
        assert not re.search(r"<bool>|<str>|<list|[{}]", shown), shown


def test_version() -> None:
    """--version prints the version of the package."""
    assert run("--version").out.startswith("clntool ")


def test_no_configuration(cln: Cln, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an account, or with a broken configuration, a command exits with 2 and sends nothing."""
    monkeypatch.setattr("cln_monitor.config.selection.DEFAULT_CONFIG", tmp_path / "none.yml")
    broken = tmp_path / "broken.yml"
    broken.write_text(f"accounts: [{{name: a, login: b, secret_key: {SECRET_KEY}, nope: 1}}]\ntimeout: -1s\n")
    for command in ALL[::4]:
        for options in ((), ("-C", str(tmp_path / "none.yml")), ("-C", str(broken))):
            if not options and ("status" in command.typed or "monitoring-key" in command.typed):
                continue  # asks the CLN of all
            outcome = run(*options, *command.arguments)
            assert (outcome.code, outcome.out) == (2, ""), command.typed
            assert outcome.err.count("\n") == 1
    assert cln.sent() == []


def test_status_plain(cln: Cln) -> None:
    """If /status.json has no valid response, /status.plain is read."""
    cln.simulator.faults.add(Fault("html", "/status.json"))
    assert ask(cln, "status").code == 0
    assert [path for _, path, _ in cln.sent()] == ["/status.json", "/status.plain"]


def test_proxy(cln: Cln) -> None:
    """An unreachable proxy is reported without its password."""
    outcome = ask(cln, "--proxy", f"http://me:{PROXY_PASSWORD}@127.0.0.1:9", "groups", "list")
    assert outcome.code == 3
    for wrong in (f"htp://me:{PROXY_PASSWORD}@h", f"http://me:{PROXY_PASSWORD}@h:x"):
        assert run("--login", "a", "--secret-key-file", "b", "--proxy", wrong, "groups", "list").code == 2


def test_internal_error(cln: Cln) -> None:
    """An internal error is reported in one line, without a traceback and without secrets."""
    for error in (KeyError(SECRET_KEY), ValueError(f"token={SECRET_KEY}\n\x1b[31m"), RuntimeError("x")):
        with mock.patch("cln_monitor.cln.groups.GroupReads.groups", side_effect=error):
            code, out, err = run_unchecked("-C", str(cln.config), "groups", "list")
        assert (code, out) == (3, "")
        assert err.startswith(f"clntool: internal error, please report it: {type(error).__name__}: ")
        assert err.count("\n") == 1
        assert SECRET_KEY not in err
        assert "\x1b" not in err


def test_file_that_cannot_be_read(cln: Cln) -> None:
    """An error of the operating system is reported in its own words."""
    with mock.patch("cln_monitor.cln.groups.GroupReads.groups", side_effect=OSError(28, "No space left on device")):
        outcome = ask(cln, "groups", "list")
    assert (outcome.code, outcome.err) == (3, "clntool: output: No space left on device\n")


def test_every_command_is_here() -> None:
    """The tables of these tests have every command that queries CLN."""

    def leaves(command: Any, path: str) -> list[str]:
        below = getattr(command, "commands", None)
        if below is None:
            return [path]
        return [leaf for name, child in below.items() for leaf in leaves(child, f"{path} {name}".strip())]

    apart = {"simulate", "check config", "files", *OF_THEIR_OWN}  # these query nothing, or have their own tests
    there = {leaf for leaf in leaves(main_module.command(), "") if leaf not in apart}
    assert {leaf for leaf in there if not any(f"{command.typed} ".startswith(f"{leaf} ") for command in ALL)} == set()
    assert len(there) > 30, "the commands are looked for in the wrong place"


@pytest.mark.measured
@pytest.mark.processes
def test_as_a_process(cln: Cln) -> None:
    """The entry point sets the exit code and separates stdout from stderr."""
    done = process("-C", str(cln.config), "-o", "json", "groups", "list")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out)
    refused = process("-C", str(cln.config), "groups", "servers", "list", "none")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith("clntool: reading /group/servers/list.json at ")
    assert process("nope").code == 2


@pytest.mark.processes
def test_in_another_locale(cln: Cln) -> None:
    """Characters that the locale does not support cause no error."""
    for environment in ({"LC_ALL": "C"}, {"PYTHONIOENCODING": "latin-1"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}):
        done = process("-C", str(cln.config), "kernelcare", "keys", "list", **environment)
        assert (done.code, done.err) == (0, "")
        assert KEY_LINE in done.out


KEY_LINE = "[red]x[/red]| [31m"


@pytest.mark.processes
def test_closed_stdout(cln: Cln) -> None:
    """A reader that closes stdout, as head does, causes no error, and changes are made."""
    shell = f"{' '.join(map(_quoted, CLNTOOL))} -C {cln.config}"
    listing = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{shell} kernelcare servers list | head -1"],
        capture_output=True, encoding="utf-8", timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert (listing.returncode, listing.stderr) == (0, "")
    assert listing.stdout.count("\n") == 1
    closed = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{shell} -o json kernelcare keys create --limit 1 --yes | true"],
        capture_output=True, encoding="utf-8", timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert (closed.returncode, closed.stderr) == (0, "created a KernelCare key\n")
    full = subprocess.run(
        ["bash", "-c", f"{shell} kernelcare keys list > /dev/full"],
        capture_output=True, encoding="utf-8", timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert (full.returncode, full.stderr) == (3, "clntool: output: No space left on device\n")


@pytest.mark.processes
@pytest.mark.parametrize("closed", [{1}, {2}, {0, 1, 2}], ids=str)
@pytest.mark.parametrize("kind", ["read", "change", "refused", "usage"])
def test_without_standard_streams(kind: str, closed: set[int], cln: Cln) -> None:
    """A closed standard stream changes neither the exit code nor the result."""
    arguments, code = {
        "read": (("kernelcare", "servers", "list"), 0),
        "change": (("kernelcare", "keys", "create", "--limit", "1", "--yes"), 0),
        "refused": (("groups", "servers", "list", "none"), 1),
        "usage": (("nope",), 2),
    }[kind]
    done = subprocess.run(
        without(closed, [*CLNTOOL, "-C", str(cln.config), *arguments]),
        stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=20, check=False,
    )  # fmt: skip
    assert done.returncode == code, done
    assert "Traceback" not in done.stderr
    assert (done.stdout != "") == (code == 0 and 1 not in closed)


@pytest.mark.processes
@pytest.mark.parametrize("how", ["full", "gone"])
def test_unwritable_stderr(how: str, cln: Cln) -> None:
    """An unwritable stderr changes neither the result nor the exit code."""
    for arguments, code in (
        (("kernelcare", "keys", "create", "--limit", "1", "--yes"), 0),
        (("groups", "servers", "list", "none"), 1),
        (("nope",), 2),
    ):
        with unwritable(how) as file:
            done = subprocess.run(
                [*CLNTOOL, "-C", str(cln.config), *arguments],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=file, timeout=20, check=False,
            )  # fmt: skip
        assert done.returncode == code


@pytest.mark.processes
@pytest.mark.parametrize("arguments", [("--version",), ("--help",), ("status",), ("check", "config", "")], ids=str)
def test_full_stdout(arguments: tuple[str, ...], cln: Cln) -> None:
    """Output that cannot be written is reported in one line."""
    with unwritable("full") as file:
        done = subprocess.run(
            [*CLNTOOL, "-C", str(cln.config), *(argument or str(cln.config) for argument in arguments)],
            stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.PIPE, encoding="utf-8", timeout=20, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (3, "clntool: output: No space left on device\n")


@pytest.mark.measured
@pytest.mark.processes
def test_a_question_without_stdin(cln: Cln) -> None:
    """A change is not made if stdin is closed."""
    done = subprocess.run(
        without({0}, [*CLNTOOL, "-C", str(cln.config), "kernelcare", "keys", "create", "--limit", "1"]),
        capture_output=True, encoding="utf-8", timeout=20, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert "--yes" in done.stderr
    assert "Traceback" not in done.stderr


def _quoted(text: str) -> str:
    return f"'{text}'"


@pytest.mark.measured
@pytest.mark.processes
def test_completion() -> None:
    """A shell gets its completion script, which completes commands."""
    done = process("--show-completion", "bash")
    assert done.code == 0
    assert "_CLNTOOL_COMPLETE=complete_bash" in done.out
    asked = process(_CLNTOOL_COMPLETE="complete_bash", COMP_WORDS="clntool kernelcare s", COMP_CWORD="2")
    assert asked.out.split() == ["servers"]
