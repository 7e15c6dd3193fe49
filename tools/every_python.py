"""Run the tests with every installed Python from 3.11 on, with the lowest and with the newest dependencies.

The tests are those of `make check`; with the newest dependencies also those that try many inputs. The Pythons are those
of PATH, /usr/bin, and pyenv, each full version once, and those of Debian 13 and testing if root can create root file
systems with mmdebstrap. All files are in build/pythons and are reused by the next run.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "build" / "pythons"
SUITES = ("trixie", "testing")
LEAST = (3, 11)
SELECTED = {"lowest": "not processes and not many_inputs", "newest": "not processes"}
"""By the dependencies: which tests are run."""
INSTALL_SECONDS, TEST_SECONDS = 600, 1200
SHOWN_LINES = 80

_NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "htmlcov", "node_modules")

# $1 is the root file system, in which the remaining arguments run; mounts and processes end with the command.
_CHROOT = """
set -eu
root=$1; shift
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
exec chroot "$root" "$@"
"""


_running: set[subprocess.Popen[bytes]] = set()
"""The commands that run now, each of them in a session of its own."""


class Python(NamedTuple):
    """An interpreter: its full version, its path, and its root file system; None for that of this machine."""

    version: str
    path: str
    root: Path | None = None

    @property
    def name(self) -> str:
        """The name in reports and files, such as `3.13.5-trixie`."""
        return self.version if self.root is None else f"{self.version}-{self.root.name}"

    @property
    def numbers(self) -> tuple[int, ...]:
        """The version as comparable numbers."""
        return tuple(map(int, self.version.split(".")))

    @property
    def minor(self) -> str:
        """The minor version, such as `3.13`."""
        return ".".join(self.version.split(".")[:2])

    @property
    def is_new_enough(self) -> bool:
        """Whether cln-monitor supports it."""
        return self.numbers >= LEAST


class StepFailedError(Exception):
    """A command failed; the message has its last lines."""


def run(command: Sequence[str], log: Path, seconds: float, root: Path | None = None) -> str:
    """Run `command`, in the root file system `root` if given, and return its output.

    Raises StepFailedError if it fails or takes longer than `seconds`.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment.pop("VIRTUAL_ENV", None)
    if root is not None:
        apart = ("unshare", "--mount", "--pid", "--fork", "--kill-child")
        work = ("sh", "-c", 'cd /src && exec "$@"', "-")
        command = [*apart, "sh", "-c", _CHROOT, "chroot", str(root), *work, *command]
        environment |= {"HOME": "/root", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
        environment.pop("TMPDIR", None)
    with log.open("ab") as output:
        begin = log.stat().st_size
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        _running.add(process)
        try:
            code: int | str = process.wait(seconds)
        except subprocess.TimeoutExpired:
            code = f"timed out after {seconds:.0f} s"
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            _running.discard(process)
    text = log.read_bytes()[begin:].decode(errors="replace")
    if code != 0:
        lines = "\n".join(text.splitlines()[-SHOWN_LINES:])
        raise StepFailedError(f"{' '.join(command[:3])} …: {code}\n{lines}")
    return text


def report(text: str) -> None:
    """Print a line immediately."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def version_of(path: str, root: Path | None = None) -> str | None:
    """Return the full version of an interpreter, or None if there is no working interpreter."""
    command = [path, "-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])"]
    if root is not None:
        command = ["chroot", str(root), *command]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def local_pythons() -> Iterator[Python]:
    """Find the interpreters of PATH and pyenv."""
    path = [*map(Path, os.environ.get("PATH", os.defpath).split(":")), Path("/usr/bin"), Path("/usr/local/bin")]
    shims = [directory for directory in path if directory.name == "shims"]
    beside_this = Path(sys.base_prefix).parent  # the pyenv directory of the Python that runs this
    versions = [
        Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions",
        *(directory.parent / "versions" for directory in shims),
        *([beside_this] if beside_this.name == "versions" else []),
    ]
    of_pyenv = [directory for parent in dict.fromkeys(versions) for directory in sorted(parent.glob("*/bin"))]
    for directory in [*(directory for directory in path if directory not in shims), *of_pyenv]:
        for file in sorted(directory.glob("python3*")):
            if re.fullmatch(r"python3(\.\d+)?", file.name) and (version := version_of(str(file))):
                yield Python(version, str(file.resolve()))


def debian_pythons() -> Iterator[Python]:
    """Create the root file systems of Debian if possible, and find their Python."""
    if os.getuid() != 0 or shutil.which("mmdebstrap") is None:
        report("no root file systems of Debian: they require root and mmdebstrap")
        return
    for suite in SUITES:
        root = WORK / suite
        if not (root / "etc" / "debian_version").exists():
            shutil.rmtree(root, ignore_errors=True)
            started = time.monotonic()
            included = "--include=python3,python3-venv,ca-certificates"
            # Package lists of testing that a mirror has not updated for a week are good enough.
            options = ("--variant=minbase", included, '--aptopt=Acquire::Check-Valid-Until "false"')
            try:
                run(["mmdebstrap", *options, suite, str(root)], WORK / f"{suite}.log", INSTALL_SECONDS)
            except StepFailedError as error:
                report(f"no root file system of {suite}: {error}")
                shutil.rmtree(root, ignore_errors=True)
                continue
            report(f"created a root file system of {suite} in {time.monotonic() - started:.0f} s")
        authorities = Path("/etc/ssl/certs/ca-certificates.crt")
        if authorities.exists():
            shutil.copyfile(authorities, root / authorities.relative_to("/"))
        shutil.copyfile("/etc/resolv.conf", root / "etc" / "resolv.conf")
        shutil.rmtree(root / "src", ignore_errors=True)
        shutil.copytree(ROOT, root / "src", ignore=_NOT_COPIED)
        shutil.copy2(uv(), root / "opt" / "uv")
        if version := version_of("/usr/bin/python3", root):
            yield Python(version, "/usr/bin/python3", root)


def uv() -> str:
    """Return the path of uv, which installs the dependencies."""
    found = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    if found is None:
        raise SystemExit("uv is not installed: use `make test-pythons`")
    return found


def install(python: Python, which: str, log: Path) -> str:
    """Install the `lowest` or `newest` dependencies, compile the tests, and return the path of the interpreter."""
    name = f"{python.name}-{which}"
    inside = Path("/opt") if python.root is not None else WORK
    venv = inside / name
    interpreter = str(venv / "bin" / "python")

    def uv_run(*arguments: str) -> None:
        run([_uv_for(python), *arguments], log, INSTALL_SECONDS, python.root)

    uv_run("venv", "--quiet", "--clear", f"--python={python.path}", str(venv))
    requirements = ["--requirement=pyproject.toml", "--extra=uvloop"]
    if which == "lowest":
        pinned = str(inside / f"{name}.txt")
        lowest = ("--resolution=lowest-direct", "--only-binary=:all:", f"--output-file={pinned}")
        uv_run("pip", "compile", "--quiet", f"--python={interpreter}", *lowest, "--extra=uvloop", "pyproject.toml")
        requirements = [f"--requirement={pinned}"]
    uv_run("pip", "install", "--quiet", f"--python={interpreter}", "--only-binary=:all:", *requirements, "--group=dev")
    with contextlib.suppress(StepFailedError):  # the tests report the same
        run([interpreter, "-m", "pytest", "--collect-only", "--quiet"], log, TEST_SECONDS, python.root)
    return interpreter


def _uv_for(python: Python) -> str:
    return "/opt/uv" if python.root is not None else uv()


def test(python: Python, which: str, installed: Future[str], arguments: Sequence[str]) -> bool:
    """Run the tests, and print the result in one line, with the output of a failed command."""
    log = _log(python, which)
    try:
        interpreter = installed.result()
        started = time.monotonic()
        # Only now, because it writes its metadata beside the sources, where tests that are running may look for it.
        project = ("pip", "install", "--quiet", f"--python={interpreter}", "--no-deps", "--editable=.")
        run([_uv_for(python), *project], log, INSTALL_SECONDS, python.root)
        selected = ("-m", SELECTED[which])
        text = run([interpreter, "-m", "pytest", *selected, *arguments], log, TEST_SECONDS, python.root)
    except StepFailedError as error:
        report(f"{python.name} {which}: FAILED, {log}\n{error}")
        return False
    last = next((line for line in reversed(text.splitlines()) if " passed" in line), "no tests ran")
    report(f"{python.name} {which}: {last} ({time.monotonic() - started:.0f} s)")
    return "passed" in last


def _log(python: Python, which: str) -> Path:
    return WORK / f"{python.name}-{which}.log"


def test_all(pythons: Sequence[Python], arguments: Sequence[str]) -> list[bool]:
    """Run the tests of each Python twice, and return whether they passed. Meanwhile the next run is installed."""
    runs = [(python, which) for python in pythons for which in SELECTED]
    for python, which in runs:
        _log(python, which).write_bytes(b"")
    with ThreadPoolExecutor(1) as beside:
        installed = [beside.submit(install, python, which, _log(python, which)) for python, which in runs]
        try:
            return [test(*run_, ready, arguments) for run_, ready in zip(runs, installed, strict=True)]
        except BaseException:
            beside.shutdown(wait=False, cancel_futures=True)
            for process in [*_running]:
                os.killpg(process.pid, signal.SIGKILL)
            raise


def chosen(required: Sequence[str]) -> tuple[list[Python], list[str]]:
    """Return the Pythons to test, sorted by version, and the `required` minor versions that are missing."""
    found = [python for python in local_pythons() if python.is_new_enough]
    of_debian = debian_pythons()  # each takes a minute to create
    while not required or not set(required) <= {python.minor for python in found}:
        if (python := next(of_debian, None)) is None:
            break
        found += [python] if python.is_new_enough else []
    by_name = {python.name: python for python in sorted(found, key=lambda python: python.numbers)}
    if not required:
        return list(by_name.values()), []
    newest = {python.minor: python for python in by_name.values()}
    return (
        [python for minor, python in newest.items() if minor in required],
        [minor for minor in required if minor not in newest],
    )


def main() -> int:
    """Run the tests with each Python, and return 1 if one fails or a required one is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--require",
        default="",
        metavar="X.Y,…",
        help="Test only these minor versions, the newest release of each; fail if one is missing",
    )
    parser.add_argument("--only", default="", metavar="TEXT", help="Test only Pythons whose name contains TEXT")
    parser.add_argument("pytest", nargs="*", metavar="PYTEST-ARGUMENT")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # `finally` ends running commands
    WORK.mkdir(parents=True, exist_ok=True)
    pythons, missing = chosen([minor for minor in options.require.split(",") if minor])
    results = test_all([python for python in pythons if options.only in python.name], options.pytest)
    for minor in missing:
        report(f"Python {minor} is required, but not installed")
    return 0 if results and all(results) and not missing else 1


if __name__ == "__main__":
    sys.exit(main())
