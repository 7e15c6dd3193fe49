"""The questions before a change name the server or key, and its new values."""

from __future__ import annotations

import pytest

from cln_monitor.masking import mask_key
from cln_monitor.simulator import Fault

from .account import CLOUDLINUX_KEY, ELS_KEY, HOSTILE_NOTE, IMUNIFY_KEY, KEY, OTHER_IMUNIFY_KEY, Cln
from .commands import LISTED_NOTE
from .inside import ask


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of questions, each of which is answered with no."""
    questions: list[str] = []

    def no(question: str) -> bool:
        questions.append(question)
        return False

    monkeypatch.setattr("cln_monitor.cli.change.require_terminal", lambda _: None)
    monkeypatch.setattr("cln_monitor.cli.change.confirm", no)
    return questions


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        (
            "kernelcare servers remove fresh",
            f"(192.0.2.1, key {mask_key(KEY)} (note {LISTED_NOTE!r}), last check-in ",
        ),
        ("kernelcare servers remove never", f"(note {LISTED_NOTE!r}), never checked in)"),
        ("kernelcare servers remove nobody", "(not in the account)"),
        ("imunify servers remove im-1", f"(198.51.100.1, key {mask_key(IMUNIFY_KEY)}, last check-in "),
        (f"imunify servers convert im-1 {OTHER_IMUNIFY_KEY}", "; new key: note 'the new one')"),
        ("els servers remove 12345", f"(1.1.1.1, test, key {mask_key(ELS_KEY)} (note '12'), last check-in "),
        (
            "cloudlinux servers remove 40211",
            f"(198.51.100.9, web9.example.net, key {mask_key(CLOUDLINUX_KEY)} (note 'web farm'))",
        ),
        ("cloudlinux servers remove 1", "(not in the account)"),
        (f"cloudlinux keys remove {CLOUDLINUX_KEY}", "(note 'web farm', 1 server)"),
        ("groups servers remove web im-1 x", "(im-1: 198.51.100.1, im1.example.net, x: not in the group)"),
        (f"imunify keys update {IMUNIFY_KEY} --limit 0 --note x", "(new limit unlimited, new note 'x')"),
        (f"imunify keys update {IMUNIFY_KEY} --limit 7", "(new limit 7)"),
        (f"els keys update {ELS_KEY} --note=", "(note removed)"),
    ],
)
def test_question_describes_the_target(typed: str, named: str, asked: list[str], cln: Cln) -> None:
    """A question describes the server, key or group that is affected."""
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
        ("kernelcare servers remove fresh", "/kcare/*", "(the server could not be read)"),
        ("groups servers remove web im-1", "/group/servers/list.json", "(its servers could not be read)"),
    ],
)
def test_details_cannot_be_read(typed: str, path: str, named: str, asked: list[str], cln: Cln) -> None:
    """If the details cannot be read, the question says so."""
    cln.simulator.faults.add(Fault("html", path))
    assert ask(cln, *typed.split()).code == 1
    assert named in asked[0]


def test_no_question_with_yes(cln: Cln) -> None:
    """With --yes, the details for the question are not read."""
    assert ask(cln, "kernelcare", "servers", "remove", "fresh", "--yes").code == 0
    assert [path for _, path, _ in cln.sent()] == ["/kcare/srv/remove.json"]


def test_notes_of_imunify_keys(asked: list[str], cln: Cln) -> None:
    """Notes of Imunify keys are shown in lists and questions."""
    cln.account.imunify_keys[IMUNIFY_KEY].note = f'{HOSTILE_NOTE}"{{{{'
    noted = f'{LISTED_NOTE}"{{{{'
    for command in ("keys list", "servers list", "imunify keys list"):
        rows = ask(cln, "-o", "json", *command.split()).json
        assert {row["note"] for row in rows if row["key"] == IMUNIFY_KEY} == {noted}, command
    assert ask(cln, "imunify", "keys", "remove", IMUNIFY_KEY).code == 1
    assert f"(note {noted!r}, 1 server)" in asked[0]
