"""clntool inside the process of the tests, and what holds for each run of it."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import dataclass
from typing import Any

from cln_monitor.cli.main import main

from .account import SECRETS, Cln


@dataclass(frozen=True)
class Outcome:
    """How a run ended: its exit ``code``, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as a script reads it."""
        return json.loads(self.out)


def run(*arguments: str) -> Outcome:
    """Return how ``clntool`` ends without a terminal."""
    return checked(*run_unchecked(*arguments))


def run_unchecked(*arguments: str) -> tuple[int, str, str]:
    """Return the code, stdout and stderr of ``clntool``, whatever they are."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(list(arguments))
    return code, out.getvalue(), err.getvalue()


def checked(code: int, out: str, err: str) -> Outcome:
    """Return the outcome, when it keeps the rules that hold for all of them."""
    both = out + err
    assert code in {0, 1, 2, 3}, (code, both)
    assert "Traceback" not in both, both
    assert "an error of clntool" not in both, both
    assert not [secret for secret in SECRETS if secret in both], both
    if code in {2, 3}:
        assert err, "an error that is not told"
    return Outcome(code, out, err)


def ask(cln: Cln, *arguments: str) -> Outcome:
    """Return how ``clntool`` ends with the configuration of ``cln``."""
    return run("--config", str(cln.config), *arguments)


def ask_json(cln: Cln, *arguments: str) -> Any:
    """Return what a script reads of a run that is done."""
    outcome = ask(cln, "--output", "json", *arguments)
    assert outcome.code == 0, outcome
    return outcome.json
