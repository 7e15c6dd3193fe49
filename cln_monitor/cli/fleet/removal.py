"""Removes servers one after the other: each is read again first, and an uncertain outcome stops it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import typer

from cln_monitor.cli.exit_codes import Code, code_of
from cln_monitor.cli.output import say
from cln_monitor.cli.session import Session
from cln_monitor.cln import AuthorizationError, ClnError, InvalidArgumentError, RefusedError
from cln_monitor.durations import format_age

from .inventory import ELS, IMUNIFY, KERNELCARE, ListedKey, ListedServer, read_servers
from .registrations import Standing, row_of_server

REMOVED, SKIPPED, REFUSED, UNCERTAIN, NOT_TRIED = OUTCOMES = ("removed", "skipped", "refused", "uncertain", "not_tried")
"""What becomes of a server that was found."""
_WORDS = {REMOVED: "done", SKIPPED: "skipped", REFUSED: "refused", UNCERTAIN: "uncertain", NOT_TRIED: "not tried"}


class Removal:
    """One run that removes servers of the account of ``session``; ``keys`` are all there are."""

    def __init__(self, session: Session, keys: Iterable[ListedKey]) -> None:
        self._session = session
        self._keys = {(key.product, key.key): key for key in keys}
        self._client = session.client
        self._outcomes: list[tuple[Standing, str, str]] = []
        self._kept = self._stopped = ""
        self._code = Code.DONE

    def run(self, found: Sequence[tuple[Standing, str]], kept: Sequence[tuple[Standing, str]]) -> None:
        """Remove the servers ``found``, each for a reason, until something stops it; tell why others are ``kept``."""
        for each, reason in kept:
            self._note(each, SKIPPED, reason)
        for each, reason in found:
            if not self._stopped:
                self._check(each)
            if self._stopped:
                self._note(each, NOT_TRIED, reason)
            elif self._kept:
                self._note(each, SKIPPED, self._kept)
            else:
                self._remove(each, reason)

    def _check(self, each: Standing) -> None:
        """Read a server again, just before it is removed."""
        try:
            self._kept = self._reason_to_keep(each.server)
        except ClnError as error:
            self._stop(str(error), code_of(error) if isinstance(error, AuthorizationError) else Code.NOT_ASKED)
        except KeyboardInterrupt:
            self._stop("interrupted", Code.NOT_ASKED)

    def _remove(self, each: Standing, reason: str) -> None:
        try:
            self._send(each.server)
        except (RefusedError, InvalidArgumentError) as error:
            self._note(each, REFUSED, str(error))
        except ClnError as error:
            self._note(each, UNCERTAIN if error.outcome_unknown else NOT_TRIED, str(error))
            self._stop(str(error), code_of(error))
        except KeyboardInterrupt:
            self._note(each, UNCERTAIN, "interrupted while CLN was asked; look before trying again")
            self._stop("interrupted", Code.NOT_ASKED)
        else:
            self._note(each, REMOVED, reason)

    def _reason_to_keep(self, listed: ListedServer) -> str:
        """Return why a server that was found is not to go after all, as CLN lists it now. Raises ClnError."""
        key = self._keys.get((listed.product, listed.key))
        if key is None:
            return "CLN does not list its key"
        unit = key.code if listed.product == ELS else key
        now = next((each for each in read_servers(self._client, unit) if each.server_id == listed.server_id), None)
        if now is None:
            return "no longer registered with its key"
        if now.last_checkin != listed.last_checkin:
            told = now.last_checkin
            age = f" {format_age(self._session.cln_now - told)} ago" if isinstance(told, float | int) else ""
            return f"checked in meanwhile{age}"
        return "registered again meanwhile" if (now.ip, now.created) != (listed.ip, listed.created) else ""

    def _send(self, server: ListedServer) -> None:
        if server.product == KERNELCARE:
            self._client.kernelcare.remove_server(server.server_id)
        elif server.product == IMUNIFY:
            self._client.imunify.remove_server(server.server_id)
        else:
            self._client.els.remove_server(server.server_id)

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
