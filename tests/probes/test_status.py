"""The probe of CLN itself."""

from __future__ import annotations

from cln_monitor.probes import PROBES
from cln_monitor.probes.status import StatusFlag
from cln_monitor.simulator import Fault

from .conftest import Cln

STATUS = PROBES["status"]


def test_flags(cln: Cln) -> None:
    """The only part has the flags, sorted, with their values and good states."""
    cln.simulator.flags = {"xmlrpc": False, "rhn_overloaded": True, "rhn_queue_full": False, "new_in_2030": True}
    run = cln.run(STATUS)
    assert (run.failure, run.observation.account, run.observation.api) == (None, "", cln.client.api)
    (part,) = run.observation.parts
    assert part.value == [
        StatusFlag("new_in_2030", value=True, good=True),
        StatusFlag("rhn_overloaded", value=True, good=False),
        StatusFlag("rhn_queue_full", value=False, good=True),
        StatusFlag("xmlrpc", value=False, good=False),
    ]


def test_it_needs_no_credentials(cln: Cln) -> None:
    """The status is read by one call without a token."""
    cln.run(STATUS)
    (request,) = cln.simulator.requests
    assert (request.method, request.path, dict(request.query)) == ("GET", "/status.json", {})


def test_what_is_no_flag_is_left_out(cln: Cln) -> None:
    """Values that are not booleans are not flags."""
    cln.simulator.flags |= {"rhn_queue_rejects": 12, "acronis": ["a"], "nothing": None}
    (part,) = cln.run(STATUS).observation.parts
    assert {"rhn_queue_rejects", "acronis", "nothing"}.isdisjoint(flag.name for flag in part.value)
    assert len(part.value) == 8


def test_the_plain_form_serves_when_the_json_is_broken(cln: Cln) -> None:
    """/status.plain is used if the JSON is invalid."""
    cln.simulator.faults.add(Fault("html", "/status.json"))
    run = cln.run(STATUS)
    assert run.failure is None
    assert "xmlrpc" in [flag.name for flag in run.observation.parts[0].value]
    assert cln.asked() == ["/status.json", "/status.plain"]


def test_a_failure_is_named(cln: Cln) -> None:
    """A failed status is reported with its reason."""
    cln.simulator.faults.add(Fault("html"))
    run = cln.run(STATUS)
    assert run.observation.parts == ()
    assert [missing.name for missing in run.observation.missing] == ["flags"]
    assert run.failure is not None
    assert run.failure.reason == "bad_answer"
    assert "reading /status.json at 127.0.0.1:" in run.failure.text
