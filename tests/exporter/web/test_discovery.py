"""Service discovery: complete lists of servers, or an error that says what is missing."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.applications import Starlette

from cln_monitor.cln import mask_key
from cln_monitor.exporter.web.app import WebOptions, make_app
from cln_monitor.exporter.web.discovery import (
    DISCOVERED,
    DiscoveryError,
    _complete,
    encoded,
    group_labels,
    missing_data,
    target_groups,
)
from cln_monitor.exporter.web.discovery import Labels as Found
from cln_monitor.probes import Failure, Missing, Observation
from cln_monitor.probes.groups import GroupMember, GroupState
from cln_monitor.probes.observation import TOO_OLD
from cln_monitor.simulator import Fault
from cln_monitor.source_kinds import ACCOUNT
from tests.exporter.asking import ask
from tests.exporter.conftest import Exporting
from tests.exporter.metrics.rendering import observed, viewed
from tests.helpers.clock import NOW
from tests.helpers.small_cln import IMUNIFY_KEY, KEY, SECRETS

SECOND = "  - {name: second, login: other_login, secret_key: s3cret}"
OTHER_KEY = "OTHERKEY00000001"
MASKED = mask_key(KEY)


@pytest.fixture
def fleet(exporting: Exporting) -> Exporting:
    """Return an exporter of an account with servers of each product; nothing is polled yet."""
    account = exporting.account
    key = account.add_kernelcare_key(KEY, limit=4)
    key.add_server("one", ip="192.0.2.1")
    key.add_server("two", ip="2001:db8::2")
    account.add_imunify_key(IMUNIFY_KEY, code="360_30").add_server("im", ip="198.51.100.1")
    els = account.add_els_key(code="CELS")
    els.add_server("77", ip="192.0.2.77", hostname="old.example.net")
    farm = account.add_cloudlinux_key("CLN7aaKEY0000000001", "CLP")
    farm.add_server("40211", ip="198.51.100.9", hostname="web9.example.net")
    account.add_ip_license("192.0.2.1", 16)
    account.add_ip_license("192.0.2.9", 16, registered=False)
    return exporting


@pytest.fixture
def app(fleet: Exporting) -> Starlette:
    """Return the web application."""
    return make_app(fleet.service, WebOptions())


def turn_on(fleet: Exporting, *probes: str) -> None:
    """Enable probes of the account that are disabled by default."""
    fleet.configure(account="probes: {" + ", ".join(f"{probe}: {{enabled: true}}" for probe in probes) + "}")
    fleet.service.reload()


def groups_of(app: Starlette, path: str) -> list[dict[str, Any]]:
    """Return the list at ``path``."""
    answer = ask(app, path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json"), answer.text
    groups: list[dict[str, Any]] = answer.json()
    return groups


def refusal(app: Starlette, path: str) -> tuple[int, str]:
    """Return the status and the text of an error response."""
    answer = ask(app, path)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    return answer.status_code, answer.text.strip()


class TestLists:
    """Tests of the lists when all data are complete."""

    def test_kernelcare(self, app: Starlette, fleet: Exporting) -> None:
        """Each KernelCare server is a target group with its masked key; IPv6 addresses are in brackets."""
        fleet.run("kernelcare")
        labels = {"__meta_cln_account": "acme", "__meta_cln_product": "kernelcare", "__meta_cln_key": MASKED}
        assert groups_of(app, "/sd/kernelcare?port=9256") == [
            {"targets": ["192.0.2.1:9256"], "labels": labels | {"__meta_cln_server_id": "one"}},
            {"targets": ["[2001:db8::2]:9256"], "labels": labels | {"__meta_cln_server_id": "two"}},
        ]

    def test_imunify(self, app: Starlette, fleet: Exporting) -> None:
        """The product of an Imunify server is its code, as in metrics; the default port is 9100."""
        fleet.run("imunify")
        ((group),) = groups_of(app, "/sd/imunify")
        assert group == {
            "targets": ["198.51.100.1:9100"],
            "labels": {
                "__meta_cln_account": "acme",
                "__meta_cln_product": "360_30",
                "__meta_cln_key": mask_key(IMUNIFY_KEY),
                "__meta_cln_server_id": "im",
            },
        }

    def test_els(self, app: Starlette, fleet: Exporting) -> None:
        """ELS servers have the host name in their own list."""
        turn_on(fleet, "els")
        fleet.run("els")
        ((group),) = groups_of(app, "/sd/els")
        assert group["targets"] == ["192.0.2.77:9100"]
        assert group["labels"]["__meta_cln_product"] == "CELS"
        assert group["labels"]["__meta_cln_hostname"] == "old.example.net"

    def test_cloudlinux(self, app: Starlette, fleet: Exporting) -> None:
        """CloudLinux OS servers have their product, key, id and host name."""
        turn_on(fleet, "cloudlinux")
        fleet.run("cloudlinux")
        ((group),) = groups_of(app, "/sd/cloudlinux?port=9256")
        assert group == {
            "targets": ["198.51.100.9:9256"],
            "labels": {
                "__meta_cln_account": "acme",
                "__meta_cln_product": "CLP",
                "__meta_cln_key": mask_key("CLN7aaKEY0000000001"),
                "__meta_cln_server_id": "40211",
                "__meta_cln_hostname": "web9.example.net",
            },
        }

    def test_ip_licenses(self, app: Starlette, fleet: Exporting) -> None:
        """Only IP licenses in use are listed."""
        fleet.run("ip_licenses")
        assert groups_of(app, "/sd/ip_licenses") == [
            {
                "targets": ["192.0.2.1:9100"],
                "labels": {
                    "__meta_cln_account": "acme",
                    "__meta_cln_product": "ip_licenses",
                    "__meta_cln_license": "KernelCare",
                    "__meta_cln_os": str(fleet.account.ip_licenses["192.0.2.1", 16].server_info),
                },
            }
        ]

    @pytest.mark.parametrize("probe", ["kernelcare", "imunify", "ip_licenses"])
    def test_host_names(self, probe: str, app: Starlette, fleet: Exporting) -> None:
        """A server has the host name of its ID in the groups, or else of its address, as soon as it is known."""
        turn_on(fleet, "groups")
        account = fleet.account
        servers = {
            "kernelcare": account.kernelcare_keys[KEY].servers["one"],
            "imunify": account.imunify_keys[IMUNIFY_KEY].servers["im"],
        }
        server = servers.get(probe, servers["kernelcare"])  # its address has an IP license, too
        server.hostname = "web1.example.net"
        account.add_group("web").add_server(server)
        fleet.run(probe)
        if probe == "ip_licenses":
            assert "__meta_cln_hostname" not in groups_of(app, f"/sd/{probe}")[0]["labels"]
        fleet.run("groups")
        assert groups_of(app, f"/sd/{probe}")[0]["labels"]["__meta_cln_hostname"] == "web1.example.net"
        server.hostname = "web2.example.net"
        fleet.run("groups")
        assert groups_of(app, f"/sd/{probe}")[0]["labels"]["__meta_cln_hostname"] == "web2.example.net"

    def test_groups(self, app: Starlette, fleet: Exporting) -> None:
        """The group label has names between commas, so that a regex can match one; servers without groups have none."""
        turn_on(fleet, "groups")
        server = fleet.account.kernelcare_keys[KEY].servers["one"]
        for name in ("web", "eu"):
            fleet.account.add_group(name).add_server(server)
        fleet.run("kernelcare", "groups")
        first, second = (group["labels"] for group in groups_of(app, "/sd/kernelcare"))
        assert first["__meta_cln_group"] == ",eu,web,"
        assert "__meta_cln_group" not in second

    def test_two_servers_of_one_address(self, app: Starlette, fleet: Exporting) -> None:
        """Two servers with the same address are both listed with their own labels."""
        fleet.account.kernelcare_keys[KEY].add_server("again", ip="192.0.2.1")
        fleet.run("kernelcare")
        targets = [group["targets"] for group in groups_of(app, "/sd/kernelcare")]
        assert targets.count(["192.0.2.1:9100"]) == 2

    def test_compressed(self, app: Starlette, fleet: Exporting) -> None:
        """A list is the same with and without gzip, and changes with the servers."""
        fleet.run("kernelcare")
        for expected in (2, 3):
            plain = ask(app, "/sd/kernelcare")
            zipped = ask(app, "/sd/kernelcare", headers={"Accept-Encoding": "gzip"})
            assert "content-encoding" not in plain.headers
            assert zipped.headers["content-encoding"] == "gzip"
            assert plain.headers["vary"] == zipped.headers["vary"] == "Accept-Encoding"
            assert plain.json() == zipped.json()
            assert (len(plain.json()), int(plain.headers["content-length"])) == (expected, len(plain.content))
            fleet.account.kernelcare_keys[KEY].add_server(f"more{expected}", ip="192.0.2.3")
            fleet.run("kernelcare")

    def test_none_at_all(self, exporting: Exporting) -> None:
        """An account that is known to have no servers has an empty list."""
        exporting.run("kernelcare", "ip_licenses")
        app = make_app(exporting.service, WebOptions())
        assert groups_of(app, "/sd/kernelcare") == groups_of(app, "/sd/ip_licenses") == []

    def test_nothing_secret(self, app: Starlette, fleet: Exporting) -> None:
        """The list contains no key and no login."""
        fleet.run()
        for probe in ("kernelcare", "imunify", "ip_licenses"):
            text = ask(app, f"/sd/{probe}").text
            assert not [secret for secret in SECRETS if secret in text]


class TestAccounts:
    """Tests of the filter by account."""

    @pytest.fixture
    def two(self, fleet: Exporting) -> Exporting:
        """Add a second account whose login is unknown to CLN."""
        fleet.configure(accounts=SECOND)
        fleet.service.reload()
        fleet.run("kernelcare")
        return fleet

    @pytest.mark.parametrize("query", ["account=acme", "account=acme&account=acme"])
    def test_one(self, query: str, two: Exporting) -> None:
        """The list of one account is not affected by missing data of another, and has no duplicates."""
        assert len(groups_of(make_app(two.service, WebOptions()), f"/sd/kernelcare?{query}")) == 2

    @pytest.mark.parametrize("query", ["", "?account=second", "?account=acme&account=second"])
    def test_one_that_is_not_known(self, query: str, two: Exporting) -> None:
        """Missing data of one account are an error for all requests that include it."""
        status, text = refusal(make_app(two.service, WebOptions()), f"/sd/kernelcare{query}")
        assert (status, text) == (503, "kernelcare of second is incomplete: no data yet")

    def test_one_nobody_knows(self, app: Starlette) -> None:
        """An unknown account returns 404 with the configured ones, without repeating the query."""
        assert refusal(app, "/sd/kernelcare?account=<b>") == (404, "unknown account; configured accounts: acme")

    @pytest.mark.parametrize(("query", "of"), [("", ""), ("?account=acme", " of acme")])
    def test_a_probe_that_is_off(self, query: str, of: str, app: Starlette) -> None:
        """A disabled probe returns 404 with how to enable it."""
        text = f"the probe els{of} is disabled; to enable it, set probes.els.enabled: true"
        assert refusal(app, f"/sd/els{query}") == (404, text)

    def test_a_probe_that_is_off_for_another(self, two: Exporting) -> None:
        """A probe that is disabled for one account is an error only if that account is requested."""
        two.configure(accounts=SECOND.replace("}", ", probes: {kernelcare: {enabled: false}}}"))
        two.service.reload()
        app = make_app(two.service, WebOptions())
        assert len(groups_of(app, "/sd/kernelcare")) == 2
        assert refusal(app, "/sd/kernelcare?account=acme&account=second")[0] == 404


@pytest.mark.parametrize(
    "query", ["port=", "port=0", "port=65536", "port=-1", "port=x", "port=１", "port=9100&port=9101", "port=000009100"]
)
def test_bad_ports(query: str, app: Starlette, fleet: Exporting) -> None:
    """An invalid port returns 400 with the expected values."""
    fleet.run("kernelcare")
    expected = "invalid port; expected one number from 1 to 65535, such as port=9100"
    assert refusal(app, f"/sd/kernelcare?{query}") == (400, expected)


def test_a_parameter_that_is_none(app: Starlette) -> None:
    """An unknown parameter is an error, so that a typo does not list the servers of all accounts."""
    text = "unknown parameter; expected account (repeatable) or port"
    assert refusal(app, "/sd/kernelcare?acount=acme") == (400, text)


@pytest.mark.parametrize("path", ["status", "patch_status", "groups", "nothing", "%3Cb%3E"])
def test_other_paths(path: str, app: Starlette) -> None:
    """Other paths return 404 with the known ones."""
    paths = "/sd/kernelcare, /sd/imunify, /sd/els, /sd/ip_licenses, /sd/cloudlinux, /sd/eportal"
    text = f"unknown path; expected one of: {paths}"
    assert refusal(app, f"/sd/{path}") == (404, text)


def test_no_eportals(app: Starlette) -> None:
    """Without ePortals their servers cannot be discovered, and accounts of CLN are no ePortals."""
    assert refusal(app, "/sd/eportal") == (404, "no ePortals are configured; add one to eportals")
    text = "acme is an account, not an ePortal; no ePortals are configured; add one to eportals"
    assert refusal(app, "/sd/eportal?account=acme") == (404, text)


class TestMissing:
    """Tests of incomplete data, which are an error, so that Prometheus keeps its previous list."""

    def test_before_the_first_poll(self, app: Starlette, fleet: Exporting) -> None:
        """Before the first poll the list is an error."""
        turn_on(fleet, "els", "cloudlinux")
        for probe in set(DISCOVERED) & set(ACCOUNT.probes):
            text = f"{probe} of acme is incomplete: no data yet"
            assert refusal(app, f"/sd/{probe}") == (503, text)

    def test_after_a_first_poll_that_failed(self, app: Starlette, fleet: Exporting) -> None:
        """After a failed first poll the error says why."""
        fleet.simulator.faults.add(Fault("status", "/kcare/key/*", status=401))
        fleet.run("kernelcare")
        status, text = refusal(app, "/sd/kernelcare")
        assert status == 503
        assert text.startswith("kernelcare of acme is incomplete: reading /kcare/key/list.json")

    def test_data_that_are_kept(self, app: Starlette, fleet: Exporting) -> None:
        """Data of earlier polls are listed until they expire."""
        fleet.run("kernelcare")
        fleet.simulator.faults.add(Fault("html"))
        fleet.clock.advance(3600)
        fleet.run("kernelcare")
        assert len(groups_of(app, "/sd/kernelcare")) == 2
        fleet.clock.advance(0.001)
        assert refusal(app, "/sd/kernelcare")[0] == 503

    def test_one_key(self, app: Starlette, fleet: Exporting) -> None:
        """A key that was never read makes the list incomplete."""
        fleet.account.add_kernelcare_key(OTHER_KEY)
        fleet.simulator.faults.add(Fault("cut", "/kcare/key/servers.json", match=OTHER_KEY))
        fleet.run("kernelcare")
        status, text = refusal(app, "/sd/kernelcare")
        assert status == 503
        assert f"no data of {mask_key(OTHER_KEY)}; reading /kcare/key/servers.json" in text
        fleet.simulator.faults.clear()
        fleet.run("kernelcare")
        assert len(groups_of(app, "/sd/kernelcare")) == 2

    def test_one_key_that_grew_too_old_while_nobody_knows_the_list(self, app: Starlette, fleet: Exporting) -> None:
        """A key whose data expired while the key list is unknown makes the list incomplete."""
        fleet.account.add_kernelcare_key(OTHER_KEY)
        fleet.run("kernelcare")
        fault = fleet.simulator.faults.add(Fault("cut", "/kcare/key/servers.json", match=OTHER_KEY))
        fleet.clock.advance(1800)
        fleet.run("kernelcare")
        fleet.simulator.faults.remove(fault)
        fleet.simulator.faults.add(Fault("html", "/kcare/key/list.json"))
        fleet.run("kernelcare")
        assert len(groups_of(app, "/sd/kernelcare")) == 2
        fleet.clock.advance(1801)
        status, text = refusal(app, "/sd/kernelcare")
        assert (status, f"no data of {mask_key(OTHER_KEY)}; reading /kcare/key/list" in text) == (503, True)

    def test_a_poll_that_hangs(self, app: Starlette, fleet: Exporting) -> None:
        """Data that expire during a hanging poll are an error, not an empty list."""
        fleet.run("kernelcare")
        fleet.clock.advance(3601)
        text = f"kernelcare of acme is incomplete: no data of {MASKED}; {TOO_OLD.text}"
        assert refusal(app, "/sd/kernelcare") == (503, text)

    def test_an_empty_list_grows_old_as_well(self, exporting: Exporting) -> None:
        """An empty list expires as well."""
        exporting.run("kernelcare")
        exporting.clock.advance(3601)
        text = "kernelcare of acme is incomplete: the data have expired"
        assert refusal(make_app(exporting.service, WebOptions()), "/sd/kernelcare") == (503, text)

    def test_check_ins_of_licenses(self, app: Starlette, fleet: Exporting) -> None:
        """Missing check-ins of IP licenses do not make the list incomplete."""
        fleet.simulator.faults.add(Fault("html", "/ipl/server.json"))
        fleet.run("ip_licenses")
        assert len(groups_of(app, "/sd/ip_licenses")) == 1

    def test_groups(self, app: Starlette, fleet: Exporting) -> None:
        """Groups that are read are part of the list: rules that keep a group would otherwise drop all servers."""
        turn_on(fleet, "groups")
        fleet.run("kernelcare", "imunify", "ip_licenses")
        text = "groups of acme is incomplete: no data yet"
        assert refusal(app, "/sd/kernelcare") == refusal(app, "/sd/imunify") == (503, text)
        assert len(groups_of(app, "/sd/ip_licenses")) == 1
        fleet.run("groups")
        assert len(groups_of(app, "/sd/kernelcare")) == 2


def missed(*names: str) -> tuple[Missing, ...]:
    """Return parts that could not be read; the empty name is their list."""
    return tuple(Missing(name, Failure("timeout", f"no answer about {name}")) for name in names)


def observation_of(*names: str, missing: tuple[Missing, ...] = (), lost: tuple[str, ...] = ()) -> Observation[Any]:
    """Return an observation with parts of these names."""
    good = observed(dict.fromkeys(names))
    return Observation(
        *("kernelcare", "acme", "cln.example.net", NOW), good.parts, missing, "" not in {m.name for m in missing}, lost
    )


@pytest.mark.parametrize(
    ("observation", "last_success", "expected"),
    [
        (None, None, "no data yet"),
        (observation_of("a", "b"), NOW, None),
        (observation_of(), NOW, None),
        (observation_of("a", missing=missed("b")), NOW - 60, "no data of b; no answer about b"),
        (observation_of(missing=missed("b", "c", "d")), None, "no data of b and 2 more; no answer about b"),
        (observation_of("a", missing=missed("a")), NOW - 60, None),
        (observation_of("a", missing=missed("")), NOW - 60, None),
        (observation_of("a", missing=missed("")), None, "no answer about "),
        (observation_of(missing=missed("")), NOW - 3600, None),
        (observation_of(missing=missed("")), NOW - 3601, "no answer about "),
        (observation_of("a", lost=("b",)), NOW, "no data of b; its last data are older than max_age"),
        (observation_of("a", missing=missed(""), lost=("b", "a")), NOW, "no data of b; no answer about "),
    ],
)
def test_missing_data(observation: Observation[Any] | None, last_success: float | None, expected: str) -> None:
    """Incomplete data are described by what is missing and why."""
    assert missing_data(viewed(observation, last_run=NOW, last_success=last_success)) == expected


@pytest.mark.parametrize(
    ("ip", "target"),
    [
        ("192.0.2.1", "192.0.2.1:80"),
        ("2001:db8::1", "[2001:db8::1]:80"),
        ("::ffff:192.0.2.1", "[::ffff:192.0.2.1]:80"),
        ("", None),
        ("unknown", None),
        ("192.0.2", None),
        ("192.0.2.256", None),
        ("192.0.2.1/metrics?x=", None),
        ("192.0.2.1 ", None),
        ("evil.example.com", None),
        ("fe80::1%eth0", None),
        ("[::1]", None),
        ("\x00", None),
        ("１９２.0.2.1", None),
    ],
)
def test_addresses(ip: str, target: str | None) -> None:
    """Invalid addresses are omitted, because Prometheus would reject the whole target group."""
    found = [group.targets[0] for group in target_groups([(ip, Found("acme", "kernelcare"))], 80)]
    assert found == ([target] if target else [])


def test_groups_by_server() -> None:
    """The groups of a server are in alphabetical order, regardless of the order of the responses."""
    one, two = GroupMember("1", "KERNELCARE"), GroupMember("2", "IMUNIFY")
    parts = {"b": GroupState("b", [one, two]), "a": GroupState("a", [one]), "c": GroupState("c", [])}
    assert group_labels(observed(parts, probe="groups")) == {"1": ",a,b,", "2": ",b,"}


@pytest.mark.parametrize("count", [0, 1, 1999, 2000, 2001, 4000])
def test_long_lists(count: int) -> None:
    """Long lists are encoded in pieces that form one JSON array."""
    servers = [(f"10.0.{number >> 8}.{number & 255}", Found("acme", "kernelcare")) for number in range(count)]
    pieces = list(encoded(target_groups(servers, 9100)))
    groups = json.loads(b"".join(pieces))
    assert [group["targets"] for group in groups] == [[f"{ip}:9100"] for ip, _ in servers]
    assert len(pieces) <= 2 + count // 2000


def test_hostile_text_is_only_a_label(app: Starlette, fleet: Exporting) -> None:
    """Text with special characters is a label value in valid JSON."""
    server = {"server_id": '"}],<script>', "ip": "192.0.2.5", "created": None, "last_checkin": None}
    body = json.dumps({"success": True, "data": [server]})
    fleet.simulator.faults.add(Fault("answer", "/kcare/key/servers.json", body=body))
    fleet.run("kernelcare")
    ((group),) = groups_of(app, "/sd/kernelcare")
    assert group["labels"]["__meta_cln_server_id"] == '"}],<script>'


def test_the_page_names_each_label() -> None:
    """docs/http-api.md lists every label that relabeling rules can use."""
    page = (Path(__file__).parents[3] / "docs" / "http-api.md").read_text(encoding="utf-8")
    labels = [field.encode_name for field in msgspec.structs.fields(Found)]
    assert re.findall(r"^\| `(__meta_cln_\w+)` \|", page, re.MULTILINE) == labels


def test_a_reload_in_between(fleet: Exporting) -> None:
    """A reload that removes the probe during a request causes an error."""
    with pytest.raises(DiscoveryError, match="els of acme is no longer configured") as refused:
        _complete(fleet.service, "acme", "els", NOW)
    assert refused.value.status == 503
