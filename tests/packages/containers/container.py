"""A container without a container runtime: namespaces, a read-only root, an unprivileged user, and no shell."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.helpers.running import PATIENCE, Program, wait_until

from .image import Image

USER = "65534"
SHELLS = ("sh", "dash", "bash", "rbash")
_START = """\
set -eu
root=$1 user=$2; shift 2
mount --make-rprivate /
mount --bind "$root" "$root"
for pair in $MOUNTS; do mount --bind "${pair%%:*}" "$root${pair#*:}"; done
mount -o remount,ro,bind "$root"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
exec setpriv --no-new-privs chroot --userspec="$user:$user" --groups= "$root" "$@"
"""
_ASK = """\
import sys, urllib.error, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
try:
    with opener.open(urllib.request.Request(sys.argv[1], method=sys.argv[2]), timeout=30) as answer:
        print(answer.status, answer.read().decode(), sep="\\n", end="")
except urllib.error.HTTPError as error:
    print(error.code, error.read().decode(), sep="\\n", end="")
except OSError as error:
    print(0, error, sep="\\n", end="")
"""


@dataclass(frozen=True)
class Outcome:
    """The exit code and the output of a command."""

    code: int
    output: str


class Network:
    """A network with loopback only, for a container and what it talks to."""

    def __init__(self) -> None:
        self._keeper = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        self.enter = ["nsenter", f"--net=/proc/{self._keeper.pid}/ns/net"]
        own = Path("/proc/self/ns/net").readlink()
        wait_until(lambda: Path(f"/proc/{self._keeper.pid}/ns/net").readlink() != own, "the network namespace")
        subprocess.run([*self.enter, "ip", "link", "set", "lo", "up"], check=True, timeout=PATIENCE)

    def ask(self, path: str, method: str = "GET") -> tuple[int, str]:
        """Return the status and the text of a response of the exporter; without a response, 0 and the error."""
        command = [*self.enter, sys.executable, "-c", _ASK, f"http://127.0.0.1:10099{path}", method]
        done = subprocess.run(command, capture_output=True, text=True, timeout=2 * PATIENCE, check=True)
        status, _, text = done.stdout.partition("\n")
        return int(status), text

    def close(self) -> None:
        """Remove the network."""
        self._keeper.kill()
        self._keeper.wait()


class Container(Program):
    """A running container: its first process is the entry point of the image with ``arguments``."""

    def __init__(
        self,
        image: Image,
        network: Network,
        log_file: Path,
        *arguments: str,
        mounts: Mapping[Path, str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        for target in (mounts or {}).values():
            (image.root / target.lstrip("/")).mkdir(parents=True, exist_ok=True)
        for name in SHELLS:
            (image.root / "usr" / "bin" / name).unlink(missing_ok=True)
        pairs = " ".join(f"{source}:{target}" for source, target in (mounts or {}).items())
        variables = dict(pair.split("=", 1) for pair in image.config["Env"]) | dict(environment or {})
        self._env = ["env", "-i", *(f"{name}={value}" for name, value in variables.items())]
        self._network = network
        unshare = ["unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child", "--"]
        start = ["env", "-i", f"MOUNTS={pairs}", *self._env[2:], "/bin/sh", "-c", _START, "sh", str(image.root), USER]
        command = [*network.enter, *unshare, *start, *image.config["Entrypoint"], *arguments]
        super().__init__(command, log_file)
        self.wait_for_log("msg=listening")
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        self.init = int(children.read_text().split()[0])

    def status(self) -> dict[str, str]:
        """Return the fields of /proc/PID/status of the first process."""
        lines = Path(f"/proc/{self.init}/status").read_text().splitlines()
        return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def run(self, *command: str) -> Outcome:
        """Run a command in the container, as its user, like `docker exec`."""
        enter = ["nsenter", f"--target={self.init}", "--all", "--root", "--wd", f"--setuid={USER}", f"--setgid={USER}"]
        done = subprocess.run(
            [*enter, "--", *self._env, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return Outcome(done.returncode, done.stdout)

    def wait_ready(self) -> None:
        """Wait until each probe has run."""
        wait_until(lambda: self._network.ask("/-/ready")[0] == 200, "the container to be ready")

    def metrics(self) -> str:
        """Return the current exposition."""
        status, text = self._network.ask("/metrics")
        assert status == 200, text
        return text


@contextlib.contextmanager
def network() -> Iterator[Network]:
    """Yield a network, and remove it."""
    made = Network()
    try:
        yield made
    finally:
        made.close()
