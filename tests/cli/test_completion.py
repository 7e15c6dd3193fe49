"""Shell completion: the shell is a value of the option, and the installation only writes to the home directory."""

from __future__ import annotations

import importlib
import os
import shlex
import subprocess
from pathlib import Path

import pytest

from cln_monitor.cli import completion
from cln_monitor.cli.completion import Shell

from .inside import Outcome, checked, run
from .processes import CLNTOOL, environment, process

SHELLS = ["bash", "zsh", "fish", "powershell", "pwsh"]
CHOICES = "bash, zsh, fish, powershell or pwsh"
SCRIPTS = {
    "bash": "complete -o default -F _clntool_completion clntool",
    "zsh": "compdef _clntool_completion clntool",
    "fish": "complete --command clntool --no-files",
    "powershell": "Register-ArgumentCompleter -Native -CommandName clntool",
    "pwsh": "Register-ArgumentCompleter -Native -CommandName clntool",
}
INSTALLED = {
    "bash": (".bash_completions/clntool.sh", ".bashrc"),
    "zsh": (".zfunc/_clntool", ".zshrc"),
    "fish": (".config/fish/completions/clntool.fish", None),
    "powershell": (
        ".config/powershell/clntool_completion.ps1",
        ".config/powershell/Microsoft.PowerShell_profile.ps1",
    ),
    "pwsh": (".config/powershell/clntool_completion.ps1", ".config/powershell/Microsoft.PowerShell_profile.ps1"),
}
STARTED_BY = {
    "python": [],
    "sh": ["sh", "-c", '"$@"; exit $?', "sh"],
    "bash": ["bash", "-c", '"$@"; exit $?', "bash"],
    "env -i": ["env", "-i", "PATH=/usr/bin:/bin"],
    "setsid": ["setsid", "--wait"],
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty home directory."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    return home


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Return a PATH with a clntool."""
    script = tmp_path / "bin" / "clntool"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec {shlex.join(CLNTOOL)} "$@"\n')
    script.chmod(0o755)
    return f"{script.parent}:{os.environ['PATH']}"


def started_by(starter: str, *arguments: str) -> Outcome:
    """Return the outcome of clntool as a child of ``starter``, without a terminal and with an empty stdin."""
    done = subprocess.run(
        [*STARTED_BY[starter], *CLNTOOL, *arguments],
        env=environment(), stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=20, check=False,
    )  # fmt: skip
    return checked(done.returncode, done.stdout, done.stderr)


@pytest.mark.processes
@pytest.mark.parametrize("starter", STARTED_BY)
@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_the_shell_that_is_named(shell: str, starter: str) -> None:
    """The script is for the given shell, independent of the process that started clntool."""
    done = started_by(starter, "--show-completion", shell)
    assert (done.code, done.err) == (0, "")
    assert SCRIPTS[shell] in done.out


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("spelling", ["--show-completion {}", "--show-completion={}", "-o json --show-completion {}"])
def test_each_shell(spelling: str, shell: str) -> None:
    """Each shell has a script, printed to stdout only, for a separate value and after an equals sign."""
    done = run(*spelling.format(shell).split())
    assert (done.code, done.err) == (0, "")
    assert SCRIPTS[shell] in done.out
    assert done.out.endswith("\n")


@pytest.mark.parametrize("option", ["--show-completion", "--install-completion"])
@pytest.mark.parametrize("shell", ["tcsh", "BASH", "", "sh", "kernelcare"])
def test_an_unknown_shell(shell: str, option: str, home: Path) -> None:
    """An unsupported shell is a usage error that names the supported ones."""
    for spelling in ([option, shell], [f"{option}={shell}"]):
        done = run(*spelling)
        assert (done.code, done.out) == (2, "")
        for choice in SHELLS:
            assert f"'{choice}'" in done.err
        assert f"'{shell}'" in done.err
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("option", ["--show-completion", "--install-completion"])
@pytest.mark.parametrize("detected", [("sh", "/bin/sh"), ("tcsh", "/bin/tcsh"), OSError("no /proc"), TypeError("_")])
def test_no_shell_that_can_be_detected(
    detected: tuple[str, str] | Exception, option: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If no supported shell is detected, the error names the supported ones."""

    def detect_shell() -> tuple[str, str]:
        if isinstance(detected, Exception):
            raise detected
        return detected

    monkeypatch.setattr("shellingham.detect_shell", detect_shell)
    for arguments in ([option], [option, "-o", "json"], ["--output", "json", option]):
        done = run(*arguments)
        assert (done.code, done.out) == (2, "")
        problem = "cannot detect the shell" if isinstance(detected, Exception) else f"unsupported shell {detected[0]}"
        assert done.err == f"clntool: {problem}: use {option} with {CHOICES}\n"
    assert list(home.iterdir()) == []


@pytest.mark.processes
def test_the_shell_that_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a value, the script is for the shell that started clntool."""
    done = started_by("bash", "--show-completion")
    assert (done.code, done.err) == (0, "")
    assert SCRIPTS["bash"] in done.out
    monkeypatch.setattr("shellingham.detect_shell", lambda: ("fish", "/usr/bin/fish"))
    assert SCRIPTS["fish"] in run("--show-completion").out
    assert SCRIPTS["fish"] in run("--show-completion", "-o", "json").out


@pytest.mark.processes
def test_started_from_sh() -> None:
    """A plain sh, as in cron, gets an error that says to name a shell."""
    done = started_by("sh", "--show-completion")
    assert (done.code, done.out) == (2, "")
    assert done.err == f"clntool: unsupported shell sh: use --show-completion with {CHOICES}\n"


def test_a_value_of_another_option() -> None:
    """A value of another option or of a command is not taken for the option."""
    done = run("--config", "--show-completion", "status")
    assert (done.code, "--show-completion: " in done.err) == (2, True)
    done = run("--login", "x", "--secret-key-file", "/nowhere", "els", "keys", "create", "--note", "--show-completion")
    assert (done.code, "Missing option '--code'" in done.err) == (2, True)


@pytest.mark.processes
def test_completion_in_bash(path: str) -> None:
    """A bash that has sourced the script completes groups, commands, options and their values."""
    script = run("--show-completion", "bash").out
    for words, expected in (
        (["clntool", "kern"], ["kernelcare"]),
        (["clntool", "kernelcare", "servers", "re"], ["remove"]),
        (["clntool", "--show-completion", "f"], ["fish"]),
        (["clntool", "--show-comp"], ["--show-completion"]),
        (["clntool", "--output", "j"], ["json"]),
    ):
        asked = f"COMP_WORDS=({shlex.join(words)}) COMP_CWORD={len(words) - 1}; _clntool_completion clntool"
        shown = "printf '%s\\n' \"${COMPREPLY[@]}\"; complete -p clntool"
        done = subprocess.run(
            ["bash", "--norc", "--noprofile", "-c", f"{script}\n{asked}\n{shown}"],
            env=environment(PATH=path), capture_output=True, encoding="utf-8", timeout=20, check=False,
        )  # fmt: skip
        *offered, registered = done.stdout.splitlines()
        assert (offered, done.stderr) == (expected, "")
        assert registered == "complete -o default -F _clntool_completion clntool"


@pytest.mark.processes
@pytest.mark.parametrize(
    ("shell", "variables"),
    [("fish", {"_TYPER_COMPLETE_FISH_ACTION": "get-args"}), ("zsh", {}), ("pwsh", {"COLUMNS": "20"})],
)
def test_a_description_is_one_line(shell: str, variables: dict[str, str]) -> None:
    """The long description of an option is a single line, as each line is a completion."""
    asked = "clntool ip-licenses register --typ"
    more = {"_CLNTOOL_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_ARGS": asked}
    done = process(**more, _TYPER_COMPLETE_WORD_TO_COMPLETE="--typ", **variables)
    assert (done.code, done.err) == (0, "")
    (line,) = done.out.splitlines()
    assert "--type" in line
    assert "or the number of a newer type." in line


@pytest.mark.parametrize("shell", SHELLS)
def test_installing(shell: str, home: Path) -> None:
    """The script and the line that loads it are written to the home directory once, and both files are named."""
    script, startup = INSTALLED[shell]
    before = b"# mine, \xff and without an end of its line"
    if startup is not None:
        (home / startup).parent.mkdir(parents=True, exist_ok=True)
        (home / startup).write_bytes(before)
    for _ in range(2):
        done = run("--install-completion", shell)
        assert (done.code, done.err) == (0, "")
        written = [f"wrote {home / script}\n"]
        if startup is not None and _ == 0:
            written.append(f"added a line to {home / startup}\n")
        assert done.out == "".join(written) + f"{shell} completion installed; it takes effect in new shells\n"
        assert (home / script).read_text() == run("--show-completion", shell).out
    if startup is not None:
        content = (home / startup).read_bytes()
        assert content.startswith(before + b"\n")
        assert content.count(b"\n") == 2
        assert content.endswith(b"\n")
    files = {str(file.relative_to(home)) for file in home.rglob("*") if file.is_file()}
    assert files == {script, *([startup] if startup else [])}


@pytest.mark.processes
def test_installed_in_bash(home: Path, path: str) -> None:
    """An interactive bash that starts after the installation has the completion."""
    home = home / "it's a home"
    home.mkdir()
    done = process("--install-completion", "bash", HOME=str(home))
    assert (done.code, done.err) == (0, "")
    shown = subprocess.run(
        ["bash", "--rcfile", str(home / ".bashrc"), "-i", "-c", "complete -p clntool"],
        env=environment(PATH=path, HOME=str(home)), stdin=subprocess.DEVNULL, start_new_session=True,
        capture_output=True, encoding="utf-8", timeout=20, check=False,
    )  # fmt: skip
    assert shown.stdout == "complete -o default -F _clntool_completion clntool\n", shown.stderr


@pytest.mark.parametrize("value", [None, "", "relative", "/nowhere/at/all"])
def test_no_home(value: str | None, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a home directory, nothing is written, and the error names HOME."""
    monkeypatch.chdir(home)
    if value is None:
        monkeypatch.delenv("HOME")
    else:
        monkeypatch.setenv("HOME", value)
    done = run("--install-completion", "bash")
    assert (done.code, done.out) == (3, "")
    problem = f"HOME is {value!r}, which is not a directory" if value else "HOME is not set"
    if value == "relative":
        problem = "HOME is 'relative', which is not an absolute path"
    assert done.err == f"clntool: cannot install bash completion: {problem}\n"
    assert list(home.iterdir()) == []


def test_a_home_that_cannot_be_written(home: Path) -> None:
    """If a file is in the way, the error names the path, and no startup file is changed."""
    (home / ".bash_completions").write_text("a file")
    done = run("--install-completion", "bash")
    assert (done.code, done.out) == (3, "")
    assert done.err == f"clntool: cannot install bash completion: {home}/.bash_completions: File exists\n"
    assert not (home / ".bashrc").exists()
    (home / ".bash_completions").unlink()
    (home / ".bashrc").mkdir()
    done = run("--install-completion", "bash")
    assert (done.code, done.err) == (
        3,
        f"clntool: cannot install bash completion: {home}/.bashrc: Is a directory\n",
    )


def test_a_read_only_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only home directory is named in the error."""
    monkeypatch.setenv("HOME", "/proc")
    done = run("--install-completion", "fish")
    assert (done.code, done.out) == (3, "")
    assert done.err.startswith("clntool: cannot install fish completion: /proc/.config: ")


@pytest.mark.parametrize("link", [".bashrc", ".bash_completions"])
def test_a_link_out_of_the_home(link: str, home: Path, tmp_path: Path) -> None:
    """A symbolic link that leads out of the home directory is not followed."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    target = elsewhere / "bashrc" if link == ".bashrc" else elsewhere
    (home / link).symlink_to(target)
    done = run("--install-completion", "bash")
    assert (done.code, done.out) == (3, "")
    named = home / (link if link == ".bashrc" else f"{link}/clntool.sh")
    assert done.err == f"clntool: cannot install bash completion: {named} is outside of {home}\n"
    assert list(elsewhere.iterdir()) == []
    assert [file.name for file in home.iterdir()] == [link]


def test_links_in_a_loop(home: Path) -> None:
    """A loop of symbolic links is named in the error."""
    (home / ".bashrc").symlink_to(".bashrc")
    done = run("--install-completion", "bash")
    assert (done.code, done.out) == (3, "")
    assert done.err.startswith("clntool: cannot install bash completion: ")
    assert f"{home}/.bashrc" in done.err


def test_a_link_within_the_home(home: Path) -> None:
    """A startup file that is a link within the home directory stays a link."""
    (home / "dotfiles").mkdir()
    (home / "dotfiles" / "bashrc").write_text("# mine\n")
    (home / ".bashrc").symlink_to("dotfiles/bashrc")
    assert run("--install-completion", "bash").code == 0
    assert (home / ".bashrc").is_symlink()
    assert (home / "dotfiles" / "bashrc").read_text() == f"# mine\nsource '{home}/.bash_completions/clntool.sh'\n"


def test_shells_of_typer() -> None:
    """The supported shells are those of typer's scripts, and each has paths."""
    shells = importlib.import_module("typer.completion").Shells
    assert [shell.value for shell in Shell] == [shell.value for shell in shells]
    assert set(completion._PLACES) == set(Shell)
