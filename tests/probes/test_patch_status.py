"""The probe of the patch status: keys of the account, monitoring keys, and the account as a whole."""

from __future__ import annotations

import msgspec
import pytest

from cln_monitor.cln import PatchedHost, Secret, mask_key
from cln_monitor.facts import Phrase
from cln_monitor.policy import Severity
from cln_monitor.probes import PROBES, Failure, Missing, phrases_of
from cln_monitor.probes.patch_status import RESELLER, PatchState
from cln_monitor.simulator import Fault

from .conftest import TOKEN, Cln

PATCH_STATUS = PROBES["patch_status"]
KEY, EMPTY_KEY, MONITORING_KEY = "WEBKEY0000000001", "EMPTYKEY00000001", "MonitoringKey00001"


@pytest.fixture
def fleet(cln: Cln) -> Cln:
    """A key with three servers, one out of date and one unsupported."""
    key = cln.account.add_kernelcare_key(KEY)
    key.add_server(ip="192.0.2.1", hostname="good.example.net")
    key.add_server(ip="192.0.2.2", hostname="old.example.net", patch_state="outofdate")
    key.add_server(ip="192.0.2.3", hostname="odd.example.net", patch_state="unsupported")
    return cln


COUNTS = {"uptodate": 1, "outofdate": 1, "unsupported": 1, "inactive": 0}
OF_KEY = PatchState(
    "key",
    KEY,
    ok=False,
    counts=COUNTS,
    hosts=[
        PatchedHost("old.example.net", "192.0.2.2", "outofdate"),
        PatchedHost("odd.example.net", "192.0.2.3", "unsupported"),
    ],
)
OF_ACCOUNT = PatchState("reseller", "", ok=False, counts=COUNTS, hosts=[])


def states(cln: Cln, *scopes: str) -> dict[str, object]:
    """Return the values of a run by part."""
    run = cln.run(PATCH_STATUS, **({"scopes": list(scopes)} if scopes else {}))
    assert run.failure is None, run.failure
    return {part.name: part.value for part in run.observation.parts}


def test_keys_and_account(fleet: Cln) -> None:
    """Each key is a part with its hosts, and the account is one with counts only."""
    assert states(fleet) == {KEY: OF_KEY, RESELLER: OF_ACCOUNT}


@pytest.mark.parametrize(
    ("scope", "part", "asked"),
    [
        pytest.param("key", KEY, ["/kcare/key/list.json", f"/kcare/nagios/{KEY}"], id="key"),
        pytest.param("reseller", RESELLER, ["/kcare/nagios-res/acme_login/…"], id="reseller"),
    ],
)
def test_scopes(scope: str, part: str, asked: list[str], fleet: Cln) -> None:
    """A scope that is not configured is not requested."""
    assert list(states(fleet, scope)) == [part]
    assert [path.partition("acme_login|")[0] + "…" * ("|" in path) for path in fleet.asked()] == asked


def test_a_key_without_servers(fleet: Cln) -> None:
    """A key without servers is a part with counts of 0, according to the list of servers."""
    fleet.account.add_kernelcare_key(EMPTY_KEY)
    seen = states(fleet)
    zero = dict.fromkeys(COUNTS, 0)
    assert seen[EMPTY_KEY] == PatchState("key", EMPTY_KEY, ok=True, counts=zero, hosts=[])
    assert fleet.asked().count("/kcare/key/servers.json") == 1


def test_a_key_whose_servers_the_answer_denies(fleet: Cln) -> None:
    """A key with servers but without a patch status is a failure."""
    fleet.simulator.faults.add(
        Fault("answer", f"/kcare/nagios/{KEY}", body=f"Servers not found for key {KEY}", content_type="text/plain")
    )
    run = fleet.run(PATCH_STATUS)
    assert [part.name for part in run.observation.parts] == [RESELLER]
    assert [(missing.name, missing.failure.reason) for missing in run.observation.missing] == [(KEY, "refused")]


