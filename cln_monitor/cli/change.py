"""Changes to an account: each is checked by a dry run, confirmed by a person, and sent once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, NamedTuple, TypeVar
from urllib.parse import urlencode

import typer

from cln_monitor.cln import Client

from .dry_run import DryRunError
from .exit_codes import ExitCode
from .output import eprint
from .usage import UsageError

if TYPE_CHECKING:
    from .session import Session

T = TypeVar("T")

_PAST = {"move": "moved", "forbid": "forbade"}


class Action(NamedTuple):
    """The name of a change: a ``verb`` such as ``remove``, and the ``thing`` it applies to."""

    verb: str
    thing: str

    def __str__(self) -> str:
        return f"{self.verb} {self.thing}"

    @property
    def past(self) -> str:
        """The action in the past tense, such as ``removed KernelCare server X``."""
        regular = f"{self.verb}d" if self.verb.endswith("e") else f"{self.verb}ed"
        return f"{_PAST.get(self.verb, regular)} {self.thing}"


class InterruptedChangeError(Exception):
    """Ctrl-C interrupted a change, so that its outcome is unknown."""


class ChangeRefusedError(Exception):
    """A change is not safe at this time, so nothing was sent."""


_CHECK_FIRST = "the change may have been made; check before you repeat it"

Yes = Annotated[
    bool, typer.Option("--yes", "-y", help="Do not ask for confirmation. Required if there is no terminal.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Check all arguments and show what would be sent, without sending it.")
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
    """Make a change with ``send`` once it is confirmed, and return the result of ``send``.

    ``action`` names the change in messages. The ``caution`` is shown before the question, which also names what is
    affected: ``stakes`` reads that from CLN, only when a question is asked. ``all_done`` returns whether CLN made the
    whole change, which stderr then reports. Exits the program after a dry run, or if the change is not confirmed.
    Raises InvalidArgumentError, UsageError and ClnError.
    """
    client = client or session.client
    request = _dry_run(session.dry_run_client, send)
    if caution and not yes:
        eprint(f"note: {caution}")
    if dry_run:
        _show(session, action, request, client.api)
        raise typer.Exit(ExitCode.DONE)
    if not yes:
        require_terminal(f"{action} at {client.api}")
        affected = f" ({stakes()})" if stakes else ""
        if not confirm(f"{action}{affected} at {client.api}?"):
            raise typer.Exit(ExitCode.REFUSED)
    try:
        result = send(client)
    except KeyboardInterrupt:
        raise InterruptedChangeError(f"interrupted while asking CLN to {action}; {_CHECK_FIRST}") from None
    if all_done(result):
        eprint(action.past)
    return result


def _dry_run(client: Client, send: Callable[[Client], object]) -> DryRunError:
    try:
        send(client)
    except DryRunError as request:
        return request
    raise AssertionError("the change sent no request")


def require_terminal(action: str) -> None:
    """Raise UsageError if there is no terminal on which to confirm ``action``."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(f"nothing was sent: use --yes to {action} without a terminal")


def confirm(question: str) -> bool:
    """Ask ``question`` on the terminal, and return whether the answer is yes."""
    try:
        confirmed = typer.confirm(question[:1].upper() + question[1:], err=True)
    except typer.Abort:  # by Ctrl-C or Ctrl-D
        confirmed = False
        eprint("")
    if not confirmed:
        eprint("nothing was sent")
    return confirmed


def _show(session: Session, action: Action, request: DryRunError, api: str) -> None:
    query = urlencode(request.query)
    text = f"would {action}: {request.method} {request.path}{'?' if query else ''}{query} at {api}"
    record = {"dry_run": True, "api": api, "method": request.method, "path": request.path, "arguments": request.query}
    session.output.message(text, record)
