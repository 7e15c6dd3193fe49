"""clntool as a process, without a terminal and on one."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import subprocess
import sys
import termios
import time

from .inside import Outcome, checked

CLNTOOL = (sys.executable, "-P", "-c", "from cln_monitor.cli.main import run; run()")
_PATIENCE = 60.0


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a process: the current one without variables that clntool reads, and ``more``."""
    return {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "NO_COLOR"}} | more


def process(*arguments: str, **more: str) -> Outcome:
    """Return the outcome of a process without a terminal, with ``more`` in its environment."""
    done = subprocess.run(
        [*CLNTOOL, *arguments],
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=_PATIENCE,
        check=False,
    )
    return checked(done.returncode, done.stdout, done.stderr)


def on_a_terminal(*arguments: str, types: bytes = b"", when: bytes = b"[y/N]", **more: str) -> Outcome:
    """Return the outcome of a process on a terminal, with ``types`` as input once its output has ``when``.

    The output of the terminal is ``err``.
    """
    leader, follower = pty.openpty()
    child = subprocess.Popen(
        [*CLNTOOL, *arguments],
        env=environment(TERM="xterm", **more),
        stdin=follower,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 # the terminal of its own that Ctrl-C takes
    )
    os.close(follower)
    shown, ends_at = b"", time.monotonic() + _PATIENCE
    try:
        while time.monotonic() < ends_at:
            if not select.select([leader], [], [], 0.1)[0]:
                if types and when in shown:  # and it is quiet: it waits for an answer
                    os.write(leader, types)
                    types = b""
                continue
            try:
                shown += os.read(leader, 1 << 16)
            except OSError:  # closed by the process, at its end
                break
        code = child.wait(_PATIENCE)
    finally:
        child.kill()
        child.wait()
        os.close(leader)
    return checked(code, "", shown.decode())
