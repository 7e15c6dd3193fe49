"""Removes servers one after the other: each is read again first, and an uncertain outcome stops it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import typer

from cln_monitor.cli.exit_codes import Code, code_of
from cln_monitor.cli.output import say
from cln_monitor.cli.session import Session
from cln_monitor.cln import AuthorizationError, ClnError, InvalidArgumentError, RefusedError, clean_text
from cln_monitor.durations import format_age

from .criterion import Criterion
from .inventory import ELS, IMUNIFY, KERNELCARE, Inventory, ListedKey, ListedServer, read_servers
from .registrations import Standing, row_of_server, stale_after_in, stand

REMOVED, SKIPPED, REFUSED, UNCERTAIN, NOT_TRIED = OUTCOMES = ("removed", "skipped", "refused", "uncertain", "not_tried")
"""What becomes of a server that was found."""
_NOT_FOUND = "not found"
_LONGEST_ID = 80
_WORDS = {REMOVED: "done", SKIPPED: "skipped", REFUSED: "refused", UNCERTAIN: "uncertain", NOT_TRIED: "not tried"}


class Removal:
    """One run that removes servers of the account of ``session``, whose ``inventory`` was found by ``criterion``."""

    def __init__(self, session: Session, inventory: Inventory, criterion: Criterion) -> None:
        self._session = session
        self._criterion = criterion
        self._keys = {(key.product, key.key): key for key in inventory.keys}
        self._servers = inventory.servers
        self._client = session.client
        self._outcomes: list[tuple[Standing, str, str]] = []
        self._stopped = ""
        self._is_sent = False  # the removal of the server that is treated now
        self._code = Code.DONE

    def run(self, found: Sequence[tuple[Standing, str]], kept: Sequence[tuple[Standing, str]]) -> None:
        """Remove the servers ``found``, each for a reason, until something stops it; tell why others are ``kept``."""
        for each, reason in kept:
            self._note(each, SKIPPED, reason)
        for each, reason in found:
            number = len(self._outcomes)
            self._is_sent = False
            try:
                keep = self._check(each) if not self._stopped else ""
                if self._stopped:
                    self._note(each, NOT_TRIED, reason)
                elif keep:
                    self._note(each, SKIPPED, keep)
                else:
                    self._remove(each, reason)
            except KeyboardInterrupt:
                self._stop("interrupted", Code.NOT_ASKED)
                if len(self._outcomes) > number:
                    continue
                if self._is_sent:
                    self._note(each, UNCERTAIN, "interrupted while CLN was asked; look before trying again")
                else:
                    self._note(each, NOT_TRIED, reason)

    def _check(self, each: Standing) -> str:
        """Read a server again, just before it is removed, and return why it is to stay; empty for nothing."""
        try:
            return self._reason_to_keep(each)
        except ClnError as error:
            if isinstance(error, RefusedError) and _NOT_FOUND in error.problem.lower():
                return f"gone meanwhile: {error}"
            self._stop(str(error), code_of(error) if isinstance(error, AuthorizationError) else Code.NOT_ASKED)
            return ""

    def _remove(self, each: Standing, reason: str) -> None:
        self._is_sent = True
        try:
            answered = self._send(each.server)
        except (RefusedError, InvalidArgumentError) as error:
            self._note(each, REFUSED, str(error))
        except ClnError as error:
            self._note(each, UNCERTAIN if error.outcome_unknown else NOT_TRIED, str(error))
            self._stop(str(error), code_of(error))
        else:
            if answered in ("", each.server.server_id):
                self._note(each, REMOVED, reason)
                return
            problem = f"CLN says that it removed another server, {clean_text(answered, _LONGEST_ID)}"
            self._note(each, UNCERTAIN, f"{problem}; look before trying again")
            self._stop(problem, Code.NOT_ASKED)

    def _reason_to_keep(self, found: Standing) -> str:
        """Return why a server that was found is not to go after all, as CLN lists it now. Raises ClnError."""
        listed = found.server
        key = self._keys.get((listed.product, listed.key))
        if key is None:
            return "CLN does not list its key"
        self._read_again(key)
        successor = found.successor
        if successor is not None and successor.key != listed.key:
            self._read_again(self._keys[successor.product, successor.key])
        same_id = [
            each for each in self._servers if (each.product, each.server_id) == (listed.product, listed.server_id)
        ]
        now = next((each for each in same_id if each.key == listed.key), None)
        if now is None:
            return "no longer registered with its key"
        if len(same_id) > 1:
            return "another server has the same id meanwhile, and CLN removes by id alone"
        told, time_now = now.last_checkin, self._session.cln_now
        if told != listed.last_checkin and isinstance(told, float | int):
            return f"checked in meanwhile {format_age(time_now - told)} ago"
        if (now.ip, now.created) != (listed.ip, listed.created):
            return "registered again meanwhile"
        at_address = [each for each in self._servers if (each.product, each.ip) == (now.product, now.ip)]
        stands = stand(at_address, time_now, stale_after_in(self._session))
        here = next(each for each in stands if each.server is now)
        if not self._criterion.fits(here):
            return self._criterion.changed(here)
        if successor is not None and here.successor is not None and here.successor.server_id != successor.server_id:
            return f"superseded by another server meanwhile, {here.successor.server_id}"
        return self._criterion.objection(here, time_now)

    def _read_again(self, key: ListedKey) -> None:
        """Read the servers of ``key`` again; their host names are those of before, which CLN tells in its groups."""
        unit = key.code if key.product == ELS else key
        rest: list[ListedServer] = []
        of_key: list[ListedServer] = []
        for each in self._servers:
            (of_key if (each.product, each.key) == (key.product, key.key) else rest).append(each)
        names = {each.server_id: each.hostname for each in of_key}
        self._servers = rest + [
            replace(each, hostname=each.hostname or names.get(each.server_id, ""))
            for each in read_servers(self._client, unit)
            if each.key == key.key
        ]

    def _send(self, server: ListedServer) -> str:
        """Remove a server, and return the id that CLN names as removed. Raises InvalidArgumentError and ClnError."""
        if server.product == KERNELCARE:
            return self._client.kernelcare.remove_server(server.server_id).server_id
        if server.product == IMUNIFY:
            return self._client.imunify.remove_server(server.server_id).server_id
        return self._client.els.remove_server(server.server_id).server_id

    def _note(self, each: Standing, outcome: str, reason: str) -> None:
        reason = self._session.redactor.scrub(reason)
        self._outcomes.append((each, outcome, reason))
        if outcome != NOT_TRIED:
            word = "uncertain whether removed:" if outcome == UNCERTAIN else outcome
            say(f"{word} {each.server.name}: {reason}")

    def _stop(self, problem: str, code: Code) -> None:
        self._stopped, self._code = problem, code

    def rows(self) -> list[dict[str, object]]:
        """Return what became of each server, for scripts."""
        name = self._session.account.name
        return [row_of_server(each, name) | {"outcome": what, "reason": why} for each, what, why in self._outcomes]

    def end(self) -> None:
        """Tell what was done and what was not; ends the program where it is not all."""
        counts = Counter(outcome for _, outcome, _ in self._outcomes)
        told = ", ".join(f"{counts[each]} {_WORDS[each]}" for each in OUTCOMES if counts[each] or each == REMOVED)
        if self._stopped:
            say(f"clntool: stopped: {told}: {self._session.redactor.scrub(self._stopped)}")
            raise typer.Exit(self._code)
        say(told)
        if counts[REFUSED]:
            raise typer.Exit(Code.REFUSED)
