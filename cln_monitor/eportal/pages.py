"""Read all pages of a list whose responses have the number of its rows: a part of a list would look like a whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from cln_monitor.cln import BadAnswerError
from cln_monitor.text_cleaning import clean_text

from .servers import ServerRow, ServersPage

T = TypeVar("T")

PAGE_SIZE = 1000
"""The number of rows to request. The ePortal may send fewer: the highest number that it allows is not documented."""

MOST_ROWS = 1_000_000
"""The highest accepted count; a higher one is probably a mistake, and would take hours to read."""

ATTEMPTS = 3
"""The number of times that responses are read which do not fit together."""


class InconsistentError(Exception):
    """Responses do not fit together, which is normal if a server is added or updated while they are read."""


class ListChangedError(InconsistentError):
    """The count changed between two pages."""


def consistently(read: Callable[[], T]) -> T:
    """Return ``read()``, which is called up to three times if it raises InconsistentError.

    Raises BadAnswerError if the responses never fit together.
    """
    problem = ""
    for _ in range(ATTEMPTS):
        try:
            return read()
        except InconsistentError as error:
            problem = str(error)
    raise BadAnswerError(f"unexpected response from the ePortal: {problem} (read {ATTEMPTS} times)")


def read_pages(read: Callable[[int], ServersPage]) -> list[ServerRow]:
    """Return the rows of all pages; ``read(offset)`` returns the page from row ``offset`` on.

    The order of the list is not documented. If it is that of check-ins, servers move to other pages meanwhile: those
    that were missed are looked for by reading all pages once more.
    Raises ListChangedError if the count changes between pages, InconsistentError if a page repeats the first one or one
    of its own servers, or if the number of servers is not the count, and BadAnswerError for an impossible count.
    """
    page = read(0)
    count = page.count
    if not 0 <= count <= MOST_ROWS:
        raise BadAnswerError(f"unexpected response from the ePortal: a count of {count}")
    rows: dict[str, ServerRow] = {}
    first: dict[str, ServerRow] = {}
    offset, is_first = 0, True
    while True:
        if page.count != count:
            raise ListChangedError(f"the count changed from {count} to {page.count} between two pages")
        found = {clean_text(row.id): row for row in page.result}
        ignores_offset = bool(found) and offset > 0 and found.keys() == first.keys()
        if ignores_offset or len(found) < len(page.result):
            raise InconsistentError(f"the page from row {offset} on repeats a server")
        first = first or found
        rows |= found
        offset += len(page.result)
        if not page.result or offset >= count:
            if len(rows) >= count or not is_first:
                break
            offset, is_first = 0, False
        page = read(offset)
    if len(rows) != count:
        raise InconsistentError(f"its pages have {len(rows)} servers, but its count is {count}")
    return list(rows.values())
