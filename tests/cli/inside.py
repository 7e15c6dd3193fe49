"""clntool in the process of the tests, and the rules for each run."""

from __future__ import annotations

import contextlib
import functools
import io
import json
from dataclasses import dataclass
from typing import Any

import pytest
import typer.utils

from cln_monitor.cli.main import main

from .account import SECRETS, Cln

# typer reads the signatures of a group of commands in each run, which is half of the CPU time of a run.
_signature = functools.cache(typer.utils.get_params_from_function)


@dataclass(frozen=True)
class Outcome:
    """The outcome of a run: its exit ``code``, stdout and stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The parsed JSON output."""
        return json.loads(self.out)


def run(*arguments: str) -> Outcome:
    """Return the outcome of ``clntool`` without a terminal."""
    return checked(*run_unchecked(*arguments))


def run_unchecked(*arguments: str) -> tuple[int, str, str]:
    """Return the exit code, stdout and stderr of ``clntool``, without any checks."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.MonkeyPatch.context() as patch:
        patch.setattr("typer.main.get_params_from_function", _signature)
        code = main(list(arguments))
    return code, out.getvalue(), err.getvalue()


def checked(code: int, out: str, err: str) -> Outcome:
    """Return the outcome after checking the rules for all runs."""
    both = out + err
    assert code in {0, 1, 2, 3}, (code, both)
    assert "Traceback" not in both, both
    assert "internal error" not in both, both
    assert not [secret for secret in SECRETS if secret in both], both
    if code in {2, 3}:
        assert err, "an error without a message"
    return Outcome(code, out, err)


def ask(cln: Cln, *arguments: str) -> Outcome:
    """Return the outcome of ``clntool`` with the configuration of ``cln``."""
    return run("--config", str(cln.config), *arguments)


def ask_json(cln: Cln, *arguments: str) -> Any:
    """Return the parsed JSON output of a successful run."""
    outcome = ask(cln, "--output", "json", *arguments)
    assert outcome.code == 0, outcome
    return outcome.json
