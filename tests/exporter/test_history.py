"""What an answer can only be judged by with those before it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cln_monitor.cln import ImunifyServer
from cln_monitor.exporter.history import DAY, HOUR, Fall, History, doubted, sizes_of, what_fell
from cln_monitor.probes import Caution, Failure, Missing, Observation, Run
from cln_monitor.probes.els import ElsKeyState, ElsProduct, ElsServerState
from cln_monitor.probes.imunify import ImunifyKeyServers
from cln_monitor.probes.ip_licenses import IpLicenseList, LicenseState
from cln_monitor.probes.status import StatusFlag
from tests.exporter.metrics.rendering import observed
from tests.helpers.clock import NOW
from tests.helpers.small_cln import KEY

from .conftest import Exporting


def flags(*names: str, at: float = NOW) -> Observation[Any]:
    """Return a status of these flags."""
    return observed({"flags": [StatusFlag(name, value=True, good=True) for name in names]}, probe="status", at=at)


def servers(*of_keys: int, at: float = NOW) -> Observation[Any]:
    """Return an account of Imunify keys with so many servers each."""
    keys = [
        ImunifyKeyServers(
            f"k{place}", "", 0, None, [ImunifyServer(str(each), "192.0.2.1", at) for each in range(number)]
        )
        for place, number in enumerate(of_keys)
    ]
    return observed({key.key: key for key in keys}, probe="imunify", at=at)


def els(**of_products: int) -> Observation[Any]:
    """Return an account of ELS products with so many servers each."""
    products = {
        name: ElsProduct(
            name, [ElsKeyState("k", 0)], [ElsServerState("k", str(each), "", "") for each in range(number)]
        )
        for name, number in of_products.items()
    }
    return observed(products, probe="els")


def after(*seen: Observation[Any]) -> tuple[Caution, ...]:
    """Return what the last of these gives rise to behind the others."""
    history = History()
    cautions: tuple[Caution, ...] = ()
    for each in seen:
        history, cautions = history.after(each)
    return cautions


def dropped(before: int, now: int, hours: float = 1.0, between: tuple[tuple[float, int], ...] = ()) -> list[str]:
    """Return what is told of servers that were so many before, with what was seen ``between`` at which hour."""
    some = [servers(number, at=NOW + hour * HOUR) for hour, number in between]
    cautions = after(servers(before), *some, servers(now, at=NOW + hours * HOUR))
    return [f"{caution.fact}: {name}" for caution in cautions for name in caution.names]


def test_a_flag_that_vanishes() -> None:
    """Is told of while it is away, for a week; one that nobody has seen is not missed."""
    assert after(flags("a", "b")) == ()
    assert after(flags("a", "b"), flags("a", at=NOW + 60)) == Caution.for_names("flag_missing", ["b"])
    assert after(flags("a", "b"), flags("a", at=NOW + 60), flags("a", "b", at=NOW + 120)) == ()
    assert after(flags("a", "b"), flags("a", at=NOW + 7 * DAY)) == Caution.for_names("flag_missing", ["b"])
    assert after(flags("a", "b"), flags("a", at=NOW + 7 * DAY + 1)) == ()


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
def test_servers_that_go(before: int, now: int, expected: list[str]) -> None:
    """More than half and at least five, or the last of two or more, within an hour."""
    assert dropped(before, now) == expected
    # That there are none is told at once; of fewer somebody may be removing just now.
    assert dropped(before, now, hours=0.99) == (expected if now == 0 else [])


def test_servers_that_go_within_a_day() -> None:
    """Also where each hour is no loss by itself; what is longer ago than the day does not count."""
    slowly = tuple((float(hour), 24 - hour) for hour in range(1, 24))
    assert dropped(24, 6, 24, slowly) == ["servers_dropped: imunify fell from 24 to 6 within 1d"]
    assert dropped(24, 12, 24, tuple((float(hour), 12) for hour in range(1, 24))) == []
    assert dropped(99, 9, 49, ((24.0, 9), (48.0, 9))) == []
    assert dropped(99, 9, 72) == []
    assert dropped(99, 0, 72) == []


def test_what_is_kept() -> None:
    """A count in five minutes, of a day and the last one before it."""
    history = History()
    for minute in range(3 * 24 * 60):
        history, _ = history.after(servers(3, at=NOW + minute * 60))
    (counts,) = history.counts.values()
    assert 25 * 12 <= len(counts) <= 25 * 12 + 2


def test_what_was_not_seen_whole() -> None:
    """Says nothing, and is not kept."""
    failed = msgspec.structs.replace(
        servers(0, at=NOW + HOUR), missing=(Missing("k1", Failure("timeout", "no answer")),)
    )
    assert after(servers(10), failed) == ()
    history, _ = History().after(servers(10))
    assert history.after(failed)[0] is history


def test_sizes() -> None:
    """By product where a probe has several; nothing of a probe that lists no servers."""
    assert sizes_of(servers(1, 2)) == {"": 3}
    assert sizes_of(els(CELS=2, OELS=0)) == {"CELS": 2, "OELS": 0}
    licenses = IpLicenseList(licenses=[LicenseState("192.0.2.1", "a", True, None)])
    assert sizes_of(observed({"licenses": licenses, "check-ins 1": IpLicenseList()}, probe="ip_licenses")) == {"": 1}
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
        (els(CELS=2, OELS=1), els(OELS=1), []),  # a product that is not asked about any more
        (None, servers(), []),
    ],
)
def test_what_fell_to_none(before: Observation[Any] | None, now: Observation[Any], expected: list[str]) -> None:
    """A list of keys, or all servers of a product; the list of a single key is daily life."""
    assert [fall.text for fall in what_fell(before, now)] == expected


def test_keys_that_fall_while_their_servers_stay() -> None:
    """Are lost all the same: nobody can tell how full they are."""
    before = els(CELS=2)
    product = before.parts[0].value
    now = observed({"CELS": msgspec.structs.replace(product, keys=[])}, probe="els")
    assert what_fell(before, now) == [Fall("CELS", "the list of keys of CELS fell from 1 to none")]
    assert sizes_of(now) == {"CELS": 0}


def test_a_product_that_is_doubted() -> None:
    """The others are believed."""
    run = doubted(Run(els(CELS=0, OELS=1), NOW, 1.0), [Fall("CELS", "the servers of CELS fell from 2 to none")])
    assert [part.name for part in run.observation.parts] == ["OELS"]
    assert run.failure == Failure("bad_answer", "the servers of CELS fell from 2 to none; waiting for a second poll")


class TestThroughTheExporter:
    """What becomes of it in a target that is polled."""

    @pytest.fixture
    def fleet(self, exporting: Exporting) -> Exporting:
        """A key of six servers, seen an hour ago and now."""
        key = exporting.account.add_kernelcare_key(KEY, limit=0)
        for number in range(6):
            key.add_server(f"s{number}", ip=f"192.0.2.{number}", last_checkin=exporting.clock.time())
        exporting.run("kernelcare")
        exporting.clock.advance(HOUR)
        exporting.run("kernelcare")
        return exporting

    def test_a_list_that_is_empty_once(self, fleet: Exporting) -> None:
        """Costs one poll, and no data; told twice, it is true, and critical."""
        before = fleet.samples("cln_kernelcare")
        fleet.account.remove_kernelcare_key(KEY)
        fleet.run("kernelcare")
        target = fleet.target("kernelcare")
        assert target.view().failure == Failure(
            "bad_answer", "the list of keys fell from 1 to none; waiting for a second poll"
        )
        assert fleet.samples("cln_kernelcare") == before
        fleet.clock.advance(449)
        fleet.run("kernelcare")  # by somebody who asks again at once
        assert fleet.samples("cln_kernelcare") == before
        fleet.clock.advance(2)
        fleet.run("kernelcare")
        assert target.view().failure is None
        assert fleet.samples("cln_kernelcare") == []
        (caution,) = fleet.samples("cln_probe_cautions")
        assert caution.endswith('fact="servers_gone"} 1')

    def test_a_reload_and_a_restart(self, fleet: Exporting) -> None:
        """Forget nothing; another shard has other keys, and lost none."""
        saved = fleet.target("kernelcare").saved()
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
        """Once when it begins, and once when it ends."""
        fleet.account.kernelcare_keys[KEY].limit = -5
        fleet.run("kernelcare", "kernelcare")
        fleet.account.kernelcare_keys[KEY].limit = 5
        fleet.run("kernelcare", "kernelcare")
        said = [line for line in capsys.readouterr().out.splitlines() if "odd answer" in line]
        assert ["no more" in line for line in said] == [False, True]
        assert all("limit_unreadable" in line for line in said)
        assert "1 key has a limit that cannot be read" in said[0]
        assert "warning" in said[0]
