"""What the exporter does on each signal that would otherwise end it.

SIGTERM and SIGINT stop it, SIGHUP reloads the configuration. SIGQUIT, SIGXCPU, SIGSYS and SIGTRAP end it as by default,
once the stack of each thread is on stderr, as in a program written in Go. All others have no meaning for an exporter,
such as the SIGUSR1 that a log rotation sends to the wrong process. The default would end the monitoring without a word,
so each of them is a warning in the log and nothing more. Python itself ignores SIGPIPE and SIGXFSZ.
"""

from __future__ import annotations

import contextlib
import faulthandler
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
    """Keep signals until :func:`handled_signals` takes them; call it before all else."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)


def dump_stacks_to(descriptor: int) -> None:
    """Write the stack of each thread to ``descriptor`` on a crash, and on the signals that ask for a core file."""
    faulthandler.enable(descriptor)  # what the watchdog of systemd ends says where each thread was
    for number in _DUMPED:
        faulthandler.register(number, descriptor, chain=True)


@contextlib.contextmanager
def handled_signals(
    loop: asyncio.AbstractEventLoop, threads: Executor, stop: Callable[[], object], reload: Callable[[], object]
) -> Iterator[None]:
    """Handle signals in the event ``loop``, those that were held first; ``reload`` is called in one of ``threads``."""
    for number in _MEANINGLESS:
        loop.add_signal_handler(number, _ignore, number)
    loop.add_signal_handler(signal.SIGTERM, stop)
    loop.add_signal_handler(signal.SIGINT, stop)
    loop.add_signal_handler(signal.SIGHUP, lambda: loop.run_in_executor(threads, reload))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HANDLED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)  # or a second SIGTERM would cut the stop short


def _ignore(number: int) -> None:
    name = f"SIGRTMIN+{number - signal.SIGRTMIN}"
    with contextlib.suppress(ValueError):  # most real-time signals have no name
        name = signal.Signals(number).name
    import structlog  # noqa: PLC0415 # signals are held before it is imported

    structlog.get_logger(__name__).warning("signal ignored", signal=name)
