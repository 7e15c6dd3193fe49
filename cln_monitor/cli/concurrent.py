"""Concurrent reads, for lists that take one call per key, with a progress bar on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

import typer

from cln_monitor.cln import AuthorizationError, ClnError, ThreadError, Threads

from .exit_codes import code_of
from .output import Row, eprint

if TYPE_CHECKING:
    from .session import Session

K = TypeVar("K")
T = TypeVar("T")


class _ProgressBar:
    """The progress of reads, on a terminal."""

    def __init__(self) -> None:
        from rich.console import Console  # noqa: PLC0415 # slow imports, which scripts do not need
        from rich.progress import Progress  # noqa: PLC0415

        console = Console(stderr=True)
        self._progress = Progress(console=console, transient=True, disable=not console.is_terminal)
        self._task = self._progress.add_task("querying CLN", total=0)
        self._total = 0
        self.start, self.stop = self._progress.start, self._progress.stop

    def expect(self, number: int) -> None:
        """Add ``number`` reads to the total."""
        self._total += number
        self._progress.update(self._task, total=self._total)

    def advance(self) -> None:
        """Count one more read as done."""
        self._progress.advance(self._task)


class ConcurrentReader:
    """Runs up to ``concurrency`` reads at the same time, and shows a progress bar on a terminal."""

    def __init__(self, session: Session) -> None:
        self._pool = Threads(session.config.concurrency - 1)  # the calling thread reads as well
        self._progress = _ProgressBar() if sys.stderr.isatty() else None
        self.refused: AuthorizationError | None = None
        """The error that ended the reads: a token that is refused once would be refused for all others."""

    def __enter__(self) -> Self:
        if self._progress:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
        if self._progress:
            self._progress.stop()

    def read_all(self, things: Sequence[K], read: Callable[[K], T]) -> list[tuple[K, T | ClnError]]:
        """Return pairs of each of ``things`` and the result of ``read`` for it, or its ClnError, in order.

        Once the token is refused, the remaining things are not read and have no pair.
        """
        self.expect(len(things))
        outcomes: list[tuple[K, T | ClnError]] = []
        for thing, future in zip(things, [self._submit(read, thing) for thing in things], strict=True):
            if self.refused:
                break
            try:
                # If no thread has started on it, read it in this thread, which would only wait.
                outcomes.append((thing, read(thing) if future is None or future.cancel() else future.result()))
            except ClnError as error:
                outcomes.append((thing, error))
                if isinstance(error, AuthorizationError):
                    self.refused = error
            self.advance()
        return outcomes

    def expect(self, number: int) -> None:
        """Add ``number`` reads to the total of the progress bar."""
        if self._progress:
            self._progress.expect(number)

    def advance(self) -> None:
        """Count one more read as done in the progress bar."""
        if self._progress:
            self._progress.advance()

    def _submit(self, read: Callable[[K], T], thing: K) -> Future[T] | None:
        """Submit ``read`` for ``thing`` and return its future, or None if no thread can be started."""
        if self.refused:
            return None
        try:
            return self._pool.submit(read, thing)
        except ThreadError:
            return None


def show_all(session: Session, keys: Sequence[K], read: Callable[[K], Iterable[Row]], empty: str) -> None:
    """Show the rows that ``read`` returns for all ``keys``, in order.

    A key that cannot be read does not prevent the others from being shown: stderr reports it, and the program exits
    with the code of the error.
    """
    with ConcurrentReader(session) as reader:
        outcomes = reader.read_all(keys, read)
    rows = [row for _, outcome in outcomes if not isinstance(outcome, ClnError) for row in outcome]
    show_with_errors(session, rows, [outcome for _, outcome in outcomes if isinstance(outcome, ClnError)], empty)


def show_with_errors(session: Session, rows: Sequence[Row], errors: Sequence[ClnError], empty: str) -> None:
    """Show ``rows`` and report ``errors``. If there are errors, exit with the highest of their codes."""
    if rows or not errors:
        session.output.rows(rows, empty)
    for error in dict.fromkeys(errors):
        eprint(f"clntool: {session.redactor.scrub(str(error))}")
    if errors:
        raise typer.Exit(max(map(code_of, errors)))
