"""The removal of servers one by one: each is read again first, and an uncertain outcome stops the removal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from cln_monitor.cli.exit_codes import ExitCode, code_of
from cln_monitor.cli.output import eprint
from cln_monitor.cln import AuthorizationError, ClnError, InvalidArgumentError, RefusedError, clean_text
from cln_monitor.durations import format_age

from .criterion import Criterion
from .inventory import IMUNIFY, KERNELCARE, Inventory, ListedKey, ListedServer, read_servers, unit_of
from .registrations import ServerStatus, row_of_server, server_statuses, stale_after_in

if TYPE_CHECKING:
    from cln_monitor.cli.session import Session

REMOVED, SKIPPED, REFUSED, UNCERTAIN, NOT_TRIED = OUTCOMES = ("removed", "skipped", "refused", "uncertain", "not_tried")
"""The outcomes of a server that was selected."""
_NOT_FOUND = "not found"
_LONGEST_ID = 80
_WORDS = {REMOVED: "removed", SKIPPED: "skipped", REFUSED: "refused", UNCERTAIN: "uncertain", NOT_TRIED: "not tried"}


class Removal:
    """Removes servers of ``inventory`` that were selected by ``criterion``."""

    def __init__(self, session: Session, inventory: Inventory, criterion: Criterion) -> None:
        self._session = session
        self._criterion = criterion
        self._keys = {(key.product, key.key): key for key in inventory.keys}
        self._servers = inventory.servers
        self._client = session.client
        self._outcomes: list[tuple[ServerStatus, str, str]] = []
        self._stopped = ""
        self._is_sent = False  # whether the current server's removal was sent
        self._code = ExitCode.DONE

    def run(self, found: Sequence[tuple[ServerStatus, str]], kept: Sequence[tuple[ServerStatus, str]]) -> None:
        """Remove the servers ``found``, each with a reason, until an error stops it; report why others are ``kept``."""
        for status, reason in kept:
            self._note(status, SKIPPED, reason)
        for status, reason in found:
            number = len(self._outcomes)
            self._is_sent = False
            try:
                keep = self._check(status) if not self._stopped else ""
                if self._stopped:
                    self._note(status, NOT_TRIED, reason)
                elif keep:
                    self._note(status, SKIPPED, keep)
                else:
                    self._remove(status, reason)
            except KeyboardInterrupt:
                self._stop("interrupted", ExitCode.NOT_QUERIED)
                if len(self._outcomes) > number:
                    continue
                if self._is_sent:
                    self._note(status, UNCERTAIN, "interrupted during the request; check before you repeat it")
                else:
                    self._note(status, NOT_TRIED, reason)

    def _check(self, status: ServerStatus) -> str:
        """Read a server again, just before its removal, and return why to keep it; empty if there is no reason."""
        try:
            return self._reason_to_keep(status)
        except ClnError as error:
            if isinstance(error, RefusedError) and _NOT_FOUND in error.problem.lower():
                return f"already removed: {error}"
            self._stop(str(error), code_of(error) if isinstance(error, AuthorizationError) else ExitCode.NOT_QUERIED)
            return ""

    def _remove(self, status: ServerStatus, reason: str) -> None:
        self._is_sent = True
        try:
            answered = self._send(status.server)
        except (RefusedError, InvalidArgumentError) as error:
            self._note(status, REFUSED, str(error))
        except ClnError as error:
            self._note(status, UNCERTAIN if error.outcome_unknown else NOT_TRIED, str(error))
            self._stop(str(error), code_of(error))
        else:
            if answered in ("", status.server.server_id):
                self._note(status, REMOVED, reason)
                return
            problem = f"CLN reports that it removed another server, {clean_text(answered, _LONGEST_ID)}"
            self._note(status, UNCERTAIN, f"{problem}; check before you repeat it")
            self._stop(problem, ExitCode.NOT_QUERIED)

    def _reason_to_keep(self, found: ServerStatus) -> str:
        """Return why to keep a server that was found, from its current data at CLN. Raises ClnError."""
        listed = found.server
        key = self._keys.get((listed.product, listed.key))
        if key is None:
            return "CLN does not list its key"
        self._read_again(key)
        successor = found.successor
        if successor is not None and successor.key != listed.key:
            self._read_again(self._keys[successor.product, successor.key])
        same_id = [
            server
            for server in self._servers
            if (server.product, server.server_id) == (listed.product, listed.server_id)
        ]
        current = next((server for server in same_id if server.key == listed.key), None)
        if current is None:
            return "no longer registered with its key"
        if len(same_id) > 1:
            return "another server now has the same id, and CLN removes servers by id only"
        checkin, now = current.last_checkin, self._session.cln_now
        if checkin != listed.last_checkin and isinstance(checkin, float | int):
            return f"has checked in since then, {format_age(now - checkin)} ago"
        if (current.ip, current.created) != (listed.ip, listed.created):
            return "has registered again since then"
        address = (current.product, current.ip)
        at_address = [server for server in self._servers if (server.product, server.ip) == address]
        statuses = server_statuses(at_address, now, stale_after_in(self._session))
        status = next(status for status in statuses if status.server is current)
        if not self._criterion.applies(status):
            return self._criterion.changed(status)
        newest = status.successor
        if successor is not None and newest is not None and newest.server_id != successor.server_id:
            return f"now superseded by another server, {newest.server_id}"
        return self._criterion.objection(status, now)

    def _read_again(self, key: ListedKey) -> None:
        """Read the servers of ``key`` again; they keep their host names, which CLN reports only in groups."""
        others: list[ListedServer] = []
        previous: list[ListedServer] = []
        for server in self._servers:
            (previous if (server.product, server.key) == (key.product, key.key) else others).append(server)
        names = {server.server_id: server.hostname for server in previous}
        self._servers = others + [
            replace(server, hostname=server.hostname or names.get(server.server_id, ""))
            for server in read_servers(self._client, unit_of(key))
            if server.key == key.key
        ]

    def _send(self, server: ListedServer) -> str:
        """Remove a server and return the id in CLN's response. Raises InvalidArgumentError and ClnError."""
        if server.product == KERNELCARE:
            return self._client.kernelcare.remove_server(server.server_id).server_id
        if server.product == IMUNIFY:
            return self._client.imunify.remove_server(server.server_id).server_id
        return self._client.els.remove_server(server.server_id).server_id

    def _note(self, status: ServerStatus, outcome: str, reason: str) -> None:
        reason = self._session.redactor.scrub(reason)
        self._outcomes.append((status, outcome, reason))
        if outcome != NOT_TRIED:
            word = "uncertain whether removed:" if outcome == UNCERTAIN else outcome
            eprint(f"{word} {status.server.name}: {reason}")

    def _stop(self, problem: str, code: ExitCode) -> None:
        self._stopped, self._code = problem, code

    def rows(self) -> list[dict[str, object]]:
        """Return the output row of each server, with its outcome and reason."""
        name = self._session.account.name
        return [
            row_of_server(status, name) | {"outcome": outcome, "reason": reason}
            for status, outcome, reason in self._outcomes
        ]

    def end(self) -> None:
        """Report the number of servers by outcome. Exit the program with an error if some could not be removed."""
        counts = Counter(outcome for _, outcome, _ in self._outcomes)
        summary = ", ".join(
            f"{counts[outcome]} {_WORDS[outcome]}" for outcome in OUTCOMES if counts[outcome] or outcome == REMOVED
        )
        if self._stopped:
            eprint(f"clntool: stopped: {summary}: {self._session.redactor.scrub(self._stopped)}")
            raise typer.Exit(self._code)
        eprint(summary)
        if counts[REFUSED]:
            raise typer.Exit(ExitCode.REFUSED)
