"""Run the tests again and again on a machine made slow: in random order, under load, and stopped now and then.

Beside pytest runs a busy loop for each core, and all processes of the run are stopped for a moment every few seconds.
Each run has a seed, which gives the order of the tests and the times of the pauses. Arguments after -- go to pytest;
when they name no tests, those of `make check` are run.
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
"""Seconds that pytest has to end by itself, once it is told to."""
TIMED_OUT = 124
"""Exit code when the time was over, as that of ``timeout``."""

_PR_SET_CHILD_SUBREAPER = 36
# Ends with its parent, however that ended.
_BUSY_LOOP = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    sum(range(10_000))"


class Tree:
    """All processes below this one but for ``others``: also those whose parents have ended, which are then ours.

    Processes are held by descriptors, for a process id may be given to another program meanwhile.
    """

    def __init__(self) -> None:
        if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")
        self.others: set[int] = set()
        self._stopped: list[int] = []

    def stop(self) -> None:
        """Stop all of them, parents first, so that none starts another meanwhile."""
        seen: set[int] = set()
        while new := [process for process in self._below() if process not in seen]:
            seen.update(new)
            for process in new:
                # What a test has stopped stays as the test wants it.
                if _state(process) not in {"T", "t", "Z"} and (descriptor := self._send(process, signal.SIGSTOP)):
                    self._stopped.append(descriptor)

    def resume(self) -> None:
        """Let go on what was stopped, and nothing else."""
        for descriptor in self._stopped:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, signal.SIGCONT)
            os.close(descriptor)
        self._stopped.clear()

    def kill(self) -> None:
        """Kill all of them, until none is left."""
        while left := self._below():
            for process in left:
                if descriptor := self._send(process, signal.SIGKILL):
                    os.close(descriptor)
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(process, os.WNOHANG)
            time.sleep(0.01)

    def _send(self, process: int, what: signal.Signals) -> int | None:
        """Send a signal to a process and return a descriptor of it, or None when it is not of the tree any more."""
        try:
            descriptor = os.pidfd_open(process)
        except ProcessLookupError:
            return None
        if process in self._below():
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, what)
                return descriptor
        os.close(descriptor)
        return None

    def _below(self) -> list[int]:
        """Return the ids of the processes below this one, parents before their children."""
        children: dict[int, list[int]] = {}
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                children.setdefault(_parent(int(folder.name)), []).append(int(folder.name))
        found = [process for process in children.get(os.getpid(), []) if process not in self.others]
        for process in found:  # which grows meanwhile
            found += children.get(process, [])
        return found


def _stat(process: int) -> list[str]:
    """Return the fields of ``/proc/PID/stat`` behind the name: the state, the parent, ..."""
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
    """Run ``count`` busy loops beside the tests."""
    loops = [subprocess.Popen([sys.executable, "-c", _BUSY_LOOP]) for _ in range(count)]
    tree.others.update(loop.pid for loop in loops)
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def _selection(arguments: list[str]) -> list[str]:
    """Return the arguments of pytest, with the usual tests when they name none."""
    if any(Path(argument.partition("::")[0]).exists() for argument in arguments):
        return arguments
    return ["-m", "not processes", *arguments, "tests"]


def _run(tree: Tree, seed: int, options: argparse.Namespace, ends_at: float) -> int:
    """Run pytest once, with pauses, and return its exit code; :class:`TimeoutError` when there is no time left."""
    order = ["--random-order-bucket=module", f"--random-order-seed={seed}", "--no-loadscope-reorder"]
    spread = ["-n", "3", "--dist", "loadfile"]
    command = [sys.executable, "-m", "pytest", *spread, *order, *_selection(options.arguments)]
    lots = random.Random(seed)  # noqa: S311 # no secret comes of it
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
        # Interrupted or out of time: what the tests started is ended by their fixtures, or else by us.
        tree.resume()
        if pytest.poll() is None:
            for loop in tree.others:
                os.kill(loop, signal.SIGKILL)
            pytest.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                pytest.wait(GRACE)
        tree.kill()
        pytest.poll()


def _tell(text: str) -> None:
    sys.stdout.write(f"steady_tests: {text}\n")
    sys.stdout.flush()


def _end(number: int, _frame: object) -> None:
    # Once: the next such signal shall not interrupt the clearing up.
    for each in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(128 + number)


def main() -> int:
    """Return 0 when all runs passed, 1 when one did not, 124 when the time was over."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.steady_tests",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="%(prog)s [OPTION...] [-- ARGUMENT-OF-PYTEST...]",
    )
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="how often (default: 5)")
    parser.add_argument("--seed", type=int, metavar="N", help="of the first run, one more for each further one")
    parser.add_argument("--every", type=float, default=5, metavar="SECONDS", help="between two pauses (default: 5)")
    parser.add_argument("--pause", type=float, default=0.5, metavar="SECONDS", help="length of each (default: 0.5)")
    cores = len(os.sched_getaffinity(0))
    parser.add_argument("--load", type=int, default=cores, metavar="N", help="busy loops (default: one for each core)")
    parser.add_argument("--limit", type=float, default=7200, metavar="SECONDS", help="for all runs (default: 7200)")
    parser.add_argument("arguments", nargs="*", help=argparse.SUPPRESS)
    options = parser.parse_args()
    first = secrets.randbelow(1_000_000) if options.seed is None else options.seed
    ends_at = time.monotonic() + options.limit
    for each in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(each, _end)
    tree, failed = Tree(), 0
    with _busy_loops(tree, options.load):
        for seed in range(first, first + options.runs):
            _tell(f"run {seed - first + 1} of {options.runs}; --seed {seed} --runs 1 repeats it")
            started = time.monotonic()
            try:
                code = _run(tree, seed, options, ends_at)
            except TimeoutError:
                _tell(f"the limit of {options.limit:g} s is over")
                return TIMED_OUT
            failed += code != 0
            _tell(f"--seed {seed} ended with {code} after {time.monotonic() - started:.0f} s")
    _tell(f"{options.runs - failed} of {options.runs} runs passed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
