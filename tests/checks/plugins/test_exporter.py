"""The check of the exporter's probes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from cln_monitor.checks.plugins.exporter import judge
from tests.checks.inside import InProcessExit, options_of, result_of, run_in_process
from tests.checks.running import Outcome
from tests.helpers.clock import NOW
from tests.helpers.scripted import ScriptedServer, answering, http_answer

NAME = "check_cln_exporter"


def probe(
    name: str = "kernelcare",
    *,
    age: float | None = 60,
    reason: str | None = None,
    account: str = "acme",
    ran: bool = True,
    read: int = 5,
    lacking: int = 0,
    **more: Any,
) -> dict[str, Any]:
    """Return a probe with ``read`` parts and ``lacking`` others, and its last success ``age`` seconds ago."""
    return {
        "probe": name,
        "account": account,
        "api": "cln.example.net",
        "interval": 900.0,
        "max_age": 3600.0,
        "last_run": NOW + 3600 if ran else None,
        "last_success": None if age is None else NOW + 3600,
        "failure": {"reason": reason, "text": f"a|text of {reason}"} if reason else None,
        "ages": {"last_run": 30.0 if ran else None, "last_success": age, "oldest_part": age},
        "read": read,
        "lacking": lacking,
        **more,
    }


def judged(*arguments: str, probes: list[dict[str, Any]], own: Sequence[dict[str, str]] = ()) -> Outcome:
    """Return the output of the check for ``probes`` and the exporter's ``own`` problems."""
    verdict = judge(probes, options_of(NAME, "--exporter", "http://h", *arguments), NOW, own)
    state, perfdata = verdict.evaluate()
    exit_ = InProcessExit()
    return result_of(lambda: exit_.finish(state, verdict.text, verdict.lines, perfdata), ())


def test_all_is_well() -> None:
    """The first line has the age of the oldest success, and each probe has a line."""
    outcome = judged(probes=[probe(), probe("status", age=120, account="")])
    assert outcome.output == (
        "OK - all 2 probes OK, oldest success 2m ago | failed=0;;;0 oldest_success=120s;;;0 probes=2;;;0\n"
        "kernelcare of acme: last success 1m ago\n"
        "status at cln.example.net: last success 2m ago\n"
    )


def test_the_line_of_a_probe_that_has_not_run() -> None:
    """A probe that has not run has no age of a success in its line of long output."""
    first_poll = {"done": 0, "total": 1, "noun": "key"}
    outcome = judged(probes=[probe(ran=False, age=None), probe("imunify", ran=False, age=None, first_poll=first_poll)])
    assert outcome.output.splitlines()[-2:] == [
        "kernelcare of acme has not run yet",
        "imunify of acme is in its first poll: 0 of 1 key",
    ]


