"""Probes that fail, are overdue or have lost their data: a row for each cause."""

from __future__ import annotations

import msgspec
import pytest

from cln_monitor.exporter.web.status_page.failures import failures
from cln_monitor.exporter.web.status_page.probe_status import ProbeStatus
from cln_monitor.exporter.web.status_page.problem import Problem
from cln_monitor.policy import Severity
from cln_monitor.probes import Failure, Missing
from tests.helpers.clock import NOW

from .factories import HOUR, kernelcare, key, seen

CRITICAL, WARNING = Severity.CRITICAL, Severity.WARNING
TIMEOUT = Failure("timeout", "reading /kcare/key/list.json at h: no complete response within 15s")
AUTH = Failure("auth", "HTTP status 401")
REFUSED = Failure("refused", "Reseller not found")


def found(*targets: ProbeStatus, now: float = NOW) -> list[Problem]:
    """Return the problems of the probes of these targets."""
    return list(failures(targets, now))


def status_of_cln(failure: Failure | None = TIMEOUT) -> ProbeStatus:
    """Return the probe of CLN's own status."""
    return seen(probe="status", account="", failure=failure, last_success=NOW - HOUR)


def test_one_probe() -> None:
    """Its reason, when it was last read, and whether there is data to show."""
    text = f"kernelcare of acme is failing (timeout): {TIMEOUT.text}; "
    (problem,) = found(seen(kernelcare(key("a")), last_success=NOW - 2 * HOUR, failure=TIMEOUT))
    assert (problem.severity, problem.kind, problem.alert) == (WARNING, "probes", "ClnProbeFailing")
    assert (problem.text, problem.since) == (
        f"{text}the last known data is shown",
        "last read 2h ago, at 13:26 UTC",
    )
    assert problem.details is None
    (problem,) = found(seen(kernelcare(key("a")), last_success=None, failure=TIMEOUT))
    assert (problem.text, problem.since) == (f"{text}the last known data is shown", "never read completely")
    (problem,) = found(seen(kernelcare(), last_success=None, failure=TIMEOUT))
    assert (problem.text, problem.since) == (f"{text}there is no data to show", "never read")


def test_a_wrong_password_is_one_problem() -> None:
    """However many probes fail by it; each is named, with its own words in the details."""
    probes = ("kernelcare", "imunify", "els")
    targets = [seen(probe=probe, failure=AUTH, last_success=NOW - place * HOUR) for place, probe in enumerate(probes)]
    (problem,) = found(*targets, status_of_cln(None))
    assert (problem.severity, problem.alert) == (CRITICAL, "ClnAuthFailed")
    assert problem.text == (
        "kernelcare, imunify, els of acme are failing (auth): HTTP status 401; there is no data to show"
    )
    assert problem.since == "last read 2h ago, at 13:26 UTC"
    assert problem.details is not None
    assert problem.details.items[1] == "imunify of acme: HTTP status 401; last read 1h ago, at 14:26 UTC"


def test_an_outage_is_one_problem() -> None:
    """What cannot be reached while CLN's status cannot either, of all accounts; other failures are their own."""
    targets = [
        seen(probe="kernelcare", failure=TIMEOUT),
        seen(probe="imunify", failure=Failure("unreachable", "connection refused")),
        seen(probe="kernelcare", account="other", failure=TIMEOUT),
        seen(probe="els", failure=AUTH),
    ]
    outage, refused = found(*targets, status_of_cln())
    assert outage.text == (
        f"CLN at cln.example.net cannot be read (timeout): {TIMEOUT.text}; also failing: kernelcare, imunify of acme; "
        "kernelcare of other; there is no data to show"
    )
    assert (outage.severity, outage.alert, outage.since) == (WARNING, "ClnDown", "last read 1h ago, at 14:26 UTC")
    assert (refused.severity, refused.text[:28]) == (CRITICAL, "els of acme is failing (auth")
    assert len(found(*targets, status_of_cln(None))) == 4


def test_an_outage_of_another_cln() -> None:
    """Explains nothing here."""
    view = msgspec.structs.replace(status_of_cln().view, api="other.example.net")
    elsewhere = ProbeStatus(view, status_of_cln().settings)
    assert [each.alert for each in found(seen(failure=TIMEOUT), elsewhere)] == ["ClnDown", "ClnProbeFailing"]


