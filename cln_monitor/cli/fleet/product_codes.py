"""Products whose keys and servers CLN lists by a product code: ELS and CloudLinux OS."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from cln_monitor.cli.concurrent import ConcurrentReader, show_with_errors
from cln_monitor.cli.output import Row, eprint
from cln_monitor.cln import CLOUDLINUX_PRODUCTS, ELS_CODES, ClnError, RefusedError

if TYPE_CHECKING:
    from cln_monitor.cli.session import Session

ELS, CLOUDLINUX = "els", "cloudlinux"
BY_CODE = (ELS, CLOUDLINUX)

_DEFAULTS = {ELS: ELS_CODES, CLOUDLINUX: CLOUDLINUX_PRODUCTS}


class CodeList(NamedTuple):
    """The list of keys, or of servers, of a ``product`` with a ``code``."""

    product: str
    code: str


def codes_of(session: Session, product: str) -> list[str]:
    """Return the codes of a product of ``BY_CODE`` in the configuration."""
    from cln_monitor.probes import CloudLinuxSettings, ElsSettings  # noqa: PLC0415 # loaded by then; Tab needs none

    settings = session.account.probes[product]
    return settings.products if isinstance(settings, ElsSettings | CloudLinuxSettings) else [*_DEFAULTS[product]]


def are_default(codes: object) -> bool:
    """Return whether ``codes`` are a default list, of which those that CLN refuses are not available."""
    from cln_monitor.probes import DefaultList  # noqa: PLC0415 # as above

    return isinstance(codes, DefaultList)


def show_by_code(
    session: Session, product: str, code: str | None, read: Callable[[str], Iterable[Row]], empty: str
) -> None:
    """Show the rows of ``read`` for one ``code``, or for all codes that are configured or that CLN offers.

    If CLN refuses all default codes, that is an error.
    """
    codes = codes_of(session, product) if code is None else [code]
    with ConcurrentReader(session) as reader:
        outcomes = reader.read_all(codes, read)
    failed = [(code, outcome) for code, outcome in outcomes if isinstance(outcome, ClnError)]
    absent = [code for code, error in failed if are_default(codes) and isinstance(error, RefusedError)]
    if len(absent) == len(codes):
        absent, failed = [], failed[:1]
    found = [row for _, outcome in outcomes if not isinstance(outcome, ClnError) for row in outcome]
    rows = list({repr(row): row for row in found}.values())  # a CLN may list the rows of all products for each one
    if absent and not rows:
        eprint(f"not available to this account: {', '.join(absent)}")
    show_with_errors(session, rows, [error for code, error in failed if code not in absent], empty)
