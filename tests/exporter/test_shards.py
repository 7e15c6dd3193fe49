"""Tests of sharding: together the shards expose what one exporter would, without duplicates."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from cln_monitor.exporter.web.app import WebOptions, make_app
from cln_monitor.probes import PROBES, Shard

from .asking import ask
from .conftest import Exporting

pytestmark = pytest.mark.many_inputs

ALL_ON = (
    "probes: {els: {enabled: true, products: [CELS, OELS, UELS16]}, groups: {enabled: true}, awp: {enabled: true}, "
    "cloudlinux: {enabled: true}}"
)
SHARDS = [Shard(index, 3) for index in range(3)]
WHOLE_ACCOUNT = ("ip_licenses", "groups", "awp")


@pytest.fixture
def fleet(exporting: Exporting) -> Exporting:
    """An exporter of an account with 12 KernelCare and Imunify keys, and some of everything else."""
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
    for number, product in enumerate(("CL", "CLP", "CLS", "CLADMIN")):
        account.add_cloudlinux_key(product_type=product).add_server(f"4{number}", ip="192.0.2.88")
    account.add_group("web").add_server(server)
    account.add_awp_entity("shop.example.net", username="shop")
    return exporting


def become(fleet: Exporting, shard: Shard | None, top: str = "") -> None:
    """Reconfigure the exporter as ``shard``, and run all of its probes."""
    fleet.configure(f"{top}\nshard: {shard or '0/1'}", account=ALL_ON)
    assert fleet.service.reload() is None
    for target in list(fleet.service.targets.values()):
        fleet.service.run(target)


def series(fleet: Exporting) -> Iterator[str]:
    """Yield the series of the account and of CLN, without those of the probes."""
    return (line for line in fleet.metrics().splitlines() if line.startswith("cln_") and 'probe="' not in line)


def test_shards_together_equal_one_exporter(fleet: Exporting) -> None:
    """Each series of the account is exposed by exactly one shard, and the status of CLN by all."""
    become(fleet, None)
    whole = Counter(series(fleet))
    parts = []
    for shard in SHARDS:
        become(fleet, shard)
        parts.append(Counter(series(fleet)))
    status = Counter({line: 2 for line in whole if line.startswith("cln_status_")})
    assert status
    assert sum(parts, Counter()) == whole + status
    keys = [sum(line.startswith("cln_kernelcare_key_info") for line in part) for part in parts]
    assert (sum(keys), min(keys) > 0) == (12, True)


def test_probes_of_each_shard(fleet: Exporting) -> None:
    """Probes of keys and of CLN run in all shards, and probes of the whole account in one of them."""
    where: dict[str, list[int]] = {}
    for shard in SHARDS:
        become(fleet, shard)
        assert fleet.service.not_yet_run() == []
        for line in fleet.samples("cln_probe_success{"):
            assert line.endswith(" 1")
            where.setdefault(line.split('probe="')[1].split('"')[0], []).append(shard.index)
    assert set(where) == set(PROBES)
    for probe, at in where.items():
        owner = [SHARDS[0].owner("acme", f"({probe})").index]
        assert at == (owner if probe in WHOLE_ACCOUNT else [0, 1, 2]), probe


def test_calls_are_divided(fleet: Exporting) -> None:
    """Each key is read by one shard; three shards need only two more calls per product for the lists of keys."""
    fleet.simulator.requests.clear()
    for shard in SHARDS:
        become(fleet, shard)
    calls = Counter(request.path for request in fleet.simulator.requests)
    assert calls["/kcare/key/servers.json"] == calls["/im/srv/list.json"] == 12
    assert (calls["/kcare/key/list.json"], calls["/im/key/list.json"]) == (6, 3)
    assert sum(count for path, count in calls.items() if path.startswith("/kcare/nagios/")) == 12
    assert sum(count for path, count in calls.items() if path.startswith("/kcare/nagios-res/")) == 1


def test_a_key_is_in_one_shard_for_all_probes(fleet: Exporting) -> None:
    """A key is in the same shard for all probes, so that its series can be joined."""
    for shard in SHARDS:
        become(fleet, shard)
        named, patched = (
            {line.split('key="')[1].split('"')[0] for line in fleet.samples(start)}
            for start in ("cln_kernelcare_key_info", 'cln_patch_status_ok{account="acme",scope="key"')
        )
        assert named == patched != set()


@pytest.mark.parametrize("key_labels", ["masked", "full"])
def test_key_labels_do_not_affect_shards(key_labels: str, fleet: Exporting) -> None:
    """The shard of a key does not depend on key_labels, and masked keys stay masked."""
    become(fleet, SHARDS[0], f"key_labels: {key_labels}")
    (notes,) = (set(re.findall(r'note="(n\d+)"', fleet.metrics())),)
    expected = {f"n{number}" for number in range(12) if SHARDS[0].reads("acme", f"KCKEY{number:02d}ABCDEFGHI")}
    assert notes == expected
    assert ("KCKEY" in fleet.metrics().replace("KCKE-", "")) == (key_labels == "full")


def test_monitoring_keys(fleet: Exporting) -> None:
    """Each monitoring key is read by one shard."""
    at = []
    for shard in SHARDS:
        fleet.configure(f"shard: {shard}", account="monitoring_keys: [KCKEY00ABCDEFGHI, MONITOR001234567]")
        fleet.service.reload()
        fleet.run("patch_status")
        parts = fleet.target("patch_status").last_run.observation  # type: ignore[union-attr] # it has run
        at += [missing.name for missing in parts.missing]
    assert len(at) == 1  # only its shard reports that CLN does not know it
    assert at[0].startswith("MONI-")


def test_shard_metrics(fleet: Exporting) -> None:
    """The shard is a metric, and is updated on a reload."""
    assert fleet.samples("cln_exporter_shard") == [
        'cln_exporter_shard_info{shard="0",shards="1"} 1.0',
        "cln_exporter_shards 1.0",
    ]
    become(fleet, SHARDS[2])
    assert fleet.samples("cln_exporter_shard") == [
        'cln_exporter_shard_info{shard="2",shards="3"} 1.0',
        "cln_exporter_shards 3.0",
    ]


def test_a_key_that_moves_to_another_shard(fleet: Exporting) -> None:
    """A key that moves to another shard is exposed until the next poll, so that it is never missing."""
    become(fleet, None)
    fleet.configure(f"shard: {SHARDS[0]}", account=ALL_ON)
    fleet.service.reload()
    assert len(fleet.samples("cln_kernelcare_key_info")) == 12
    assert fleet.samples("cln_group_servers") == [] or SHARDS[0].reads("acme", "(groups)")
    fleet.run("kernelcare")
    assert 0 < len(fleet.samples("cln_kernelcare_key_info")) < 12


class TestWeb:
    """Tests of the web pages of a shard."""

    def test_the_status_page(self, fleet: Exporting) -> None:
        """The status page names the shard, and does not show probes of other shards as off."""
        app = make_app(fleet.service, WebOptions())
        become(fleet, None)
        assert "shard" not in ask(app, "/").text
        become(fleet, SHARDS[1])
        page = ask(app, "/").text
        assert "This is shard 1/3, which reads only its part of the keys" in page
        assert "<small>disabled</small>" not in page

    def test_a_probe_of_another_shard(self, fleet: Exporting) -> None:
        """A request for a probe of another shard is answered with the name of that shard."""
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
        """Observations that are part of an account have the shard."""
        app = make_app(fleet.service, WebOptions())
        become(fleet, SHARDS[1])
        index = ask(app, "/api/v1/observations").json()
        assert index["shard"] == "1/3"
        assert {entry["probe"] for entry in index["probes"] if entry["shard"] == "1/3"} == {
            *("kernelcare", "imunify", "patch_status", "els", "cloudlinux")
        }
        assert {entry["shard"] for entry in index["probes"]} == {"1/3", None}
        assert ask(app, "/api/v1/observations/acme/kernelcare").json()["shard"] == "1/3"

    def test_discovery(self, fleet: Exporting) -> None:
        """Each shard discovers its part, and together they discover each server once."""
        app = make_app(fleet.service, WebOptions())
        for path, count in (("kernelcare", 12), ("imunify", 12), ("els", 3), ("ip_licenses", 12), ("cloudlinux", 4)):
            found: list[str] = []
            for shard in SHARDS:
                become(fleet, shard)
                fleet.configure(f"shard: {shard}", account=ALL_ON.replace("groups: {enabled: true}, ", ""))
                fleet.service.reload()
                answer = ask(app, f"/sd/{path}")
                assert answer.status_code == 200, answer.text
                found += [str(entry) for entry in answer.json()]
            assert (len(found), len(set(found))) == (count, count)

    def test_discovery_with_groups_in_another_shard(self, fleet: Exporting) -> None:
        """Discovery is an error in shards that do not read the groups."""
        app = make_app(fleet.service, WebOptions())
        reader = SHARDS[0].owner("acme", "(groups)")
        become(fleet, reader)
        assert ask(app, "/sd/kernelcare").status_code == 200
        become(fleet, SHARDS[reader.index - 1])
        answer = ask(app, "/sd/kernelcare")
        assert answer.status_code == 503
        assert answer.text.startswith(f"the groups of acme are read by shard {reader}, not by this exporter; ")

    def test_discovery_of_a_disabled_probe(self, fleet: Exporting) -> None:
        """Discovery of a disabled probe is not found in any shard."""
        app = make_app(fleet.service, WebOptions())
        for shard in SHARDS:
            fleet.configure(f"shard: {shard}", account="probes: {ip_licenses: {enabled: false}}")
            fleet.service.reload()
            assert ask(app, "/sd/ip_licenses").status_code == 404
