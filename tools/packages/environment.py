"""The virtual environment of a package: built from wheels at its final path, without traces of the build machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from tools.every_python import local_pythons, run

from .root_file_systems import MissingToolError, make
from .targets import Target
from .wheels import LOCK

PREFIX = Path("/usr/lib/cln-monitor")
"""Where the environment is installed."""

_BUILD_SECONDS = 600.0
_FOR_BUILDING = "python3,python3-venv"


def build(target: Target, wheels: Path, project: Path, work: Path, moment: int) -> Path:
    """Return the directory of a new environment in `work` that contains `project` and the `wheels`.

    All its files have the time `moment`, in Unix seconds. Its scripts are in ``bin`` and run with the target's Python.
    """
    log = work / "build.log"
    if target.suite is None:
        root, source, prefix, python = None, work / "source", work / "environment", _local_python(target.python)
        built = prefix
    else:
        root = make(target.suite, work.parent / target.suite, _FOR_BUILDING, log)
        source, prefix, python = Path("/src"), PREFIX, f"/usr/bin/python{target.python}"
        built = root / PREFIX.relative_to("/")
    outside = source if root is None else root / "src"
    for old in (built, outside):
        shutil.rmtree(old, ignore_errors=True)
    shutil.copytree(wheels, outside / "wheels")
    shutil.copy(LOCK, outside)
    shutil.copy(project, outside)

    def must(*command: str) -> None:
        run(command, log, _BUILD_SECONDS, root)

    must(python, "-m", "venv", "--without-pip", str(prefix))
    must(python, "-m", "venv", str(source / "pip"))
    pip = [str(source / "pip" / "bin" / "pip"), "--isolated", f"--python={prefix}/bin/python", "install", "--quiet"]
    pip += ["--disable-pip-version-check", "--no-index", "--no-deps", "--no-compile"]
    must(*pip, "--require-hashes", f"--find-links={source / 'wheels'}", f"--requirement={source / LOCK.name}")
    must(*pip, str(source / project.name))
    interpreter = f"/usr/bin/python{target.python}"
    _make_independent(built, interpreter)
    set_times(built, moment)
    # Bytecode contains the time of its source, so the times are set first, and the path, for tracebacks.
    moved = () if root is not None else ("-s", str(prefix), "-p", str(PREFIX))
    # Constant sets are written in the order of their hashes.
    must("env", "PYTHONHASHSEED=0", python, "-m", "compileall", "-q", *moved, str(prefix / "lib"))
    result = work / "built"
    shutil.rmtree(result, ignore_errors=True)
    shutil.move(built, result)
    shutil.rmtree(outside)
    return result


def _local_python(minor: str) -> str:
    for python in local_pythons():
        if python.minor == minor:
            return python.path
    raise MissingToolError(f"Python {minor} is missing on this machine, and no Debian release has it")


def _make_independent(environment: Path, interpreter: str) -> None:
    """Remove everything that the installed programs do not need, and all paths of the build machine."""
    programs = environment / "bin"
    for file in programs.iterdir():
        if not _is_own(file.name):
            file.unlink()
    (programs / "python3").symlink_to(os.path.relpath(interpreter, PREFIX / "bin"))
    for script in programs.iterdir():
        if not script.is_symlink():
            _, _, rest = script.read_text("utf-8").partition("\n")
            # -I: PYTHONPATH and packages in the home directory of a user are ignored.
            script.write_text(f"#!{PREFIX}/bin/python3 -I\n{rest}", encoding="utf-8")
            script.chmod(0o755)
    (environment / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = false\n", encoding="ascii")
    (environment / "lib64").unlink(missing_ok=True)
    for name in ("include", "share", ".gitignore"):
        path = environment / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    for tests in environment.glob("lib/*/site-packages/*/tests"):
        shutil.rmtree(tests)
    for file in environment.glob("lib/**/*"):
        if file.is_file() and not file.is_symlink():
            file.chmod(0o644)  # modules and libraries are not programs
    for about in environment.glob("lib/*/site-packages/*.dist-info"):
        (about / "RECORD").unlink()  # so pip refuses to change the installed files
        (about / "direct_url.json").unlink(missing_ok=True)
        (about / "REQUESTED").unlink(missing_ok=True)


def _is_own(name: str) -> bool:
    return name in {"cln-exporter", "cln-feed", "clntool", "register_cln_monitoring_key"} or name.startswith(
        "check_cln_"
    )


def set_times(tree: Path, moment: int) -> None:
    """Set the time of each file below `tree` to `moment`, and file modes that do not depend on the umask."""
    for path in (tree, *_below(tree)):
        os.utime(path, (moment, moment), follow_symlinks=False)
        if not path.is_symlink():
            is_open = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if is_open else 0o644)


def _below(tree: Path) -> Sequence[Path]:
    return list(tree.rglob("*"))