@pytest.mark.parametrize(
    ("seen", "state", "text"),
    [
        (probe(ran=False, age=None, read=0), "UNKNOWN", "kernelcare of acme has not run yet"),
        (
            probe(ran=False, age=None, read=0, first_poll={"done": 3, "total": 10, "noun": "key"}),
            "UNKNOWN",
            "kernelcare of acme is in its first poll: 3 of 10 keys",
        ),
        (
            probe(reason="timeout", lacking=1),
            "WARNING",
            "kernelcare of acme is failing, 1 of 6 parts missing: a¦text of timeout",
        ),
        (
            probe(reason="timeout"),
            "WARNING",
            "kernelcare of acme is failing, showing earlier data: a¦text of timeout",
        ),
        (
            probe(reason="timeout", age=None, lacking=1),
            "WARNING",
            "kernelcare of acme is failing, 1 of 6 parts missing: a¦text of timeout",
        ),
        (
            probe(reason="timeout", age=99999, lacking=1),
            "WARNING",
            "kernelcare of acme is failing, 1 of 6 parts missing: a¦text of timeout",
        ),
        (
            probe(reason="timeout", read=0),
            "WARNING",
            "kernelcare of acme is failing, showing earlier data: a¦text of timeout",
        ),
        (
            probe(reason="auth", age=None, read=0, lacking=1),
            "CRITICAL",
            "kernelcare of acme is failing, no data, never successful: a¦text of auth",
        ),
        (
            probe(reason="auth", age=3 * 3600, read=0, lacking=1),
            "CRITICAL",
            "kernelcare of acme is failing, no data, last success 3h ago: a¦text of auth",
        ),
        (probe(age=3601, read=0), "WARNING", "kernelcare of acme is late, no data, last success 60m ago"),
        (probe(age=3600), "OK", ""),
        (probe(read=0), "OK", ""),
        (probe(age=-500), "OK", ""),
        (
            probe(account="", age=None, reason="refused", read=0, lacking=1),
            "WARNING",
            "kernelcare at cln.example.net is failing, no data, never successful: a¦text of refused",
        ),
    ],
)
def test_a_probe(seen: dict[str, Any], state: str, text: str) -> None:
    """A probe that fails or is late is WARNING; refused credentials are CRITICAL."""
    outcome = judged(probes=[probe("imunify"), seen])
    assert outcome.state == state
    if text:
        assert outcome.text == f"1 of 2 probes not OK: {text}"
        assert outcome.perfdata["failed"].value == 1


@pytest.mark.parametrize(
    ("arguments", "state", "over"),
    [
        (("-w", "10m"), "WARNING", "over 10m"),
        (("-c", "10m"), "CRITICAL", "over 10m"),
        (("-w", "5m", "-c", "10m"), "CRITICAL", "over 10m"),
        (("-w", "5m", "-c", "30m"), "WARNING", "over 5m"),
        (("-c", "@10m:30m"), "CRITICAL", "inside 10m:30m"),
        (("-w", "1h", "-c", "2h"), "OK", ""),
        (("-c", "5:"), "OK", ""),
    ],
)
@pytest.mark.parametrize("reason", [None, "timeout"])
def test_ages_of_ones_own(arguments: tuple[str, ...], state: str, over: str, reason: str | None) -> None:
    """-w and -c apply to the last success, and the line has the threshold and the error."""
    outcome = judged(*arguments, probes=[probe(age=1200, reason=reason)])
    why = f": a¦text of {reason}" if reason else ""
    assert outcome.state == ("WARNING" if reason and state == "OK" else state)
    if over:
        assert outcome.text == f"1 of 1 probes not OK: kernelcare of acme: last success 20m ago, {over}{why}"
    elif not reason:
        assert outcome.text == "all 1 probes OK, oldest success 20m ago"


def test_ages_of_what_never_succeeded() -> None:
    """-c does not apply to a probe that never succeeded."""
    outcome = judged("-c", "10m", probes=[probe(age=None, reason="timeout", lacking=1)])
    assert (outcome.state, "1 of 6 parts missing" in outcome.text) == ("WARNING", True)


def test_the_worst_is_first() -> None:
    """Of many failing probes the worst three are named, and all are counted."""
    probes = [
        probe("a", reason="timeout"),
        probe("b", ran=False, age=None),
        probe("c", age=9999, read=0),
        *(probe(f"d{number}", reason="refused") for number in range(5000)),
        probe("e", reason="auth"),
    ]
    outcome = judged(probes=probes)
    assert outcome.state == "CRITICAL"
    assert outcome.text == (
        "5004 of 5004 probes not OK: e of acme is failing, showing earlier data: a¦text of auth; "
        "b of acme has not run yet; a of acme is failing, showing earlier data: a¦text of timeout and 5001 more"
    )
    assert outcome.perfdata["failed"].value == 5004
    assert " more" not in judged(probes=probes[:3]).text


RELOAD = {"severity": "warning", "text": "The configuration could not be reloaded", "account": ""}
SERIES = {"severity": "warning", "text": "7 series of kernelcare of acme are left out", "account": "acme"}


