"""Probes that fail, are overdue, or whose data have expired: one row per cause."""

from __future__ import annotations

import msgspec
import pytest

from cln_monitor.exporter.web.status_page.failures import failures
from cln_monitor.exporter.web.status_page.probe_status import ProbeStatus
from cln_monitor.exporter.web.status_page.problem import Problem
from cln_monitor.policy import Severity
from cln_monitor.probes import Failure, Missing
from tests.helpers.clock import NOW

from .factories import HOUR, kernelcare, key, status_of

CRITICAL, WARNING = Severity.CRITICAL, Severity.WARNING
TIMEOUT = Failure("timeout", "reading /kcare/key/list.json at h: no complete response within 15s")
AUTH = Failure("auth", "HTTP status 401")
REFUSED = Failure("refused", "Reseller not found")


def found(*targets: ProbeStatus, now: float = NOW) -> list[Problem]:
    """Return the problems of the probes of these targets."""
    return list(failures(targets, now))


def status_of_cln(failure: Failure | None = TIMEOUT) -> ProbeStatus:
    """Return the target of CLN's own status."""
    return status_of(probe="status", account="", failure=failure, last_success=NOW - HOUR)


def test_one_probe() -> None:
    """The problem of a failing probe has its reason, its last success, and whether there is data to show."""
    text = f"kernelcare of acme is failing (timeout): {TIMEOUT.text}; "
    (problem,) = found(status_of(kernelcare(key("a")), last_success=NOW - 2 * HOUR, failure=TIMEOUT))
    assert (problem.severity, problem.kind, problem.alert) == (WARNING, "probes", "ClnProbeFailing")
    assert (problem.text, problem.since) == (
        f"{text}showing the last known data",
        "last read 2h ago, at 13:26 UTC",
    )
    assert problem.details is None
    (problem,) = found(status_of(kernelcare(key("a")), last_success=None, failure=TIMEOUT))
    assert (problem.text, problem.since) == (f"{text}showing the last known data", "never read completely")
    (problem,) = found(status_of(kernelcare(), last_success=None, failure=TIMEOUT))
    assert (problem.text, problem.since) == (f"{text}no data to show", "never read")


def test_a_wrong_password_is_one_problem() -> None:
    """Refused credentials are one problem for all probes, each listed with its own error in the details."""
    probes = ("kernelcare", "imunify", "els")
    targets = [
        status_of(probe=probe, failure=AUTH, last_success=NOW - place * HOUR) for place, probe in enumerate(probes)
    ]
    (problem,) = found(*targets, status_of_cln(None))
    assert (problem.severity, problem.alert) == (CRITICAL, "ClnAuthFailed")
    assert problem.text == ("kernelcare, imunify, els of acme are failing (auth): HTTP status 401; no data to show")
    assert problem.since == "last read 2h ago, at 13:26 UTC"
    assert problem.details is not None
    assert problem.details.items[1] == "imunify of acme: HTTP status 401; last read 1h ago, at 14:26 UTC"


def test_an_outage_is_one_problem() -> None:
    """Connection failures of all accounts during an outage of CLN's status are one problem; others are separate."""
    targets = [
        status_of(probe="kernelcare", failure=TIMEOUT),
        status_of(probe="imunify", failure=Failure("unreachable", "connection refused")),
        status_of(probe="kernelcare", account="other", failure=TIMEOUT),
        status_of(probe="els", failure=AUTH),
    ]
    outage, refused = found(*targets, status_of_cln())
    assert outage.text == (
        f"CLN at cln.example.net cannot be read (timeout): {TIMEOUT.text}; also failing: kernelcare, imunify of acme; "
        "kernelcare of other; no data to show"
    )
    assert (outage.severity, outage.alert, outage.since) == (WARNING, "ClnDown", "last read 1h ago, at 14:26 UTC")
    assert (refused.severity, refused.text[:28]) == (CRITICAL, "els of acme is failing (auth")
    assert len(found(*targets, status_of_cln(None))) == 4


def test_an_outage_of_another_cln() -> None:
    """An outage of one API root does not include failures at another."""
    view = msgspec.structs.replace(status_of_cln().view, api="other.example.net")
    elsewhere = ProbeStatus(view, status_of_cln().settings)
    assert [problem.alert for problem in found(status_of(failure=TIMEOUT), elsewhere)] == ["ClnDown", "ClnProbeFailing"]