def test_a_key_whose_list_of_servers_fails(fleet: Cln) -> None:
    """A key without a patch status is a failure if the list of servers fails."""
    fleet.account.add_kernelcare_key(EMPTY_KEY)
    fleet.simulator.faults.add(Fault("html", "/kcare/key/servers.json"))
    run = fleet.run(PATCH_STATUS)
    assert [(missing.name, missing.failure.reason) for missing in run.observation.missing] == [
        (EMPTY_KEY, "bad_answer")
    ]


def test_a_monitoring_key(fleet: Cln) -> None:
    """A monitoring key that is not in the list is requested, and shown by its label."""
    fleet.key_label = mask_key
    fleet.account.add_monitoring_key(MONITORING_KEY)
    fleet.monitoring_keys = lambda: [Secret(MONITORING_KEY)]
    seen = states(fleet)
    assert set(seen) == {mask_key(KEY), mask_key(MONITORING_KEY), RESELLER}
    state = seen[mask_key(MONITORING_KEY)]
    assert isinstance(state, PatchState)
    assert (state.scope, state.key, state.counts) == ("key", mask_key(MONITORING_KEY), COUNTS)
    assert MONITORING_KEY not in repr(seen)


def test_an_unknown_monitoring_key(fleet: Cln) -> None:
    """An unknown monitoring key of the configuration is a failure."""
    fleet.monitoring_keys = lambda: [Secret(MONITORING_KEY)]
    run = fleet.run(PATCH_STATUS)
    assert {part.name for part in run.observation.parts} == {KEY, RESELLER}
    assert [(missing.name, missing.failure.reason) for missing in run.observation.missing] == [
        (MONITORING_KEY, "refused")
    ]
    assert "/kcare/key/servers.json" not in fleet.asked()


def test_a_listed_key_that_is_configured_too(fleet: Cln) -> None:
    """A listed key that is also a monitoring key is one part."""
    fleet.account.add_kernelcare_key(EMPTY_KEY)
    fleet.monitoring_keys = lambda: [Secret(KEY), Secret(EMPTY_KEY)]
    seen = states(fleet)
    assert (seen[KEY], len(seen)) == (OF_KEY, 3)
    assert fleet.asked().count(f"/kcare/nagios/{KEY}") == 1


def test_only_some_keys(fleet: Cln) -> None:
    """With only_keys neither the list of keys nor the monitoring keys are read."""
    fleet.monitoring_keys = lambda: [Secret(MONITORING_KEY)]
    source = msgspec.structs.replace(fleet.source(PATCH_STATUS, scopes=["key"]), only_keys=[KEY])
    plan = PATCH_STATUS.plan(source)
    assert {name: read().value for name, read in plan.readers.items()} == {KEY: OF_KEY}
    assert (plan.missing, plan.list_known) == ([], True)
    assert fleet.asked() == [f"/kcare/nagios/{KEY}"]


def test_without_the_list_of_keys(fleet: Cln) -> None:
    """Parts that do not need the list are read if the list fails."""
    fleet.account.add_monitoring_key(MONITORING_KEY)
    fleet.monitoring_keys = lambda: [Secret(MONITORING_KEY)]
    fleet.simulator.faults.add(Fault("html", "/kcare/key/list.json"))
    observation = fleet.run(PATCH_STATUS).observation
    assert {part.name for part in observation.parts} == {MONITORING_KEY, RESELLER}
    assert [missing.name for missing in observation.missing] == [""]
    assert not observation.list_known


