"""The client of an ePortal, which can only read (ePortal API documentation)."""

from __future__ import annotations

import contextlib
import copy
import re
from collections.abc import Callable, Iterator
from typing import Self, TypeVar

import msgspec

from cln_monitor.cln import (
    BadAnswerError,
    ClnError,
    Clock,
    Deadline,
    Endpoint,
    Exchange,
    HttpAnswer,
    RateLimiter,
    ReadTransport,
    Redactor,
    TimedOutError,
    TransportSettings,
)

from .answers import decoded
from .credentials import EportalCredentials
from .pages import ATTEMPTS, PAGE_SIZE, InconsistentError, ListChangedError, consistently, read_pages
from .servers import COUNT, PAGE, EportalServer, ServersPage, servers_of

T = TypeVar("T")

SERVERS = Endpoint("/servers")
READS = frozenset({SERVERS})
"""All calls that are sent to an ePortal. DELETE of the same path removes servers, and is not among them."""

_WORD = r"[A-Za-z]+|.{0,7}"


class EportalClient:
    """Reads the ePortal at the URL of ``settings``, such as ``https://eportal.example.net/admin/api``. Thread-safe.

    Its transport sends GETs of ``READS`` and nothing else. All calls together end before ``deadline``.
    """

    def __init__(
        self,
        settings: TransportSettings,
        credentials: EportalCredentials,
        rate_limiter: RateLimiter,
        clock: Clock,
        redactor: Redactor,
        *,
        observe: Callable[[Exchange], None] = lambda _: None,
    ) -> None:
        self._credentials = credentials
        self._deadline = Deadline.never(clock)
        self._transport = ReadTransport(
            msgspec.structs.replace(settings, server="the ePortal", url_setting="its url"),
            rate_limiter,
            clock,
            redactor,
            observe,
            reads=READS,
            headers=lambda: credentials.headers(redactor),
        )
        self.hide_secrets()

    def servers(self) -> list[EportalServer]:
        """Return all servers, in the order of the ePortal (``/servers``).

        The list is read page by page, then again for those that are out of date (``is_updated``), of which the
        ePortal's rows say nothing, and the numbers of both kinds are requested (``only_count``). If these do not add
        up, the ePortal has not judged some servers: those up to date are read as well, and ``is_updated`` is None for
        the others, or for all but those out of date if list and number disagree. It is None for all servers if so many
        load a patch at the moment that the list of those out of date changes each time, or if both lists are the same.
        Raises ClnError; BadAnswerError if pages and counts disagree, three times in a row.
        """
        with self._error_context("reading /servers"):
            servers = consistently(self._read_servers)
        for key in {server.key for server in servers}:
            # A key that is a mere word, such as "production", is a part of host names, which must stay as they are.
            if not re.fullmatch(_WORD, key):
                self._transport.redactor.hide_key(key)
        return servers

    def _read_servers(self) -> list[EportalServer]:
        servers = self._listed({})
        judged = self._read_judged()
        if judged is None:
            return servers
        outdated, updated = judged
        # How an ePortal reads "false" is not documented: one that ignores it, or takes it for true, judges nothing.
        if outdated and updated == len(outdated) and self._ids(is_updated=True) == outdated:
            return servers
        if updated + len(outdated) > len(servers):
            raise InconsistentError(f"{updated} servers up to date and {len(outdated)} out of date, of {len(servers)}")
        if not outdated <= {server.server_id for server in servers}:
            raise InconsistentError("servers out of date that are not in the list of all servers")
        ids = {server.server_id for server in servers} - outdated
        current = ids if updated == len(ids) else self._listed_as_updated(updated) & ids
        return [
            msgspec.structs.replace(
                server, is_updated=False if server.server_id in outdated else (server.server_id in current or None)
            )
            for server in servers
        ]

    def _listed_as_updated(self, number: int) -> frozenset[str]:
        """Return the ids of the servers that are up to date, none if the list does not have that ``number`` of them."""
        try:
            ids = self._ids(is_updated=True)
        except InconsistentError:
            return frozenset()
        return ids if len(ids) == number else frozenset()

    def _read_judged(self) -> tuple[frozenset[str], int] | None:
        """Return the ids of the servers out of date, and the number of those up to date; None if they keep changing.

        Raises InconsistentError if list and count disagree although nothing changes.
        """
        before = None
        for _ in range(ATTEMPTS):
            try:
                outdated = self._ids(is_updated=False)
            except ListChangedError:
                continue
            updated, number = self.count(is_updated=True), self.count(is_updated=False)
            if number == len(outdated):
                return outdated, updated
            if before == (outdated, updated, number):
                raise InconsistentError(f"{len(outdated)} servers out of date are listed, and {number} are counted")
            before = (outdated, updated, number)
        return None

    def count(self, *, is_updated: bool | None = None) -> int:
        """Return the number of servers, or of those that are or are not up to date (``/servers?only_count=true``).

        Raises ClnError.
        """
        query = {} if is_updated is None else _judgment(is_updated=is_updated)
        decode = self._decoder(COUNT)
        number = self._read("counting /servers", {**query, "only_count": "true"}, lambda answer: decode(answer).count)
        if number < 0:
            with self._error_context("counting /servers"):
                raise BadAnswerError(f"unexpected response from the ePortal: a count of {number}")
        return number

    def _ids(self, *, is_updated: bool) -> frozenset[str]:
        return frozenset(server.server_id for server in self._listed(_judgment(is_updated=is_updated)))

    def _listed(self, query: dict[str, str]) -> list[EportalServer]:
        decode = self._decoder(PAGE)

        def read(offset: int) -> ServersPage:
            place = {"limit": str(PAGE_SIZE), "offset": str(offset)}
            return self._read(f"reading /servers from row {offset} on", query | place, decode)

        return servers_of(read_pages(read))

    def _decoder(self, decoder: msgspec.json.Decoder[T]) -> Callable[[HttpAnswer], T]:
        return lambda answer: decoded(answer, decoder, self._credentials.kind)

    def _read(self, action: str, query: dict[str, str], decode: Callable[[HttpAnswer], T]) -> T:
        with self._error_context(action):
            return self._transport.read(SERVERS, dict, lambda: query, decode, self._deadline)

    @contextlib.contextmanager
    def _error_context(self, action: str) -> Iterator[None]:
        """Add what was attempted to each error, and remove the secrets from it."""
        try:
            yield
        except ClnError as error:
            if not error.attempted:
                if isinstance(error, TimedOutError) and error.of_run and self._deadline.name:
                    error.problem += f"; increase {self._deadline.name}"
                self.hide_secrets()  # a response may contain secrets that have changed since
                error.add_context(f"{action} at {self.api}", self.scrub)
            raise

    @property
    def api(self) -> str:
        """The host of the ePortal."""
        return self._transport.settings.api

    @property
    def deadline(self) -> Deadline:
        """The deadline of its calls."""
        return self._deadline

    @property
    def clock_skew(self) -> float | None:
        """The ePortal's clock minus the local clock in seconds, from the last response with a date, or None."""
        return self._transport.clock_skew

    def within(self, deadline: Deadline) -> Self:
        """Return a client of the same ePortal whose calls end before ``deadline``."""
        client = copy.copy(self)
        client._deadline = deadline  # noqa: SLF001 # the rest of its initialization
        return client

    @contextlib.contextmanager
    def run(self) -> Iterator[Self]:
        """Yield a client of the same ePortal with connections of its own, which are closed on exit."""
        client = copy.copy(self)
        with self._transport.run() as transport:
            client._transport = transport  # noqa: SLF001 # the rest of its initialization
            yield client

    def close(self) -> None:
        """Close the idle connections."""
        self._transport.close()

    def __repr__(self) -> str:
        return f"<EportalClient of {self.api}>"

    def hide_secrets(self) -> None:
        """Register the current secrets for redaction; each call does so for those that it sends."""
        self._credentials.hide(self._transport.redactor)

    def may_show_secret(self, text: str) -> bool:
        """Return, quickly, whether ``text``, an id or an address, may contain a secret."""
        return self._transport.redactor.may_be_in(text)

    def scrub(self, text: str) -> str:
        """Return ``text`` with all secrets known to this client replaced."""
        return self._transport.redactor.scrub(text)


def _judgment(*, is_updated: bool) -> dict[str, str]:
    return {"is_updated": "true" if is_updated else "false"}