def test_reasons_are_problems_of_their_own() -> None:
    """Different reasons and accounts are separate problems."""
    limited = Failure("rate_limited", "HTTP status 429")
    targets = [
        status_of(failure=limited),
        status_of(probe="els", failure=REFUSED),
        status_of(account="other", failure=limited),
    ]
    assert [(problem.alert, problem.text[:20]) for problem in found(*targets)] == [
        ("ClnRateLimited", "kernelcare of acme i"),
        ("ClnProbeFailing", "els of acme is faili"),
        ("ClnRateLimited", "kernelcare of other "),
    ]


def test_many_accounts_of_an_outage() -> None:
    """An outage lists the first accounts, and counts the others."""
    targets = [status_of(account=f"a{number}", failure=TIMEOUT) for number in range(9)]
    (problem,) = found(*targets, status_of_cln())
    assert "also failing: kernelcare of a0, a1, a2 and 6 more; " in problem.text


def test_accounts_of_an_outage_with_probes_of_their_own() -> None:
    """An outage with different probes per account lists the first ones, and counts the others."""
    targets = [
        status_of(probe=probe, account=f"a{number}", failure=TIMEOUT)
        for number in range(5)
        for probe in ("kernelcare", "imunify", "els", "awp", "groups")[: number + 1]
    ]
    (problem,) = found(*targets, status_of_cln())
    assert "kernelcare of a0; kernelcare, imunify of a1; " in problem.text
    assert " of a2 and probes of 2 more accounts; " in problem.text


def test_missing_parts_are_details() -> None:
    """Several keys that could not be read are listed in the details."""
    observation = msgspec.structs.replace(
        kernelcare(key("c")), missing=(Missing("a", REFUSED), Missing("b", TIMEOUT)), expired_parts=()
    )
    (problem,) = found(status_of(observation, failure=REFUSED))
    assert problem.details is not None
    assert problem.details.items == ["a (refused): Reseller not found", f"b (timeout): {TIMEOUT.text}"]
    assert "no data" not in problem.text


def test_some_without_data() -> None:
    """Failing probes without data are listed."""
    (problem,) = found(status_of(kernelcare(key("a")), failure=REFUSED), status_of(probe="els", failure=REFUSED))
    assert problem.text.endswith("; no data to show for els of acme")


def test_some_accounts_without_data() -> None:
    """An outage lists the accounts and probes without data."""
    targets = [
        status_of(kernelcare(key("a")), failure=TIMEOUT),
        *(status_of(probe=probe, account="other", failure=TIMEOUT) for probe in ("kernelcare", "patch_status")),
    ]
    (problem,) = found(*targets, status_of_cln())
    assert problem.text.endswith("; no data to show for status at cln.example.net; kernelcare, patch_status of other")


def test_a_long_error_is_cut() -> None:
    """A long error, such as an HTML page, is truncated."""
    failure = Failure("bad_answer", "x" * 5000)
    (problem,) = found(status_of(failure=failure), status_of(probe="els", failure=failure))
    assert len(problem.text) < 500
    assert problem.details is not None
    assert all(len(line) < 400 for line in problem.details.items)


@pytest.mark.parametrize(("later", "due"), [(1860, ""), (1861, "16m")])
def test_a_probe_that_does_not_run(later: float, due: str) -> None:
    """Probes that are overdue by an interval are one problem per account."""
    targets = [status_of(kernelcare(key("a")), now=NOW + later), status_of(probe="els", now=NOW + later)]
    text = f"kernelcare, els of acme are overdue by {due}"
    assert [
        (problem.severity, problem.text, problem.alert, problem.since) for problem in found(*targets, now=NOW + later)
    ] == ([(WARNING, text, "ClnDataTooOld", "last read 31m ago, at 15:26 UTC")] if due else [])


def test_the_status_of_cln_that_is_late() -> None:
    """An overdue status probe is shown with its host instead of an account."""
    (problem,) = found(status_of(probe="status", account="", now=NOW + 1861), now=NOW + 1861)
    assert problem.text == "status at cln.example.net is overdue by 16m"


def test_data_that_expired() -> None:
    """Expired data without a failure are one problem, which replaces the overdue one."""
    expired = kernelcare(key("a")).without_expired(NOW + 3601, 3600)
    (problem,) = found(status_of(expired, now=NOW + 3601), now=NOW + 3601)
    assert problem.text == "The data of kernelcare of acme have expired"
    assert (problem.alert, problem.since) == ("ClnDataTooOld", "last read 60m ago, at 15:26 UTC")