@pytest.mark.parametrize(
    ("error", "why"),
    [
        pytest.param(FileNotFoundError(2, "No such file", "/etc/pl4nted"), "No such file", id="missing"),
        pytest.param(ValueError("is empty"), "the file is empty", id="empty"),
    ],
)
def test_monitoring_keys_that_cannot_be_read(error: Exception, why: str, fleet: Cln) -> None:
    """An unreadable file of monitoring keys is a failure with reason auth; other parts are read."""

    def unreadable() -> list[Secret]:
        raise error

    fleet.monitoring_keys = unreadable
    observation = fleet.run(PATCH_STATUS).observation
    assert {part.name for part in observation.parts} == {KEY, RESELLER}
    failure = Failure("auth", f"cannot read the monitoring keys: {why}")
    assert (observation.missing, observation.list_known) == ((Missing("", failure),), False)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param("Registration token not found for reseller acme_login not found", "auth", id="wrong-token"),
        pytest.param("Group not found", "bad_answer", id="unknown-text"),
    ],
)
def test_the_account_fails(answer: str, reason: str, fleet: Cln) -> None:
    """A bad response for the account does not affect the keys."""
    fleet.simulator.faults.add(Fault("answer", "/kcare/nagios-res/*", body=answer, content_type="text/plain"))
    run = fleet.run(PATCH_STATUS)
    assert [part.name for part in run.observation.parts] == [KEY]
    assert [(missing.name, missing.failure.reason) for missing in run.observation.missing] == [(RESELLER, reason)]
    assert TOKEN not in repr(run)


def not_a_reseller(fleet: Cln) -> None:
    """Let CLN have no reseller for the login of the account."""
    fleet.simulator.faults.add(
        Fault("answer", "/kcare/nagios-res/*", body="Reseller not found", content_type="text/plain")
    )


def test_an_account_without_reseller_access(fleet: Cln) -> None:
    """Reseller access by default is not available instead of a failure."""
    not_a_reseller(fleet)
    run = fleet.run(PATCH_STATUS)
    assert run.failure is None
    assert [part.name for part in run.observation.parts] == [KEY]
    [unavailable] = run.observation.unavailable
    assert (unavailable.name, unavailable.subject) == (RESELLER, "reseller access")
    assert "Reseller not found" in unavailable.text
    assert phrases_of(run.observation.all_cautions) == [
        Phrase(Severity.INFO, "not_available", "not available to this account: reseller access")
    ]


def test_a_reseller_scope_that_the_operator_wrote(fleet: Cln) -> None:
    """A configured reseller scope is a failure without reseller access."""
    not_a_reseller(fleet)
    observation = fleet.run(PATCH_STATUS, scopes=["key", "reseller"]).observation
    assert [(missing.name, missing.failure.reason) for missing in observation.missing] == [(RESELLER, "refused")]
    assert not observation.unavailable


def test_a_login_that_cln_does_not_know(fleet: Cln) -> None:
    """An unknown login is a failure, not missing reseller access."""
    not_a_reseller(fleet)
    fleet.simulator.faults.add(Fault("status", "/kcare/key/list.json", status=401))
    observation = fleet.run(PATCH_STATUS).observation
    assert {missing.name for missing in observation.missing} == {"", RESELLER}
    assert not observation.unavailable


def test_an_account_without_any_key(cln: Cln) -> None:
    """An account without keys and reseller access is an empty result and not a failure."""
    not_a_reseller(cln)
    observation = cln.run(PATCH_STATUS).observation
    assert (observation.failure, observation.has_data, observation.parts) == (None, True, ())


def test_a_disabled_key_whose_servers_cln_does_not_find(fleet: Cln) -> None:
    """A disabled key without a patch status is not available; an enabled one is missing."""
    fleet.simulator.faults.add(
        Fault("answer", f"/kcare/nagios/{KEY}", body=f"Servers not found for key {KEY}", content_type="text/plain")
    )
    assert fleet.run(PATCH_STATUS).observation.missing[0].failure.reason == "refused"
    fleet.account.kernelcare_keys[KEY].enabled = False
    observation = fleet.run(PATCH_STATUS).observation
    assert not observation.missing
    assert [each.subject for each in observation.unavailable] == [f"the patch status of the disabled key {KEY}"]


@pytest.mark.parametrize("enabled", [True, False])
def test_a_disabled_key_is_known_as_such(enabled: bool, fleet: Cln) -> None:
    """The state of a disabled key is marked as disabled."""
    fleet.account.kernelcare_keys[KEY].enabled = enabled
    [part] = fleet.run(PATCH_STATUS, scopes=["key"]).observation.parts
    assert part.value.is_disabled is not enabled
