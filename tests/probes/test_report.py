"""Reports of probes, and their JSON."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cln_monitor.probes import FORMAT, PROBES, Observation, Part, ProbeReport, ProbeSettings
from cln_monitor.simulator import Fault
from tests.helpers.clock import NOW

from .conftest import Cln


def settings_of(name: str) -> ProbeSettings:
    """Return the default settings of a probe."""
    return PROBES[name].settings()  # type: ignore[call-arg] # the settings of each probe have defaults


def test_of_a_good_run(cln: Cln) -> None:
    """The report of a successful run has its data and the time of the success."""
    cln.account.add_kernelcare_key("WEBKEY0000000001").add_server()
    run = cln.run(PROBES["kernelcare"])
    view = ProbeReport.of_run(run, settings_of("kernelcare"))
    assert (view.format, view.probe, view.account, view.api) == (FORMAT, "kernelcare", "acme", cln.client.api)
    assert (view.interval, view.max_age) == (900.0, 3600.0)
    assert (view.last_run, view.last_success, view.failure) == (NOW, NOW, None)
    assert view.observation == run.observation.undated()
    assert (view.parts_ok, view.parts_missing) == (1, 0)


def test_of_a_failed_run(cln: Cln) -> None:
    """The report of a failed run has the failure and no success."""
    cln.simulator.faults.add(Fault("html"))
    run = cln.run(PROBES["kernelcare"])
    view = ProbeReport.of_run(run, settings_of("kernelcare"))
    assert (view.last_success, view.failure) == (None, run.failure)
    assert (view.parts_ok, view.parts_missing) == (0, 1)
    assert run.failure is not None


@pytest.mark.parametrize("name", PROBES)
def test_json_is_read_back_the_same(name: str, cln: Cln) -> None:
    """A report that is encoded as JSON is decoded to the same report."""
    cln.account.add_kernelcare_key("WEBKEY0000000001", note="Köln 🚀").add_server(patch_state="outofdate")
    cln.account.add_imunify_key("IMKEY00000000001").add_server(last_checkin=None)
    cln.account.add_ip_license("192.0.2.1", 16)
    cln.account.add_group("web")
    run = cln.run(PROBES[name])
    assert run.failure is None
    view = ProbeReport.of_run(run, settings_of(name))
    read = msgspec.json.decode(msgspec.json.encode(view), type=ProbeReport)
    assert msgspec.structs.replace(read, observation=None) == msgspec.structs.replace(view, observation=None)
    kind: Any = type(run.observation.parts[0].value)
    if kind is list:
        kind = list[type(run.observation.parts[0].value[0])]  # type: ignore[misc] # the type of what is in it
    observation = msgspec.convert(msgspec.to_builtins(read.observation), Observation[kind])
    assert observation == run.observation.undated()
    assert isinstance(observation.parts[0], Part)
