"""Tests of anomalies that show only in comparison with earlier responses."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cln_monitor import facts
from cln_monitor.cln import ImunifyServer
from cln_monitor.exporter.history import DAY, HOUR, EmptiedList, History, emptied_lists, failed_for, sizes_of
from cln_monitor.probes import Caution, Failure, Missing, Observation, Run
from cln_monitor.probes.cloudlinux import CloudLinuxKeyState, CloudLinuxProduct, CloudLinuxServerState
from cln_monitor.probes.els import ElsKeyState, ElsProduct, ElsServerState
from cln_monitor.probes.eportal import EportalFleet, EportalServerState
from cln_monitor.probes.imunify import ImunifyKeyServers
from cln_monitor.probes.ip_licenses import IpLicenseList, LicenseState
from cln_monitor.probes.status import StatusFlag
from tests.exporter.metrics.rendering import observed
from tests.helpers.clock import NOW
from tests.helpers.small_cln import KEY

from .conftest import Exporting


def flags(*names: str, at: float = NOW) -> Observation[Any]:
    """Return an observation of the status with these flags."""
    return observed({"flags": [StatusFlag(name, value=True, good=True) for name in names]}, probe="status", at=at)


def servers(*counts: int, at: float = NOW) -> Observation[Any]:
    """Return an observation of Imunify keys with these numbers of servers."""
    keys = [
        ImunifyKeyServers(
            f"k{place}", "", 0, None, [ImunifyServer(str(server), "192.0.2.1", at) for server in range(number)]
        )
        for place, number in enumerate(counts)
    ]
    return observed({key.key: key for key in keys}, probe="imunify", at=at)


def els(**counts: int) -> Observation[Any]:
    """Return an observation of ELS products with these numbers of servers."""
    products = {
        name: ElsProduct(
            name, [ElsKeyState("k", 0)], [ElsServerState("k", str(server), "", "") for server in range(number)]
        )
        for name, number in counts.items()
    }
    return observed(products, probe="els")


def cloudlinux(**counts: int) -> Observation[Any]:
    """Return an observation of CloudLinux OS products with these numbers of servers."""
    products = {
        name: CloudLinuxProduct(
            name,
            [CloudLinuxKeyState("k", 0)],
            [CloudLinuxServerState("k", str(server), "", "") for server in range(number)],
        )
        for name, number in counts.items()
    }
    return observed(products, probe="cloudlinux")


def eportal(number: int) -> Observation[Any]:
    """Return an observation of an ePortal with this number of servers."""
    fleet = EportalFleet([EportalServerState(str(server), "k", "main", "192.0.2.1", "") for server in range(number)])
    return observed({"servers": fleet}, probe="eportal")


def els_at(at: float, *facts_: str) -> Observation[Any]:
    """Return an observation of an ELS product with a server, with cautions of these facts."""
    product = ElsProduct("CELS", [ElsKeyState("k", 0)], [ElsServerState("k", "1", "", "")])
    cautions = tuple(Caution(fact, ("lastCheckin of 1 server of CELS",)) for fact in facts_)
    observation = observed({"CELS": product}, probe="els", at=at)
    (part,) = observation.parts
    return msgspec.structs.replace(observation, parts=(msgspec.structs.replace(part, cautions=cautions),))


def test_check_ins_that_cln_never_reported() -> None:
    """Check-ins that were never reported stay a fact of severity info."""
    untold = els_at(NOW, facts.CHECKIN_NOT_TOLD)
    history, _ = History().updated_with(untold)
    assert history.with_missing_checkins(untold) is untold


def test_check_ins_that_cln_no_longer_reports() -> None:
    """Check-ins that were reported within a week are a missing field, also after a restart."""
    history, _ = History().updated_with(els_at(NOW))
    saved = msgspec.msgpack.decode(msgspec.msgpack.encode(history), type=History)
    for days in (0, 6):
        untold = els_at(NOW + days * DAY, facts.CHECKIN_NOT_TOLD)
        saved, _ = saved.updated_with(untold)
        (part,) = saved.with_missing_checkins(untold).parts
        assert part.cautions == (Caution(facts.FIELD_MISSING, ("lastCheckin of 1 server of CELS",)),)
    untold = els_at(NOW + 8 * DAY, facts.CHECKIN_NOT_TOLD)
    saved, _ = saved.updated_with(untold)
    assert saved.with_missing_checkins(untold) is untold


def cautions_of(*observations: Observation[Any]) -> tuple[Caution, ...]:
    """Return the cautions for the last of ``observations`` after the others."""
    history = History()
    cautions: tuple[Caution, ...] = ()
    for observation in observations:
        history, cautions = history.updated_with(observation)
    return cautions


def dropped(before: int, now: int, hours: float = 1.0, between: tuple[tuple[float, int], ...] = ()) -> list[str]:
    """Return the cautions after a change of the number of servers, with the counts ``between`` by hour."""
    observations = [servers(number, at=NOW + hour * HOUR) for hour, number in between]
    cautions = cautions_of(servers(before), *observations, servers(now, at=NOW + hours * HOUR))
    return [f"{caution.fact}: {name}" for caution in cautions for name in caution.names]


def test_a_missing_flag() -> None:
    """A flag that was reported before is missing for a week; one that was never reported is not missing."""
    assert cautions_of(flags("a", "b")) == ()
    assert cautions_of(flags("a", "b"), flags("a", at=NOW + 60)) == Caution.for_names("flag_missing", ["b"])
    assert cautions_of(flags("a", "b"), flags("a", at=NOW + 60), flags("a", "b", at=NOW + 120)) == ()
    assert cautions_of(flags("a", "b"), flags("a", at=NOW + 7 * DAY)) == Caution.for_names("flag_missing", ["b"])
    assert cautions_of(flags("a", "b"), flags("a", at=NOW + 7 * DAY + 1)) == ()


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (10, 4, ["servers_dropped: imunify fell from 10 to 4 within 1h"]),
        (10, 5, []),
        (11, 5, ["servers_dropped: imunify fell from 11 to 5 within 1h"]),
        (6, 2, []),
        (7, 2, ["servers_dropped: imunify fell from 7 to 2 within 1h"]),
        (2, 0, ["servers_gone: imunify fell from 2 to 0 within 1d"]),
        (1, 0, []),
        (0, 9, []),
    ],
)
def test_lost_servers(before: int, now: int, expected: list[str]) -> None:
    """The loss of more than half and at least 5 servers, or of the last of 2 or more, within an hour is a caution."""
    assert dropped(before, now) == expected
    # A drop to 0 is a caution at once; a smaller drop only after an hour, as servers may be being removed.
    assert dropped(before, now, hours=0.99) == (expected if now == 0 else [])


def test_servers_lost_within_a_day() -> None:
    """Losses add up over a day, and counts older than a day are ignored."""
    slowly = tuple((float(hour), 24 - hour) for hour in range(1, 24))
    assert dropped(24, 6, 24, slowly) == ["servers_dropped: imunify fell from 24 to 6 within 1d"]
    assert dropped(24, 12, 24, tuple((float(hour), 12) for hour in range(1, 24))) == []
    assert dropped(99, 9, 49, ((24.0, 9), (48.0, 9))) == []
    assert dropped(99, 9, 72) == []
    assert dropped(99, 0, 72) == []


def test_recorded_counts() -> None:
    """The history has one count per five minutes over slightly more than a day."""
    history = History()
    for minute in range(3 * 24 * 60):
        history, _ = history.updated_with(servers(3, at=NOW + minute * 60))
    (counts,) = history.counts.values()
    assert 25 * 12 <= len(counts) <= 25 * 12 + 2


def test_an_incomplete_observation() -> None:
    """An incomplete observation causes no cautions and is not recorded."""
    failed = msgspec.structs.replace(
        servers(0, at=NOW + HOUR), missing=(Missing("k1", Failure("timeout", "no answer")),)
    )
    assert cautions_of(servers(10), failed) == ()
    history, _ = History().updated_with(servers(10))
    assert history.updated_with(failed)[0] is history


def test_sizes() -> None:
    """Sizes are by product for probes with several products, and empty for probes without servers."""
    assert sizes_of(servers(1, 2)) == {"": 3}
    assert sizes_of(els(CELS=2, OELS=0)) == {"CELS": 2, "OELS": 0}
    assert sizes_of(cloudlinux(CL=2, CLP=0)) == {"CL": 2, "CLP": 0}
    licenses = IpLicenseList(licenses=[LicenseState("192.0.2.1", "a", True, None)])
    assert sizes_of(observed({"licenses": licenses, "check-ins 1": IpLicenseList()}, probe="ip_licenses")) == {"": 1}
    assert sizes_of(eportal(2)) == {"": 2}
    assert sizes_of(flags("a")) == {}


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (servers(3), servers(), ["the list of keys fell from 1 to none", "the servers fell from 3 to none"]),
        (servers(3, 2), servers(0, 0), ["the servers fell from 5 to none"]),
        (servers(3, 2), servers(0, 1), []),
        (servers(0), servers(0), []),
        (servers(), servers(), []),
        (els(CELS=2, OELS=1), els(CELS=0, OELS=1), ["the servers of CELS fell from 2 to none"]),
        (els(CELS=2, OELS=1), els(OELS=1), []),  # a product that was removed from the configuration
        (cloudlinux(CL=2, CLP=1), cloudlinux(CL=0, CLP=1), ["the servers of CL fell from 2 to none"]),
        (eportal(2), eportal(0), ["the servers fell from 2 to none"]),
        (None, servers(), []),
    ],
)
def test_emptied_lists(before: Observation[Any] | None, now: Observation[Any], expected: list[str]) -> None:
    """An emptied list of keys, or of all servers of a product, is found; that of a single key is ignored."""
    assert [list_.text for list_ in emptied_lists(before, now)] == expected


def test_an_emptied_list_of_keys_with_servers() -> None:
    """An emptied list of keys is found even if the servers are still listed."""
    before = els(CELS=2)
    product = before.parts[0].value
    now = observed({"CELS": msgspec.structs.replace(product, keys=[])}, probe="els")
    assert emptied_lists(before, now) == [EmptiedList("CELS", "the list of keys of CELS fell from 1 to none")]
    assert sizes_of(now) == {"CELS": 0}


def test_an_emptied_list_of_one_product() -> None:
    """The run fails for the product with the emptied list, and the other products are accepted."""
    emptied = EmptiedList("CELS", "the servers of CELS fell from 2 to none")
    run = failed_for(Run(els(CELS=0, OELS=1), NOW, 1.0), [emptied])
    assert [part.name for part in run.observation.parts] == ["OELS"]
    assert run.failure == Failure("bad_answer", "the servers of CELS fell from 2 to none; waiting for a second poll")


class TestThroughTheExporter:
    """Tests of the history of a target that is polled."""

    @pytest.fixture
    def fleet(self, exporting: Exporting) -> Exporting:
        """An exporter of a key with six servers, polled an hour ago and now."""
        key = exporting.account.add_kernelcare_key(KEY, limit=0)
        for number in range(6):
            key.add_server(f"s{number}", ip=f"192.0.2.{number}", last_checkin=exporting.clock.time())
        exporting.run("kernelcare")
        exporting.clock.advance(HOUR)
        exporting.run("kernelcare")
        return exporting

    def test_a_list_that_is_empty_once(self, fleet: Exporting) -> None:
        """An emptied list fails the first poll and keeps the data; at the second poll it is accepted as a caution."""
        before = fleet.samples("cln_kernelcare")
        fleet.account.remove_kernelcare_key(KEY)
        fleet.run("kernelcare")
        target = fleet.target("kernelcare")
        assert target.report().failure == Failure(
            "bad_answer", "the list of keys fell from 1 to none; waiting for a second poll"
        )
        assert fleet.samples("cln_kernelcare") == before
        fleet.clock.advance(449)
        fleet.run("kernelcare")  # a request to /probe soon after
        assert fleet.samples("cln_kernelcare") == before
        fleet.clock.advance(2)
        fleet.run("kernelcare")
        assert target.report().failure is None
        assert fleet.samples("cln_kernelcare") == []
        (caution,) = fleet.samples("cln_probe_cautions")
        assert caution.endswith('fact="servers_gone"} 1')

    def test_a_reload_and_a_restart(self, fleet: Exporting) -> None:
        """The history survives a reload and a restart; after a change of the shard it starts again."""
        saved = fleet.target("kernelcare").snapshot()
        assert saved is not None
        assert saved.history.counts[""][0][1] == 6
        fleet.configure("concurrency: 3")
        assert fleet.service.reload() is None
        for number in range(5):
            fleet.account.kernelcare_keys[KEY].remove_server(f"s{number}")
        fleet.run("kernelcare")
        (caution,) = fleet.samples("cln_probe_cautions")
        assert caution.endswith('fact="servers_dropped"} 1')
        fleet.configure("shard: 0/2")
        assert fleet.service.reload() is None
        fleet.run("kernelcare")
        assert fleet.samples("cln_probe_cautions") == []

    def test_what_is_logged(self, fleet: Exporting, capsys: pytest.CaptureFixture[str]) -> None:
        """Unexpected data are logged once when they begin and once when they end."""
        fleet.account.kernelcare_keys[KEY].limit = -5
        fleet.run("kernelcare", "kernelcare")
        fleet.account.kernelcare_keys[KEY].limit = 5
        fleet.run("kernelcare", "kernelcare")
        lines = [line for line in capsys.readouterr().out.splitlines() if "unexpected data" in line]
        assert ["resolved" in line for line in lines] == [False, True]
        assert all("limit_unreadable" in line for line in lines)
        assert "1 key has a limit that cannot be read" in lines[0]
        assert "warning" in lines[0]
