"""Every sample of the API document, enveloped and bare, is read or refused by the client as intended."""

from __future__ import annotations

from typing import Any

import pytest

from cln_monitor.cln import AuthorizationError, Client, ClnError, NotDoneError, RefusedError
from cln_monitor.simulator import Fault
from tests.cli.account import Cln
from tests.helpers.replay import Style, replaying
from tests.helpers.samples import SAMPLES, Sample

from .document import CALLS, Call

pytestmark = pytest.mark.unmeasured

_CASES = [
    pytest.param(call, place, id=f"{call.path} {place}")
    for call in CALLS
    for place in range(len(SAMPLES[call.method, call.path]))
]


def meant(sample: Sample | str) -> type[ClnError] | None:
    """Return the kind of error that a sample is, or None for a success."""
    if isinstance(sample, str):
        return (
            None if sample.startswith(("KernelCare OK", "success:true code:0", "success:true\ndb_")) else RefusedError
        )
    if not sample.success:
        return AuthorizationError
    if sample.data is None or sample.data is False:
        return NotDoneError
    return RefusedError if sample.data in ({"code": 1}, {"code": 2}, {"code": 3}) else None


def outcome(cln: Cln, client: Client, call: Call, style: Style, place: int) -> Any:
    """Return the client's result for a sample, or the kind of its error."""
    with replaying(cln.simulator, style, place):
        try:
            return call.make(client)
        except ClnError as error:
            return type(error)


@pytest.mark.parametrize(("call", "place"), _CASES)
def test_samples(call: Call, place: int, cln: Cln, client: Client) -> None:
    """Both styles give the same result, apart from the envelope, and errors are the intended ones."""
    if call.path == "/status.plain":
        cln.simulator.faults.add(Fault("html", "/status.json"))
    sample = SAMPLES[call.method, call.path][place]
    enveloped = outcome(cln, client, call, "enveloped", place)
    error = meant(sample)
    if call.path == "/status.plain" and error is not None:
        assert issubclass(enveloped, ClnError)  # the one of /status.json
    elif error is not None:
        assert issubclass(enveloped, error)
    else:
        assert not (isinstance(enveloped, type) and issubclass(enveloped, ClnError))
    bare = outcome(cln, client, call, "bare", place)
    assert bare == (NotDoneError if isinstance(sample, Sample) and not sample.success else enveloped)


def test_rows_that_repeat(cln: Cln, client: Client) -> None:
    """A server that the document's sample lists twice is returned once."""
    with replaying(cln.simulator):
        assert len(client.groups.add_servers("NAME", ["SERVER-1"])) == 1
