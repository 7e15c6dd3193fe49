"""A booted systemd over a disposable copy of this machine, whose own files are never changed.

It runs in a container whose root is an overlay over the root of the machine, with its own network. Its mounts are in a
mount namespace, so that they end with it.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.helpers import servers
from tests.helpers.package import SITE_PACKAGES
from tests.helpers.running import PATIENCE, Program, wait_until

PYTHON = "/opt/python-of-tests"
"""The path of the tests' Python in the machine: services cannot access home directories, where it may be."""
NEEDED = "/opt/needed"
"""The path of the tests' libraries in the machine."""

ROOT = Path("/")
"""The root file system of the machine itself, which is what is booted unless another one is given."""

_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
_BOOT_PATIENCE = 30.0

# Mounts of its own, and processes that end with the first of them.
_APART = ("unshare", "--mount", "--mount-proc", "--pid", "--fork", "--kill-child")

# $1 is the directory for all mounts, $2 the files over those of the root $3, the rest is for systemd-nspawn. The
# machine may have control groups of either version, and where it is itself a container, or a chroot, perhaps none.
_BOOT = r"""
set -eu
directory=$1 files=$2 lower=$3
shift 3
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=755 tmpfs "$directory"
mkdir "$directory/upper" "$directory/work" "$directory/root"
mount -t overlay -o "lowerdir=$lower,upperdir=$directory/upper,workdir=$directory/work" overlay "$directory/root"
# None of the machine's own services comes up with it.
rm -rf "$directory"/root/etc/systemd/system/*.wants "$directory"/root/etc/systemd/system/*.requires
cp -a "$files/." "$directory/root/"

mountpoint -q /sys || mount -t sysfs sysfs /sys
if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then
    mount -o remount,bind,rw /sys/fs/cgroup
else
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
fi
own=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)
group=$own/cln-monitor-test-$$
clean_up() { find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true; }
trap clean_up EXIT
mkdir -p "$group/it"
sh -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' - "$group/it" "$@" &
wait $! || true
for _ in 1 2 3 4 5 6 7 8 9 10; do
    clean_up
    [ -d "$group" ] || break
    sleep 0.1
done
"""


class BootError(Exception):
    """This machine cannot boot a systemd, with the reason."""


@dataclass(frozen=True)
class Done:
    """The exit code of a command, and its output including stderr."""

    code: int
    output: str


class Machine:
    """A booted systemd, with ``files`` and ``copies`` over those of ``root``, by path."""

    def __init__(self, folder: Path, files: Mapping[str, str], copies: Mapping[str, Path], root: Path = ROOT) -> None:
        if os.getuid() != 0:
            raise BootError("only root can boot a systemd in a container")
        stage = folder / "files"
        for name, text in files.items():
            _put(stage, name).write_text(text)
        for name, source in copies.items():
            _put(stage, name).write_bytes(source.read_bytes())
        _put(stage, "etc/systemd/system/test.target").write_text(
            "[Unit]\nRequires=basic.target\nAfter=basic.target\nAllowIsolate=yes\n"
        )
        for path in (stage, *stage.rglob("*")):  # as on any machine; the tests have a stricter umask for their secrets
            path.chmod(0o755 if path.is_dir() else 0o644)
        mounts = folder / "mounts"
        mounts.mkdir()
        name = f"cln-monitor-test-{os.getpid()}"
        command = [
            *_APART,
            *("sh", "-c", _BOOT, "boot", str(mounts), str(stage), str(root)),
            *(servers.path("systemd-nspawn"), "--quiet", "--boot", "--register=no", "--keep-unit", f"--machine={name}"),
            *("--console=pipe", "--link-journal=no", "--timezone=off", "--resolv-conf=off", "--private-network"),
            f"--directory={mounts / 'root'}",
            *([f"--bind-ro={sys.base_prefix}:{PYTHON}", f"--bind-ro={SITE_PACKAGES}:{NEEDED}"] if root == ROOT else []),
            "systemd.unit=test.target",
        ]
        # It would otherwise keep a lock where the machine keeps its containers.
        nspawn = {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1", "SYSTEMD_NSPAWN_LOCK": "0"}
        self._program = Program(command, folder / "boot.log", nspawn)
        try:
            self._pid = wait_until(self._find, "the first process of the container", _BOOT_PATIENCE)
            wait_until(self._has_booted, "systemd to have booted", _BOOT_PATIENCE)
        except AssertionError as error:
            self.stop()
            raise BootError(f"{error}\n{self._program.log}") from None

    def _find(self) -> int:
        """Return the process id of its systemd, or 0 before it runs."""
        if self._program.process.poll() is not None:
            raise AssertionError("it ended before it had booted")
        pid = self._program.process.pid
        for name in ("sh", "systemd-nspawn", "systemd"):
            pid = next((child for child in _children(pid) if _name(child) == name), 0)
        return pid

    def _has_booted(self) -> bool:
        if self._program.process.poll() is not None:
            raise AssertionError("it ended while it booted")
        return self.run("systemctl is-active test.target").output == "active\n"

    def run(self, command: str, *, within: int | None = None) -> Done:
        """Run a shell ``command`` as root in the machine, or in the mounts and root of the process ``within``."""
        namespaces = [f"--{name}" for name in ("mount", "uts", "ipc", "net", "pid", "cgroup", "root", "wd")]
        enter = ["nsenter", f"--target={self._pid}", *namespaces, "--"]
        if within is not None:
            enter += ["nsenter", f"--target={within}", "--mount", "--root", "--wd", "--"]
        done = subprocess.run(
            [*enter, "sh", "-c", command],
            env=_ENVIRONMENT,
            umask=0o022,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        return Done(done.returncode, done.stdout)

    def must(self, command: str) -> str:
        """Run a shell ``command`` that must succeed, and return its output."""
        done = self.run(command)
        assert done.code == 0, f"{command}\n{done.output}"
        return done.output

    def show(self, unit: str, name: str) -> str:
        """Return a property of a unit."""
        return self.must(f"systemctl show --value --property={name} {shlex.quote(unit)}").strip()

    def journal(self, unit: str) -> str:
        """Return the journal of a unit, including messages of systemd about it."""
        return self.must(f"journalctl --no-pager --output=cat --unit={shlex.quote(unit)}")

    def stop(self) -> None:
        """Power it off, and remove all its files."""
        if self._program.process.poll() is None and (pid := self._find()):
            os.kill(
                pid, signal.SIGKILL
            )  # a clean shutdown is not needed, and killing the first process ends all others
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._program.process.wait(PATIENCE)
        self._program.stop(signal.SIGKILL)


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]
    except OSError:  # it has ended
        return []


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text("utf-8").strip()
    except OSError:
        return ""


def _put(stage: Path, name: str) -> Path:
    file = stage / name
    file.parent.mkdir(parents=True, exist_ok=True)
    return file
