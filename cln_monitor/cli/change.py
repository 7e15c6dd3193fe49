"""Changes: rehearsed first, so that nothing wrong is asked about, then agreed to, then sent, once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, TypeVar
from urllib.parse import urlencode

import typer

from cln_monitor.cln import Client

from .dry_run import DryRunError
from .exit_codes import Code
from .output import say
from .session import Session, UsageError

T = TypeVar("T")


class InterruptedChangeError(Exception):
    """Ctrl-C came while a change was under way: a text for the person who pressed it."""


_LOOK_FIRST = "it may have been done all the same: look before sending it again"

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; needed where there is no terminal to ask on.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Check all arguments, show what would be sent, and send nothing.")
]


def change(
    session: Session,
    what: str,
    send: Callable[[Client], T],
    *,
    yes: bool,
    dry_run: bool,
    client: Client | None = None,
    caution: str = "",
    all_done: Callable[[T], bool] = lambda _: True,
) -> T:
    """Do ``what`` by ``send`` once a person has agreed, and return what CLN gave for it.

    Whoever is yet to decide reads the ``caution``; ``all_done`` tells whether CLN did all of it. Ends the program after
    a dry run, and where the person does not agree; stderr tells what was done. Raises InvalidArgumentError, UsageError
    and ClnError.
    """
    client = client or session.client
    request = _rehearse(session.rehearsing, send)
    if caution and not yes:
        say(f"note: {caution}")
    if dry_run:
        _show(session, what, request, client.api)
        raise typer.Exit(Code.DONE)
    if not yes and not _agrees(f"{what} at {client.api}?"):
        raise typer.Exit(Code.REFUSED)
    try:
        result = send(client)
    except KeyboardInterrupt:
        raise InterruptedChangeError(f"interrupted while asking CLN to {what}; {_LOOK_FIRST}") from None
    if all_done(result):
        say(f"done: {what}")
    return result


def _rehearse(client: Client, send: Callable[[Client], object]) -> DryRunError:
    try:
        send(client)
    except DryRunError as request:
        return request
    raise AssertionError("a change that sends nothing")


def _agrees(question: str) -> bool:
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(f"nothing was sent: to {question[:-1]} without a terminal to ask on takes --yes")
    try:
        agreed = typer.confirm(question[:1].upper() + question[1:], err=True)
    except typer.Abort:  # by Ctrl-C or Ctrl-D
        agreed = False
        say("")
    if not agreed:
        say("nothing was sent")
    return agreed


def _show(session: Session, what: str, request: DryRunError, api: str) -> None:
    query = urlencode(request.query)
    text = f"would {what}: {request.method} {request.path}{'?' if query else ''}{query} at {api}"
    record = {"dry_run": True, "api": api, "method": request.method, "path": request.path, "arguments": request.query}
    session.output.told(text, record)
