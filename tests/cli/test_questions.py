"""What a question names: the server, by all that tells it from others, and what a key gets."""

from __future__ import annotations

import pytest

from cln_monitor.masking import mask_key
from cln_monitor.simulator import Fault

from .account import ELS_KEY, HOSTILE_NOTE, IMUNIFY_KEY, KEY, OTHER_IMUNIFY_KEY, Cln
from .commands import LISTED_NOTE
from .inside import ask


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the questions that were asked, all of which are answered with no."""
    questions: list[str] = []

    def no(question: str) -> bool:
        questions.append(question)
        return False

    monkeypatch.setattr("cln_monitor.cli.change.require_terminal", lambda _: None)
    monkeypatch.setattr("cln_monitor.cli.change.agrees", no)
    return questions


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        (
            "kernelcare servers remove fresh",
            f"(192.0.2.1, key {mask_key(KEY)} (note {LISTED_NOTE!r}), last check-in ",
        ),
        ("kernelcare servers remove never", f"(note {LISTED_NOTE!r}), never checked in)"),
        ("kernelcare servers remove nobody", "(no server of the account)"),
        ("imunify servers remove im-1", f"(198.51.100.1, key {mask_key(IMUNIFY_KEY)}, last check-in "),
        (f"imunify servers convert im-1 {OTHER_IMUNIFY_KEY}", "; new key: note 'the new one')"),
        ("els servers remove 12345", f"(1.1.1.1, test, key {mask_key(ELS_KEY)} (note '12'))"),
        ("groups servers remove web im-1 x", "(im-1: 198.51.100.1, im1.example.net, x: not in it)"),
        (f"imunify keys update {IMUNIFY_KEY} --limit 0 --note x", "(new limit unlimited, new note 'x')"),
        (f"imunify keys update {IMUNIFY_KEY} --limit 7", "(new limit 7)"),
        (f"els keys update {ELS_KEY} --note=", "(no note any more)"),
    ],
)
def test_what_it_names(typed: str, named: str, asked: list[str], cln: Cln) -> None:
    """Ids alone tell nobody which server goes."""
    cln.account.imunify_keys[OTHER_IMUNIFY_KEY].note = "the new one"
    outcome = ask(cln, *typed.split())
    assert outcome.code == 1, outcome
    (question,) = asked
    assert named in question
    assert {method for method, _, _ in cln.sent()} <= {"GET"}
    assert not [path for _, path, _ in cln.sent() if "remove" in path or "update" in path or "convert" in path]


@pytest.mark.parametrize(
    ("typed", "path", "named"),
    [
        ("kernelcare servers remove fresh", "/kcare/*", "(it could not be read)"),
        ("groups servers remove web im-1", "/group/servers/list.json", "(its servers could not be read)"),
    ],
)
def test_what_cannot_be_read(typed: str, path: str, named: str, asked: list[str], cln: Cln) -> None:
    """Then the question says so; the person decides."""
    cln.simulator.faults.add(Fault("html", path))
    assert ask(cln, *typed.split()).code == 1
    assert named in asked[0]


def test_nobody_is_asked_with_yes(cln: Cln) -> None:
    """Then nothing is read either."""
    assert ask(cln, "kernelcare", "servers", "remove", "fresh", "--yes").code == 0
    assert [path for _, path, _ in cln.sent()] == ["/kcare/srv/remove.json"]


def test_notes_of_imunify_keys(asked: list[str], cln: Cln) -> None:
    """They are shown wherever such a key is, whatever stands in them."""
    cln.account.imunify_keys[IMUNIFY_KEY].note = f'{HOSTILE_NOTE}"{{{{'
    noted = f'{LISTED_NOTE}"{{{{'
    for command in ("keys list", "servers list", "imunify keys list"):
        rows = ask(cln, "-o", "json", *command.split()).json
        assert {row["note"] for row in rows if row["key"] == IMUNIFY_KEY} == {noted}, command
    assert ask(cln, "imunify", "keys", "remove", IMUNIFY_KEY).code == 1
    assert f"(note {noted!r}, 1 server)" in asked[0]
