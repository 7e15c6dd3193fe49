"""The handling of signals that would terminate the exporter by default.

SIGTERM and SIGINT stop it, and SIGHUP reloads the configuration. SIGQUIT, SIGXCPU, SIGSYS and SIGTRAP dump the stack of
each thread to stderr, as in a Go program, before the default action terminates the process. All others have no meaning
for an exporter, such as a SIGUSR1 that log rotation sends to the wrong process. By default they would silently end the
monitoring, so they are ignored with a warning in the log. Python itself ignores SIGPIPE and SIGXFSZ.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Executor

_DUMPED = (signal.SIGQUIT, signal.SIGXCPU, signal.SIGSYS, signal.SIGTRAP)
_MEANINGLESS = (
    *(getattr(signal, f"SIG{name}") for name in ("ALRM", "IO", "PROF", "PWR", "STKFLT", "USR1", "USR2", "VTALRM")),
    *range(signal.SIGRTMIN, signal.SIGRTMAX + 1),
)
_HANDLED = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT, *_MEANINGLESS)


def hold_signals() -> None:
    """Block signals until :func:`handled_signals` handles them; call it first of all."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)


def reap_orphans() -> None:
    """As the first process of a container, let the kernel reap orphans; the exporter itself starts no processes."""
    if os.getpid() == 1:
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)


def dump_stacks_to(descriptor: int) -> None:
    """Write the stack of each thread to ``descriptor`` on a crash, and on signals that dump core by default."""
    faulthandler.enable(descriptor)  # covers SIGABRT, which systemd's watchdog sends
    for number in _DUMPED:
        faulthandler.register(number, descriptor, chain=True)


@contextlib.contextmanager
def handled_signals(
    loop: asyncio.AbstractEventLoop, threads: Executor, stop: Callable[[], object], reload: Callable[[], object]
) -> Iterator[None]:
    """Handle signals, pending ones included, in the event ``loop``; call ``reload`` in one of ``threads``."""
    for number in _MEANINGLESS:
        loop.add_signal_handler(number, _ignore, number)
    loop.add_signal_handler(signal.SIGTERM, stop)
    loop.add_signal_handler(signal.SIGINT, stop)
    loop.add_signal_handler(signal.SIGHUP, lambda: loop.run_in_executor(threads, reload))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HANDLED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)  # else a second SIGTERM would interrupt the shutdown


def _ignore(number: int) -> None:
    name = f"SIGRTMIN+{number - signal.SIGRTMIN}"
    with contextlib.suppress(ValueError):  # most real-time signals have no name
        name = signal.Signals(number).name
    import structlog  # noqa: PLC0415 # signals are blocked before it is imported

    structlog.get_logger(__name__).warning("signal ignored", signal=name)
