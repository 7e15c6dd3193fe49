"""Lists that take a call for each of many keys: read by several threads, with a bar on stderr for who waits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Self, TypeVar

import typer
from rich.console import Console
from rich.progress import Progress

from cln_monitor.cln import AuthorizationError, ClnError, ThreadError, Threads

from .exit_codes import code_of
from .output import Row, say
from .session import Session

K = TypeVar("K")
T = TypeVar("T")


class Gathering:
    """Asks many things at the same time, as many as the configuration allows, and shows how far it is."""

    def __init__(self, session: Session) -> None:
        self._pool = Threads(session.config.concurrency - 1)  # and this one
        console = Console(stderr=True)
        self._progress = Progress(console=console, transient=True, disable=not console.is_terminal)
        self._task = self._progress.add_task("asking CLN", total=0)
        self._total = 0
        self.refused: AuthorizationError | None = None
        """Why nothing more is asked: the token was refused, as it would be refused for the others as well."""

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._progress.stop()

    def ask(self, things: Sequence[K], read: Callable[[K], T]) -> list[tuple[K, T | ClnError]]:
        """Return what ``read`` gives for each of ``things``, in their order; for one that fails, its error.

        Things that are not asked about any more, as the token was refused, are left out.
        """
        self.expect(len(things))
        outcomes: list[tuple[K, T | ClnError]] = []
        for thing, future in zip(things, [self._submit(read, thing) for thing in things], strict=True):
            if self.refused:
                break
            try:
                # What no thread has begun is read by this one, which would only wait.
                outcomes.append((thing, read(thing) if future is None or future.cancel() else future.result()))
            except ClnError as error:
                outcomes.append((thing, error))
                if isinstance(error, AuthorizationError):
                    self.refused = error
            self.advance()
        return outcomes

    def expect(self, number: int) -> None:
        """Show that ``number`` things more are to be done."""
        self._total += number
        self._progress.update(self._task, total=self._total)

    def advance(self) -> None:
        """Show that one thing more is done."""
        self._progress.advance(self._task)

    def _submit(self, read: Callable[[K], T], thing: K) -> Future[T] | None:
        """Return the future of what ``read`` gives for ``thing``, None if there is no thread to read it."""
        if self.refused:
            return None
        try:
            return self._pool.submit(read, thing)
        except ThreadError:
            return None


def show_gathered(session: Session, keys: Sequence[K], read: Callable[[K], Iterable[Row]], empty: str) -> None:
    """Show the rows that ``read`` gives for all ``keys``, in their order.

    A key that cannot be read does not cost the others: stderr tells of it, and the program ends with its code.
    """
    with Gathering(session) as gathering:
        outcomes = gathering.ask(keys, read)
    rows = [row for _, outcome in outcomes if not isinstance(outcome, ClnError) for row in outcome]
    show_with_errors(session, rows, [outcome for _, outcome in outcomes if isinstance(outcome, ClnError)], empty)


def show_with_errors(session: Session, rows: Sequence[Row], errors: Sequence[ClnError], empty: str) -> None:
    """Show ``rows``, tell ``errors``, and end the program with the code of the worst of them, where there are any."""
    if rows or not errors:
        session.output.rows(rows, empty)
    for error in dict.fromkeys(errors):
        say(f"clntool: {session.redactor.scrub(str(error))}")
    if errors:
        raise typer.Exit(max(map(code_of, errors)))
