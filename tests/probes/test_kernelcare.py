"""The probe of KernelCare keys and servers."""

from __future__ import annotations

import msgspec
import pytest

from cln_monitor.cln import KernelCareServer, mask_key
from cln_monitor.probes import PROBES
from cln_monitor.probes.kernelcare import KernelCareKeyServers
from cln_monitor.simulator import Fault
from tests.helpers.clock import NOW

from .conftest import Cln

KERNELCARE = PROBES["kernelcare"]
MINUTE = NOW - NOW % 60
"""CLN's dates have no seconds."""


def test_keys_and_servers(cln: Cln) -> None:
    """Each key is a part with its data and its servers."""
    web = cln.account.add_kernelcare_key("WEBKEY0000000001", limit=3, note="Web", created=MINUTE)
    web.add_server("one", ip="192.0.2.1", created=MINUTE - 60, last_checkin=MINUTE)
    web.add_server("two", ip="2001:db8::1", created=MINUTE, last_checkin=None)
    cln.account.add_kernelcare_key("EMPTYKEY00000001", limit=0, enabled=False)
    run = cln.run(KERNELCARE)
    assert (run.failure, run.observation.list_known) == (None, True)
    assert [part.value for part in run.observation.parts] == [
        KernelCareKeyServers(
            key="WEBKEY0000000001",
            note="Web",
            enabled=True,
            limit=3,
            servers=[
                KernelCareServer("one", "192.0.2.1", MINUTE - 60, MINUTE),
                KernelCareServer("two", "2001:db8::1", MINUTE, None),
            ],
        ),
        KernelCareKeyServers("EMPTYKEY00000001", note="", enabled=False, limit=0, servers=[]),
    ]
    assert [part.name for part in run.observation.parts] == ["WEBKEY0000000001", "EMPTYKEY00000001"]
    assert cln.asked() == ["/kcare/key/list.json", "/kcare/key/servers.json", "/kcare/key/servers.json"]


def test_keys_go_by_their_labels(cln: Cln) -> None:
    """The observation has labels instead of license keys."""
    cln.key_label = mask_key
    for number in range(3):
        cln.account.add_kernelcare_key(f"PL4NTEDKEY{number:06}").add_server()
    cln.simulator.faults.add(Fault("status", "/kcare/key/servers.json", match="PL4NTEDKEY000001", status=404))
    observation = cln.run(KERNELCARE).observation
    assert {part.name for part in observation.parts} == {mask_key("PL4NTEDKEY000000"), mask_key("PL4NTEDKEY000002")}
    assert [missing.name for missing in observation.missing] == [mask_key("PL4NTEDKEY000001")]
    assert "PL4NTEDKEY" not in repr(observation)


def test_an_account_without_keys(cln: Cln) -> None:
    """An account without keys is not an error."""
    run = cln.run(KERNELCARE)
    assert (run.failure, run.observation.parts, run.observation.missing) == (None, (), ())
    assert run.observation.list_known


def test_one_key_that_fails(cln: Cln) -> None:
    """A failed key is missing with its reason, and the others are read."""
    for name in ("GOODKEY000000001", "BADKEY0000000001", "GOODKEY000000002"):
        cln.account.add_kernelcare_key(name).add_server()
    cln.simulator.faults.add(Fault("cut", "/kcare/key/servers.json", match="BADKEY"))
    run = cln.run(KERNELCARE)
    assert [part.name for part in run.observation.parts] == ["GOODKEY000000001", "GOODKEY000000002"]
    assert [(missing.name, missing.failure.reason) for missing in run.observation.missing] == [
        ("BADKEY0000000001", "bad_answer")
    ]
    assert run.observation.list_known
    assert run.failure == run.observation.missing[0].failure


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        pytest.param(Fault("html", "/kcare/key/list.json"), "bad_answer", id="html"),
        pytest.param(Fault("empty", "/kcare/key/list.json"), "bad_answer", id="empty"),
        pytest.param(Fault("cut", "/kcare/key/list.json"), "bad_answer", id="cut"),
        pytest.param(Fault("status", "/kcare/key/list.json", status=401), "auth", id="401"),
        pytest.param(Fault("status", "/kcare/key/list.json", status=429), "rate_limited", id="429"),
        pytest.param(Fault("reset", "/kcare/key/list.json"), "unreachable", id="reset"),
        pytest.param(Fault("skew", seconds=7200), "auth", id="clock-skew"),
    ],
)
def test_the_list_of_keys_fails(fault: Fault, reason: str, cln: Cln) -> None:
    """A failed list of keys leaves all keys unknown."""
    cln.account.add_kernelcare_key().add_server()
    cln.simulator.faults.add(fault)
    observation = cln.run(KERNELCARE).observation
    assert (observation.parts, observation.list_known) == ((), False)
    assert [(missing.name, missing.failure.reason) for missing in observation.missing] == [("", reason)]


def test_servers_of_a_vanished_key(cln: Cln) -> None:
    """A key that is deleted between two calls is missing once."""
    cln.account.add_kernelcare_key("GOODKEY000000001")
    cln.account.add_kernelcare_key("GONEKEY000000001")
    refusal = '{"success": false, "message": "Key not found"}'
    cln.simulator.faults.add(Fault("answer", "/kcare/key/servers.json", match="GONEKEY", body=refusal, times=1))
    first = cln.run(KERNELCARE)
    assert [(missing.name, missing.failure.reason) for missing in first.observation.missing] == [
        ("GONEKEY000000001", "refused")
    ]
    cln.account.remove_kernelcare_key("GONEKEY000000001")
    second = cln.run(KERNELCARE)
    assert (second.failure, len(second.observation.parts)) == (None, 1)


@pytest.mark.parametrize("name", ["WEBKEY0000000001", mask_key("WEBKEY0000000001")], ids=["key", "label"])
def test_only_some_keys(name: str, cln: Cln) -> None:
    """With only_keys, in full or masked, no calls are made for other keys."""
    cln.key_label = mask_key
    for key in ("WEBKEY0000000001", "OTHERKEY00000001"):
        cln.account.add_kernelcare_key(key)
    source = msgspec.structs.replace(cln.source(KERNELCARE), only_keys=[name])
    assert list(KERNELCARE.plan(source).readers) == [mask_key("WEBKEY0000000001")]
    assert list(KERNELCARE.plan(msgspec.structs.replace(source, only_keys=["nobody's"])).readers) == []


@pytest.mark.parametrize("enabled", [True, False])
def test_nothing_is_odd_about_a_disabled_key(enabled: bool, cln: Cln) -> None:
    """A disabled key causes no cautions."""
    key = cln.account.add_kernelcare_key("WEBKEY0000000001", enabled=enabled)
    key.add_server(ip="192.0.2.1", last_checkin=NOW + 86400)
    row = f'{{"key": "{key.key}", "limit": "1,000", "enabled": {str(enabled).lower()}}}'
    body = f'{{"success": true, "data": [{row}]}}'
    cln.simulator.faults.add(Fault("answer", "/kcare/key/list.json", body=body))
    facts = [caution.fact for caution in cln.run(KERNELCARE).observation.all_cautions]
    assert facts == (["limit_unreadable", "checkin_ahead"] if enabled else [])
