"""Exporters that share the keys see together what one would, each thing once, and say what they leave out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from cln_monitor.exporter.web.app import WebOptions, make_app
from cln_monitor.probes import PROBES, Shard

from .asking import ask
from .conftest import Exporting

pytestmark = pytest.mark.unmeasured

ALL_ON = "probes: {els: {enabled: true, products: [CELS, OELS, UELS16]}, groups: {enabled: true}, awp: {enabled: true}}"
SHARDS = [Shard(index, 3) for index in range(3)]
WHOLE_ACCOUNT = ("ip_licenses", "groups", "awp")


@pytest.fixture
def fleet(exporting: Exporting) -> Exporting:
    """An exporter of an account with twelve keys of each product that has keys, and some of all else."""
    account = exporting.account
    for number in range(12):
        key = account.add_kernelcare_key(f"KCKEY{number:02d}ABCDEFGHI", limit=5, note=f"n{number}")
        server = key.add_server(f"kc{number}", ip=f"192.0.2.{number}")
        account.add_imunify_key(f"IMKEY{number:02d}ABCDEFGHI", code="360_30").add_server(
            f"im{number}", ip="198.51.100.1"
        )
        account.add_ip_license(f"203.0.113.{number}", 16)
    for code in ("CELS", "OELS", "UELS16"):
        account.add_els_key(code=code).add_server(f"1{len(code)}", ip="192.0.2.77")
    account.add_group("web").add_server(server)
    account.add_awp_entity("shop.example.net", username="shop")
    return exporting


def become(fleet: Exporting, shard: Shard | None, top: str = "") -> None:
    """Let the exporter be a shard, and see all that it then sees."""
    fleet.configure(f"{top}\nshard: {shard or '0/1'}", account=ALL_ON)
    assert fleet.service.reload() is None
    for target in list(fleet.service.targets.values()):
        fleet.service.run(target)


def seen(fleet: Exporting) -> Iterator[str]:
    """Yield the series of the account and what it has, without those of how the probes went."""
    return (line for line in fleet.metrics().splitlines() if line.startswith("cln_") and 'probe="' not in line)


def test_together_they_see_what_one_sees(fleet: Exporting) -> None:
    """Each series of the account is at exactly one of them, and none is lost; the state of CLN is at all."""
    become(fleet, None)
    whole = Counter(seen(fleet))
    parts = []
    for shard in SHARDS:
        become(fleet, shard)
        parts.append(Counter(seen(fleet)))
    of_cln = Counter({line: 2 for line in whole if line.startswith("cln_status_")})
    assert of_cln
    assert sum(parts, Counter()) == whole + of_cln
    keys = [sum(line.startswith("cln_kernelcare_key_info") for line in part) for part in parts]
    assert (sum(keys), min(keys) > 0) == (12, True)


def test_each_says_how_its_own_probes_go(fleet: Exporting) -> None:
    """Probes of keys run at all of them, and so does that of CLN; one of them reads what is of the whole account."""
    where: dict[str, list[int]] = {}
    for shard in SHARDS:
        become(fleet, shard)
        assert fleet.service.untried() == []
        for line in fleet.samples("cln_probe_success{"):
            assert line.endswith(" 1")
            where.setdefault(line.split('probe="')[1].split('"')[0], []).append(shard.index)
    assert set(where) == set(PROBES)
    for probe, at in where.items():
        owner = [SHARDS[0].owner("acme", f"({probe})").index]
        assert at == (owner if probe in WHOLE_ACCOUNT else [0, 1, 2]), probe


def test_the_calls_are_shared(fleet: Exporting) -> None:
    """A key is asked about by one: three of them cost two lists of keys more than one does, a product."""
    fleet.simulator.requests.clear()
    for shard in SHARDS:
        become(fleet, shard)
    calls = Counter(request.path for request in fleet.simulator.requests)
    assert calls["/kcare/key/servers.json"] == calls["/im/srv/list.json"] == 12
    assert (calls["/kcare/key/list.json"], calls["/im/key/list.json"]) == (6, 3)
    assert sum(count for path, count in calls.items() if path.startswith("/kcare/nagios/")) == 12
    assert sum(count for path, count in calls.items() if path.startswith("/kcare/nagios-res/")) == 1


def test_a_key_is_at_one_shard_for_all_probes(fleet: Exporting) -> None:
    """So that what a key is called and how it is patched can be joined within one exporter."""
    for shard in SHARDS:
        become(fleet, shard)
        named, patched = (
            {line.split('key="')[1].split('"')[0] for line in fleet.samples(start)}
            for start in ("cln_kernelcare_key_info", 'cln_patch_status_ok{account="acme",scope="key"')
        )
        assert named == patched != set()


@pytest.mark.parametrize("key_labels", ["masked", "full"])
def test_how_keys_are_shown_moves_none(key_labels: str, fleet: Exporting) -> None:
    """It is the key itself that counts, and it stays as hidden as it was."""
    become(fleet, SHARDS[0], f"key_labels: {key_labels}")
    (here,) = (set(re.findall(r'note="(n\d+)"', fleet.metrics())),)
    expected = {f"n{number}" for number in range(12) if SHARDS[0].reads("acme", f"KCKEY{number:02d}ABCDEFGHI")}
    assert here == expected
    assert ("KCKEY" in fleet.metrics().replace("KCKE-", "")) == (key_labels == "full")


def test_monitoring_keys(fleet: Exporting) -> None:
    """Are shared as the others are."""
    at = []
    for shard in SHARDS:
        fleet.configure(f"shard: {shard}", account="monitoring_keys: [KCKEY00ABCDEFGHI, MONITOR001234567]")
        fleet.service.reload()
        fleet.run("patch_status")
        parts = fleet.target("patch_status").last_run.observation  # type: ignore[union-attr] # it has run
        at += [missing.name for missing in parts.missing]
    assert len(at) == 1  # nobody but its reader finds out that CLN does not know it
    assert at[0].startswith("MONI-")


def test_which_shard_it_is(fleet: Exporting) -> None:
    """Is a metric, also after a reload that changes it."""
    assert fleet.samples("cln_exporter_shard") == [
        'cln_exporter_shard_info{shard="0",shards="1"} 1.0',
        "cln_exporter_shards 1.0",
    ]
    become(fleet, SHARDS[2])
    assert fleet.samples("cln_exporter_shard") == [
        'cln_exporter_shard_info{shard="2",shards="3"} 1.0',
        "cln_exporter_shards 3.0",
    ]


def test_a_key_that_moves_away_goes_with_the_next_poll(fleet: Exporting) -> None:
    """Until then it is shown: while a fleet is shared anew, better twice than not at all."""
    become(fleet, None)
    fleet.configure(f"shard: {SHARDS[0]}", account=ALL_ON)
    fleet.service.reload()
    assert len(fleet.samples("cln_kernelcare_key_info")) == 12
    assert fleet.samples("cln_group_servers") == [] or SHARDS[0].reads("acme", "(groups)")
    fleet.run("kernelcare")
    assert 0 < len(fleet.samples("cln_kernelcare_key_info")) < 12


class TestWeb:
    """What a shard says of what it does not read."""

    def test_the_status_page(self, fleet: Exporting) -> None:
        """That there is more than it shows; and no probe is called off that runs elsewhere."""
        app = make_app(fleet.service, WebOptions())
        become(fleet, None)
        assert "shard" not in ask(app, "/").text
        become(fleet, SHARDS[1])
        page = ask(app, "/").text
        assert "This is shard 1/3, which reads only its part of the keys" in page
        assert "<small>disabled</small>" not in page

    def test_a_probe_of_another(self, fleet: Exporting) -> None:
        """Is named with its reader, not as unknown."""
        app = make_app(fleet.service, WebOptions())
        reader = SHARDS[0].owner("acme", "(groups)")
        become(fleet, SHARDS[reader.index - 1])
        answer = ask(app, "/probe?account=acme&probe=groups")
        assert (answer.status_code, answer.text) == (
            404,
            f"groups of acme is read by shard {reader}, not by this exporter\n",
        )
        assert ask(app, "/api/v1/observations/acme/groups").json() == {"error": answer.text.strip()}
        assert "unknown probe" in ask(app, "/probe?account=acme&probe=nonsense").text
        assert "unknown account" in ask(app, "/probe?account=nobody&probe=groups").text

    def test_observations(self, fleet: Exporting) -> None:
        """Those that are parts of something say so."""
        app = make_app(fleet.service, WebOptions())
        become(fleet, SHARDS[1])
        index = ask(app, "/api/v1/observations").json()
        assert index["shard"] == "1/3"
        assert {each["probe"] for each in index["probes"] if each["shard"] == "1/3"} == {
            *("kernelcare", "imunify", "patch_status", "els")
        }
        assert {each["shard"] for each in index["probes"]} == {"1/3", None}
        assert ask(app, "/api/v1/observations/acme/kernelcare").json()["shard"] == "1/3"

    def test_discovery(self, fleet: Exporting) -> None:
        """Each gives its part, which can be empty; together they give each server once."""
        app = make_app(fleet.service, WebOptions())
        for path, count in (("kernelcare", 12), ("imunify", 12), ("els", 3), ("ip_licenses", 12)):
            found: list[str] = []
            for shard in SHARDS:
                become(fleet, shard)
                fleet.configure(f"shard: {shard}", account=ALL_ON.replace("groups: {enabled: true}, ", ""))
                fleet.service.reload()
                answer = ask(app, f"/sd/{path}")
                assert answer.status_code == 200, answer.text
                found += [str(each) for each in answer.json()]
            assert (len(found), len(set(found))) == (count, count)

    def test_discovery_with_the_groups_elsewhere(self, fleet: Exporting) -> None:
        """Is an error: who keeps the servers of a group would drop all others."""
        app = make_app(fleet.service, WebOptions())
        reader = SHARDS[0].owner("acme", "(groups)")
        become(fleet, reader)
        assert ask(app, "/sd/kernelcare").status_code == 200
        become(fleet, SHARDS[reader.index - 1])
        answer = ask(app, "/sd/kernelcare")
        assert answer.status_code == 503
        assert answer.text.startswith(f"the groups of acme are read by shard {reader}, not by this exporter; ")

    def test_discovery_of_what_is_off(self, fleet: Exporting) -> None:
        """Is off at each of them."""
        app = make_app(fleet.service, WebOptions())
        for shard in SHARDS:
            fleet.configure(f"shard: {shard}", account="probes: {ip_licenses: {enabled: false}}")
            fleet.service.reload()
            assert ask(app, "/sd/ip_licenses").status_code == 404