def test_reasons_are_problems_of_their_own() -> None:
    """As they are mended in different ways; accounts as well."""
    limited = Failure("rate_limited", "HTTP status 429")
    targets = [seen(failure=limited), seen(probe="els", failure=REFUSED), seen(account="other", failure=limited)]
    assert [(each.alert, each.text[:20]) for each in found(*targets)] == [
        ("ClnRateLimited", "kernelcare of acme i"),
        ("ClnProbeFailing", "els of acme is faili"),
        ("ClnRateLimited", "kernelcare of other "),
    ]


def test_many_accounts_of_an_outage() -> None:
    """Are counted behind the first."""
    targets = [seen(account=f"a{number}", failure=TIMEOUT) for number in range(9)]
    (problem,) = found(*targets, status_of_cln())
    assert "also failing: kernelcare of a0, a1, a2 and 6 more; " in problem.text


def test_accounts_of_an_outage_with_probes_of_their_own() -> None:
    """Are counted behind the first as well."""
    targets = [
        seen(probe=probe, account=f"a{number}", failure=TIMEOUT)
        for number in range(5)
        for probe in ("kernelcare", "imunify", "els", "awp", "groups")[: number + 1]
    ]
    (problem,) = found(*targets, status_of_cln())
    assert "kernelcare of a0; kernelcare, imunify of a1; " in problem.text
    assert " of a2 and probes of 2 more accounts; " in problem.text


def test_missing_parts_are_details() -> None:
    """Each key that could not be read, where there are several."""
    observation = msgspec.structs.replace(
        kernelcare(key("c")), missing=(Missing("a", REFUSED), Missing("b", TIMEOUT)), expired_parts=()
    )
    (problem,) = found(seen(observation, failure=REFUSED))
    assert problem.details is not None
    assert problem.details.items == ["a (refused): Reseller not found", f"b (timeout): {TIMEOUT.text}"]
    assert "no data" not in problem.text


def test_some_without_data() -> None:
    """Are named."""
    (problem,) = found(seen(kernelcare(key("a")), failure=REFUSED), seen(probe="els", failure=REFUSED))
    assert problem.text.endswith("; there is no data to show for els of acme")


def test_some_accounts_without_data() -> None:
    """Are named in an outage with their probes, as others may show data of the same probes."""
    targets = [
        seen(kernelcare(key("a")), failure=TIMEOUT),
        *(seen(probe=probe, account="other", failure=TIMEOUT) for probe in ("kernelcare", "patch_status")),
    ]
    (problem,) = found(*targets, status_of_cln())
    assert problem.text.endswith(
        "; there is no data to show for status at cln.example.net; kernelcare, patch_status of other"
    )


def test_a_long_error_is_cut() -> None:
    """A page of HTML that came in place of JSON is not all quoted, be it many times."""
    failure = Failure("bad_answer", "x" * 5000)
    (problem,) = found(seen(failure=failure), seen(probe="els", failure=failure))
    assert len(problem.text) < 500
    assert problem.details is not None
    assert all(len(line) < 400 for line in problem.details.items)


@pytest.mark.parametrize(("later", "due"), [(1860, ""), (1861, "16m")])
def test_a_probe_that_does_not_run(later: float, due: str) -> None:
    """Is a problem once it is late by an interval, all probes of the account together."""
    targets = [seen(kernelcare(key("a")), now=NOW + later), seen(probe="els", now=NOW + later)]
    text = f"kernelcare, els of acme are overdue by {due}"
    assert [(each.severity, each.text, each.alert, each.since) for each in found(*targets, now=NOW + later)] == (
        [(WARNING, text, "ClnDataTooOld", "last read 31m ago, at 15:26 UTC")] if due else []
    )


def test_the_status_of_cln_that_is_late() -> None:
    """Belongs to no account, and is called by its host."""
    (problem,) = found(seen(probe="status", account="", now=NOW + 1861), now=NOW + 1861)
    assert problem.text == "status at cln.example.net is overdue by 16m"


def test_data_that_expired() -> None:
    """Is a problem, though nothing has failed; that it is late as well is not told beside it."""
    expired = kernelcare(key("a")).without_expired(NOW + 3601, 3600)
    (problem,) = found(seen(expired, now=NOW + 3601), now=NOW + 3601)
    assert problem.text == "The data of kernelcare of acme expired and is no longer shown"
    assert (problem.alert, problem.since) == ("ClnDataTooOld", "last read 60m ago, at 15:26 UTC")