def test_problems_of_the_exporter_itself() -> None:
    """Problems of the exporter set the state and come first if all probes are OK."""
    outcome = judged(probes=[probe()], own=[RELOAD, SERIES])
    assert outcome.output == (
        "WARNING - The configuration could not be reloaded; 7 series of kernelcare of acme are left out; "
        "all 1 probes OK, oldest success 1m ago | failed=0;;;0 oldest_success=60s;;;0 probes=1;;;0\n"
        "The configuration could not be reloaded\n"
        "7 series of kernelcare of acme are left out\n"
        "kernelcare of acme: last success 1m ago\n"
    )


@pytest.mark.parametrize(
    ("severity", "state"), [("info", "OK"), ("warning", "WARNING"), ("critical", "CRITICAL"), ("grave", "WARNING")]
)
def test_severities_of_the_exporter(severity: str, state: str) -> None:
    """An unknown severity is a WARNING."""
    assert judged(probes=[probe()], own=[RELOAD | {"severity": severity}]).state == state


def test_problems_of_probes_and_of_the_exporter() -> None:
    """Problems of probes come before those of the exporter, three of each."""
    own = [RELOAD | {"text": f"own {place}"} for place in range(5)]
    outcome = judged(probes=[probe(reason="auth")], own=own)
    assert (outcome.state, outcome.perfdata["failed"].value) == ("CRITICAL", 1)
    assert outcome.text == (
        "1 of 1 probes not OK: kernelcare of acme is failing, showing earlier data: a¦text of auth; "
        "own 0; own 1; own 2 and 2 more"
    )


def test_problems_of_the_exporter_for_one_account() -> None:
    """Problems of other accounts are ignored; those without an account count."""
    probes = [probe(account="acme"), probe(account="beta")]
    assert judged("-a", "beta", probes=probes, own=[SERIES]).state == "OK"
    assert judged("-a", "acme", probes=probes, own=[SERIES]).state == "WARNING"
    assert judged("-a", "beta", probes=probes, own=[RELOAD]).state == "WARNING"
    assert judged("-a", "beta", probes=probes, own=[{"severity": "warning", "text": "x"}]).state == "WARNING"
    assert judged("-a", "none", probes=probes, own=[RELOAD]).text.startswith(
        "the exporter has no probe of account none; "
    )


@pytest.mark.parametrize("problems", [{}, {"problems": []}, {"problems": [RELOAD]}])
def test_an_index_of_an_older_exporter(problems: dict[str, Any]) -> None:
    """The index of an older exporter has no problems."""
    body = json.dumps({"format": 1, "probes": [probe()]} | problems).encode()
    with ScriptedServer(answering(http_answer(body))) as server:
        outcome = run_in_process(NAME, "--exporter", server.url)
    assert outcome.state == ("WARNING" if problems.get("problems") else "OK")


def test_one_account() -> None:
    """With -a only probes of that account count, and an unknown account is UNKNOWN."""
    probes = [probe(account="acme"), probe(account="beta", reason="auth"), probe("status", account="", age=9999)]
    assert judged("-a", "acme", probes=probes).state == "OK"
    assert judged("-a", "beta", probes=probes).state == "CRITICAL"
    outcome = judged("-a", "acmee", probes=probes)
    assert (outcome.state, outcome.text) == ("UNKNOWN", "the exporter has no probe of account acmee")
    assert judged(probes=[]).state == "UNKNOWN"


def test_an_exporter_has_to_be_named() -> None:
    """A missing --exporter is reported with an example."""
    told = "--exporter is required: use the URL of the exporter, for example http://127.0.0.1:10099"
    assert run_in_process(NAME).text == told


def test_thresholds_that_contradict_each_other() -> None:
    """A warning range looser than the critical range is an error."""
    with pytest.raises(Exception, match="the warning range 2h is looser than the critical range 1h"):
        judged("-w", "2h", "-c", "1h", probes=[])
