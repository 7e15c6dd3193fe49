"""Lists that take a call for each of many keys: read by several threads, with a bar on stderr for who waits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import TypeVar

import typer
from rich.console import Console
from rich.progress import Progress

from cln_monitor.cln import AuthorizationError, ClnError, ThreadError, Threads

from .exit_codes import code_of
from .output import Row, say
from .session import Session

K = TypeVar("K")


def show_gathered(session: Session, keys: Sequence[K], read: Callable[[K], Iterable[Row]], empty: str) -> None:
    """Show the rows that ``read`` gives for all ``keys``, in their order.

    A key that cannot be read does not cost the others: stderr tells of it, and the program ends with its code.
    """
    rows: list[Row] = []
    errors: list[ClnError] = []
    console = Console(stderr=True)
    pool = Threads(session.config.concurrency - 1)  # and this one
    try:
        with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
            task = progress.add_task("asking CLN", total=len(keys))
            for key, future in zip(keys, [_submit(pool, read, key) for key in keys], strict=True):
                try:
                    # What no thread has begun is read by this one, which would only wait.
                    rows += read(key) if future is None or future.cancel() else future.result()
                except ClnError as error:
                    errors.append(error)
                    if isinstance(error, AuthorizationError):
                        break  # the others would be refused as well
                progress.advance(task)
    finally:
        pool.shutdown(cancel_futures=True)
    if rows or not errors:
        session.output.rows(rows, empty)
    for each in errors:
        say(f"clntool: {session.redactor.scrub(str(each))}")
    if errors:
        raise typer.Exit(max(map(code_of, errors)))


def _submit(pool: Threads, read: Callable[[K], Iterable[Row]], key: K) -> Future[Iterable[Row]] | None:
    """Return the future of the rows of ``key``, None if there is no thread to read them."""
    try:
        return pool.submit(read, key)
    except ThreadError:
        return None
