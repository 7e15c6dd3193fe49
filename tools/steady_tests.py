"""Run the tests repeatedly on a slow machine: in random order, under load, and with pauses.

A busy loop runs on each core next to pytest, and all processes of the run are stopped briefly every few seconds. The
seed of a run determines the order of the tests and the times of the pauses. Arguments after -- are passed to pytest; if
they name no tests, those of `make check` are run.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import random
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

GRACE = 30.0
"""Seconds that pytest has to exit after a signal."""
TIMED_OUT = 124
"""Exit code after a timeout, as that of ``timeout``."""

_PR_SET_CHILD_SUBREAPER = 36
# Exits with its parent, even if that was killed.
_BUSY_LOOP = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    sum(range(10_000))"


class Tree:
    """All descendants of this process except ``others``, including orphans, which are reparented to this process.

    Processes are referenced by descriptors, because the system may reuse process ids.
    """

    def __init__(self) -> None:
        if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")
        self.others: set[int] = set()
        self._stopped: list[int] = []

    def stop(self) -> None:
        """Stop all processes, parents first, so that no new ones are started."""
        handled: set[int] = set()
        while new := [process for process in self._below() if process not in handled]:
            handled.update(new)
            for process in new:
                # Processes that a test has stopped remain stopped.
                if _state(process) not in {"T", "t", "Z"} and (descriptor := self._send(process, signal.SIGSTOP)):
                    self._stopped.append(descriptor)

    def resume(self) -> None:
        """Continue the processes that were stopped here."""
        for descriptor in self._stopped:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, signal.SIGCONT)
            os.close(descriptor)
        self._stopped.clear()

    def kill(self) -> None:
        """Kill all processes until none is left."""
        while left := self._below():
            for process in left:
                if descriptor := self._send(process, signal.SIGKILL):
                    os.close(descriptor)
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(process, os.WNOHANG)
            time.sleep(0.01)

    def _send(self, process: int, number: signal.Signals) -> int | None:
        """Send a signal to a process and return its descriptor, or None if it has left the tree."""
        try:
            descriptor = os.pidfd_open(process)
        except ProcessLookupError:
            return None
        if process in self._below():
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, number)
                return descriptor
        os.close(descriptor)
        return None

    def _below(self) -> list[int]:
        """Return the ids of the processes below this one, parents before their children."""
        children: dict[int, list[int]] = {}
        for directory in Path("/proc").iterdir():
            if directory.name.isdigit():
                children.setdefault(_parent(int(directory.name)), []).append(int(directory.name))
        found = [process for process in children.get(os.getpid(), []) if process not in self.others]
        for process in found:  # grows during the iteration
            found += children.get(process, [])
        return found


def _stat(process: int) -> list[str]:
    """Return the fields of ``/proc/PID/stat`` after the name: the state, the parent, ..."""
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ["Z", "0"]


def _state(process: int) -> str:
    return _stat(process)[0]


def _parent(process: int) -> int:
    return int(_stat(process)[1])


@contextlib.contextmanager
def _busy_loops(tree: Tree, count: int) -> Iterator[None]:
    """Run ``count`` busy loops during the tests."""
    loops = [subprocess.Popen([sys.executable, "-c", _BUSY_LOOP]) for _ in range(count)]
    tree.others.update(loop.pid for loop in loops)
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def _selection(arguments: list[str]) -> list[str]:
    """Return the arguments of pytest, with the default tests if they name none."""
    if any(Path(argument.partition("::")[0]).exists() for argument in arguments):
        return arguments
    return ["-m", "not processes", *arguments, "tests"]


def _run(tree: Tree, seed: int, options: argparse.Namespace, ends_at: float) -> int:
    """Run pytest once, with pauses, and return its exit code. Raises TimeoutError at ``ends_at`` (monotonic)."""
    order = ["--random-order-bucket=module", f"--random-order-seed={seed}", "--no-loadscope-reorder"]
    spread = ["-n", "3", "--dist", "loadfile"]
    command = [sys.executable, "-m", "pytest", *spread, *order, *_selection(options.arguments)]
    lots = random.Random(seed)  # noqa: S311 # not used for secrets
    pytest = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        while True:
            try:
                return pytest.wait(max(0.0, min(options.every * lots.uniform(0.5, 1.5), ends_at - time.monotonic())))
            except subprocess.TimeoutExpired:
                if time.monotonic() >= ends_at:
                    raise TimeoutError from None
            tree.stop()
            time.sleep(options.pause)
            tree.resume()
    finally:
        # Interrupted or timed out: fixtures end the processes of the tests, and remaining ones are killed here.
        tree.resume()
        if pytest.poll() is None:
            for loop in tree.others:
                os.kill(loop, signal.SIGKILL)
            pytest.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                pytest.wait(GRACE)
        tree.kill()
        pytest.poll()


def _report(text: str) -> None:
    sys.stdout.write(f"steady_tests: {text}\n")
    sys.stdout.flush()


def _end(number: int, _frame: object) -> None:
    # Only once: further signals must not interrupt the cleanup.
    for name in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(name, signal.SIG_IGN)
    raise SystemExit(128 + number)


def main() -> int:
    """Return 0 if all runs passed, 1 if one failed, and 124 after a timeout."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.steady_tests",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="%(prog)s [OPTION...] [-- ARGUMENT-OF-PYTEST...]",
    )
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="Number of runs (default: 5)")
    parser.add_argument("--seed", type=int, metavar="N", help="Seed of the first run, incremented for each further run")
    parser.add_argument("--every", type=float, default=5, metavar="SECONDS", help="Time between pauses (default: 5)")
    parser.add_argument("--pause", type=float, default=0.5, metavar="SECONDS", help="Length of a pause (default: 0.5)")
    cores = len(os.sched_getaffinity(0))
    parser.add_argument(
        "--load", type=int, default=cores, metavar="N", help="Number of busy loops (default: one per core)"
    )
    parser.add_argument(
        "--limit", type=float, default=7200, metavar="SECONDS", help="Maximum time of all runs (default: 7200)"
    )
    parser.add_argument("arguments", nargs="*", help=argparse.SUPPRESS)
    options = parser.parse_args()
    first = secrets.randbelow(1_000_000) if options.seed is None else options.seed
    ends_at = time.monotonic() + options.limit
    for name in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(name, _end)
    tree, failed = Tree(), 0
    with _busy_loops(tree, options.load):
        for seed in range(first, first + options.runs):
            _report(f"run {seed - first + 1} of {options.runs}; --seed {seed} --runs 1 repeats it")
            started = time.monotonic()
            try:
                code = _run(tree, seed, options, ends_at)
            except TimeoutError:
                _report(f"timed out after {options.limit:g} s (--limit)")
                return TIMED_OUT
            failed += code != 0
            _report(f"--seed {seed} exited with {code} after {time.monotonic() - started:.0f} s")
    _report(f"{options.runs - failed} of {options.runs} runs passed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
