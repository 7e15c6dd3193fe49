"""Changes: rehearsed first, so that nothing wrong is asked about, then agreed to, then sent, once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, NamedTuple, TypeVar
from urllib.parse import urlencode

import typer

from cln_monitor.cln import Client

from .dry_run import DryRunError
from .exit_codes import Code
from .output import say
from .session import Session, UsageError

T = TypeVar("T")

_PAST = {"move": "moved", "forbid": "forbade"}


class Action(NamedTuple):
    """What a change does: a ``verb`` such as ``remove``, and the ``thing`` it is done to."""

    verb: str
    thing: str

    def __str__(self) -> str:
        return f"{self.verb} {self.thing}"

    @property
    def past(self) -> str:
        """The same once it is done: ``removed KernelCare server X``."""
        regular = f"{self.verb}d" if self.verb.endswith("e") else f"{self.verb}ed"
        return f"{_PAST.get(self.verb, regular)} {self.thing}"


class InterruptedChangeError(Exception):
    """Ctrl-C came while a change was under way: a text for the person who pressed it."""


class ChangeRefusedError(Exception):
    """A change that is not safe to make now, so that nothing was sent: a text for the person who wanted it."""


_LOOK_FIRST = "it may have been done all the same: look before sending it again"

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; needed where there is no terminal to ask on.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Check all arguments, show what would be sent, and send nothing.")
]


def change(
    session: Session,
    action: Action,
    send: Callable[[Client], T],
    *,
    yes: bool,
    dry_run: bool,
    client: Client | None = None,
    caution: str = "",
    stakes: Callable[[], str] | None = None,
    all_done: Callable[[T], bool] = lambda _: True,
) -> T:
    """Do ``action`` by ``send`` once a person has agreed, and return what CLN gave for it.

    Whoever is yet to decide reads the ``caution``; the question names the ``stakes``, what goes with it, which CLN is
    asked about only then. ``all_done`` tells whether CLN did all of it. Ends the program after a dry run, and where the
    person does not agree; stderr tells what was done. Raises InvalidArgumentError, UsageError and ClnError.
    """
    client = client or session.client
    request = _rehearse(session.rehearsing, send)
    if caution and not yes:
        say(f"note: {caution}")
    if dry_run:
        _show(session, action, request, client.api)
        raise typer.Exit(Code.DONE)
    if not yes:
        require_terminal(f"{action} at {client.api}")
        goes_with_it = f" ({stakes()})" if stakes else ""
        if not agrees(f"{action}{goes_with_it} at {client.api}?"):
            raise typer.Exit(Code.REFUSED)
    try:
        result = send(client)
    except KeyboardInterrupt:
        raise InterruptedChangeError(f"interrupted while asking CLN to {action}; {_LOOK_FIRST}") from None
    if all_done(result):
        say(action.past)
    return result


def _rehearse(client: Client, send: Callable[[Client], object]) -> DryRunError:
    try:
        send(client)
    except DryRunError as request:
        return request
    raise AssertionError("a change that sends nothing")


def require_terminal(what: str) -> None:
    """Raise UsageError where nobody can be asked whether to do ``what``."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(f"nothing was sent: to {what} without a terminal to ask on takes --yes")


def agrees(question: str) -> bool:
    """Ask ``question`` on the terminal, and tell whether the answer is yes."""
    try:
        agreed = typer.confirm(question[:1].upper() + question[1:], err=True)
    except typer.Abort:  # by Ctrl-C or Ctrl-D
        agreed = False
        say("")
    if not agreed:
        say("nothing was sent")
    return agreed


def _show(session: Session, action: Action, request: DryRunError, api: str) -> None:
    query = urlencode(request.query)
    text = f"would {action}: {request.method} {request.path}{'?' if query else ''}{query} at {api}"
    record = {"dry_run": True, "api": api, "method": request.method, "path": request.path, "arguments": request.query}
    session.output.told(text, record)
