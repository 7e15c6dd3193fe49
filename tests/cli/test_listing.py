"""`servers list`, `keys list` and `ip-licenses list --unused`: silent servers, full keys, unused licenses."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from cln_monitor.cln import ELS_CODES
from cln_monitor.simulator import Fault

from .account import CLOUDLINUX_KEY, KEY, LOGIN, NEW_ELS, OTHER_KEY, SECRET_KEY, Cln
from .fleet import DAY, add_server, empty
from .inside import ask, ask_json, run
from .processes import on_a_terminal


def ids(cln: Cln, *arguments: str) -> list[str]:
    """Return the ids of the KernelCare servers that ``servers list`` shows."""
    return [row["id"] for row in ask_json(cln, "servers", "list", "--product", "kernelcare", *arguments)]


@pytest.fixture
def fleet(cln: Cln) -> Cln:
    """Return an account with servers in each state."""
    empty(cln)
    add_server(cln, "fresh", "192.0.2.20", 3600)
    add_server(cln, "old", "192.0.2.3", 40 * DAY)
    add_server(cln, "never", "192.0.2.100", None)
    add_server(cln, "ahead", "2001:db8::1", -2 * DAY)
    add_server(cln, "replaced", "192.0.2.30", 2 * DAY)
    add_server(cln, "successor", "192.0.2.30", 60, created=DAY, key=OTHER_KEY)
    return cln


def test_conditions(fleet: Cln) -> None:
    """A server is shown if at least one condition applies; none applies to an unknown check-in."""
    assert ids(fleet, "--stale", "1d") == ["old", "replaced"]
    assert ids(fleet, "--stale", "2d12h") == ["old"]
    assert ids(fleet, "--never") == ["never"]
    assert ids(fleet, "--superseded") == ["replaced"]
    assert ids(fleet, "--superseded", "--never") == ["never", "replaced"]
    assert ids(fleet, "--superseded", "--key", OTHER_KEY) == []
    assert ids(fleet, "--superseded", "--key", KEY) == ["replaced"]  # by a server of another key
    outcome = ask(fleet, "servers", "list", "--stale", "1d", "--product", "kernelcare")
    assert outcome.err == "note: CLN does not report the last check-in of 1 KernelCare server\n"


def test_order(fleet: Cln) -> None:
    """By age, servers that never checked in come first and unknown ones last; addresses are sorted by number."""
    assert ids(fleet) == ["never", "old", "replaced", "fresh", "successor", "ahead"]
    assert ids(fleet, "--sort", "ip") == ["old", "fresh", "replaced", "successor", "never", "ahead"]
    add_server(fleet, "odd", "no address", 10 * DAY)
    assert ids(fleet, "--sort", "ip")[-1] == "odd"
    servers = fleet.account.kernelcare_keys[KEY].servers
    servers["never"].hostname, servers["old"].hostname = "B.example.net", "a.example.net"
    for name in ("never", "old"):
        fleet.account.groups["web"].add_server(servers[name])
    assert ids(fleet, "--sort", "hostname")[:2] == ["old", "never"]


def test_fields_of_a_server(fleet: Cln) -> None:
    """Age, check-in state and superseded are consistent."""
    rows = {row["id"]: row for row in ask_json(fleet, "servers", "list", "--product", "kernelcare")}
    assert {name: row["checkin"] for name, row in rows.items()} == {
        "fresh": "fresh", "old": "stale", "never": "never", "ahead": "unknown", "replaced": "stale",
        "successor": "fresh",
    }  # fmt: skip
    assert [name for name, row in rows.items() if row["superseded"]] == ["replaced"]
    assert 40 * DAY <= rows["old"]["age_seconds"] < 40 * DAY + 600
    assert rows["ahead"]["last_checkin"] is None
    assert rows["never"]["age_seconds"] is None


@pytest.mark.parametrize(("stale_after", "checkin"), [("12h", "stale"), ("40d", "fresh")])
def test_stale_after_of_the_configuration(stale_after: str, checkin: str, cln: Cln) -> None:
    """The check-in state uses stale_after of the configuration; --stale uses the age only."""
    empty(cln)
    add_server(cln, "a", "192.0.2.1", 13 * 3600)
    text = cln.config.read_text().replace("probes:", f"probes:\n  kernelcare: {{stale_after: {stale_after}}}")
    cln.config.write_text(text)
    (row,) = ask_json(cln, "servers", "list", "--stale", "1h", "--product", "kernelcare")
    assert row["checkin"] == checkin


def test_host_names_that_are_ambiguous(cln: Cln) -> None:
    """An ambiguous host name and an address as a host name are not used."""
    empty(cln)
    for number, name in enumerate(["twin", "twin", "one", "192.0.2.3"]):
        server = add_server(cln, f"s{number}", f"192.0.2.{number}")
        server.hostname = name
        cln.account.groups["web"].add_server(server)
    rows = ask_json(cln, "servers", "list", "--product", "kernelcare", "--sort", "ip")
    assert [row["hostname"] for row in rows] == [None, None, "one", None]


def test_host_names_in_the_patch_status(cln: Cln) -> None:
    """A silent KernelCare server in no group has its host name in the patch status of its key, which is read for it."""
    empty(cln)
    add_server(cln, "fresh", "192.0.2.20", 3600)
    ask_json(cln, "servers", "list")
    assert not [request.path for request in cln.simulator.requests if "nagios" in request.path]
    server = add_server(cln, "old", "192.0.2.3", 40 * DAY, key=OTHER_KEY)
    server.hostname, server.patch_state = "old.example.net", "inactive"
    account_els = cln.account.add_els_key(code="CELS").add_server(ip="192.0.2.20", hostname="web20.example.net")
    rows = {row["id"]: row["hostname"] for row in ask_json(cln, "servers", "list")}
    assert (rows["old"], rows["fresh"], rows[account_els.server_id]) == (
        "old.example.net",
        "web20.example.net",
        "web20.example.net",
    )
    assert {request.path for request in cln.simulator.requests if "nagios" in request.path} == {
        f"/kcare/nagios/{OTHER_KEY}"
    }


def test_an_account_with_nothing(cln: Cln) -> None:
    """An empty list exits with 0, and stderr says that it is empty."""
    cln.simulator.accounts.clear()
    cln.simulator.add_account(LOGIN, SECRET_KEY).els_codes.add(NEW_ELS)
    for command, text in (
        ("servers list", "no servers are registered\n"),
        ("keys list", "the account has no keys\n"),
        ("ip-licenses list --unused", "all IP licenses are in use\n"),
    ):
        outcome = ask(cln, *command.split())
        assert (outcome.code, outcome.out, outcome.err) == (0, "", text)
        assert ask_json(cln, *command.split()) == []


def test_default_products_that_cln_refuses(cln: Cln, tmp_path: Path) -> None:
    """Refused default ELS products are omitted; configured ones, and one named on the command line, must exist."""
    (tmp_path / "secret").write_text(SECRET_KEY)
    options = ("--login", LOGIN, "--secret-key-file", str(tmp_path / "secret"), "--api-url", cln.url)
    for code in [*ELS_CODES][1:]:
        body = '{"success": false, "message": "Product not found"}'
        cln.simulator.faults.add(Fault("answer", "/els/*", match=f"code={code.replace(' ', '+')}&", body=body))
    for command in ("servers list", "keys list", "els keys list", "els servers list"):
        outcome = run(*options, "-o", "json", *command.split())
        assert (outcome.code, outcome.err) == (0, ""), command
        assert [row for row in outcome.json if row.get("key", "").startswith("CELS-")] if "els" in command else True
    assert run(*options, "els", "keys", "list", "--code", [*ELS_CODES][1]).code == 1
    assert ask(cln, "keys", "list").code == 1


@pytest.mark.parametrize("command", ["servers list", "keys list"])
def test_a_cln_without_cloudlinux_os(command: str, cln: Cln) -> None:
    """An older CLN does not have the calls for CloudLinux OS: stderr says so, and the other products are listed."""
    cln.simulator.revision = "2024-03"
    cln.simulator.faults.add(
        Fault("answer", "/els/*", match=NEW_ELS.replace(" ", "+"), body='{"success":true,"data":[]}')
    )
    outcome = ask(cln, *command.split(), "-o", "json")
    text = "cloudlinux is not available to this account: CLN does not have this call (HTTP 404)\n"
    assert (outcome.code, outcome.err) == (0, text)
    assert {row["product"] for row in outcome.json} >= {"kernelcare", "imunify", "els"}
    named = ask(cln, *command.split(), "--product", "cloudlinux")
    assert (named.code, "CLN does not have this call" in named.err) == (1, True)
    own = ask(cln, "cloudlinux", *command.split())
    assert (own.code, "CLN does not have this call" in own.err) == (1, True)


@pytest.mark.parametrize("command", ["servers list", "keys list"])
def test_an_account_without_access_to_cloudlinux_os(command: str, cln: Cln) -> None:
    """If CLN answers 403 to the calls for CloudLinux OS alone, the other products are listed completely."""
    whole = ask(cln, *command.split(), "-o", "json").json
    cln.simulator.faults.add(Fault("status", "/v2/*", status=403))
    outcome = ask(cln, *command.split(), "-o", "json")
    text = "cloudlinux is not available to this account: the account has no access to this call: "
    assert (outcome.code, outcome.err.startswith(text)) == (0, True)
    assert [row["key"] for row in outcome.json] == [row["key"] for row in whole if row["product"] != "cloudlinux"]


def test_products_of_cloudlinux_os(cln: Cln) -> None:
    """Refused default products of CloudLinux OS are omitted; configured ones must exist."""
    body = '{"status": 404, "message": "Product not found"}'
    cln.simulator.faults.add(Fault("answer", "/v2/cl/*", match="productType=CLP&", body=body))
    for command in ("keys list", "servers list", "cloudlinux keys list", "cloudlinux servers list"):
        outcome = ask(cln, *command.split(), "-o", "json")
        assert (outcome.code, outcome.err) == (0, ""), command
        assert [row for row in outcome.json if row["key"] == CLOUDLINUX_KEY], command
    text = cln.config.read_text().replace("probes:", "probes:\n  cloudlinux: {products: [CL, CLP]}")
    cln.config.write_text(text)
    for command in ("keys list", "servers list", "cloudlinux keys list", "cloudlinux servers list"):
        outcome = ask(cln, *command.split())
        assert (outcome.code, "Product not found" in outcome.err) == (1, True), command


def test_a_cln_that_lists_all_els_products(cln: Cln) -> None:
    """Where CLN lists the keys and servers of all ELS products for each of them, each is shown once."""
    key = {"key": "CELS-KEY00000001", "productCode": "CELS", "usageLimit": "2", "description": "web"}
    server = {"id": "77", "key": "CELS-KEY00000001", "ip": "192.0.2.7", "hostname": "db7.example.net"}
    for path, row in (("/els/key/list.json", key), ("/els/srv/list.json", server)):
        cln.simulator.faults.add(Fault("answer", path, body=json.dumps({"success": True, "data": [row]})))
    for arguments in ("els keys list", "els servers list", "servers list --product els"):
        assert len(ask_json(cln, *arguments.split())) == 1
    [listed] = ask_json(cln, "keys", "list", "--product", "els")
    assert (listed["used"], listed["limit"]) == (1, 2)


def test_a_key_that_fails(cln: Cln) -> None:
    """Other keys are shown, stderr masks the key, and the exit code reports the missing part."""
    cln.simulator.faults.add(Fault("html", "/kcare/key/servers.json", match=KEY))
    for command, number in (("servers list", 4), ("keys list", 6), ("kernelcare keys list", 2)):
        outcome = ask(cln, *command.split(), "-o", "json")
        assert (outcome.code, len(outcome.json)) == (3, number), command
        assert outcome.err.count("\n") == 1
        assert KEY not in outcome.err
    used = {row["key"]: row["used"] for row in ask(cln, "keys", "list", "-o", "json").json}
    assert (used[KEY], used[OTHER_KEY]) == (None, 0)


def test_how_full_keys_are(cln: Cln) -> None:
    """--full and --usage select keys by their share of the limit; unlimited keys are never selected."""
    empty(cln)
    for name, limit, used in (("K" * 16, 10, 9), ("L" * 16, 10, 10), ("M" * 16, 0, 5), ("N" * 16, 1, 1)):
        key = cln.account.add_kernelcare_key(name, limit=limit)
        for number in range(used):
            key.add_server(f"{name}-{number}")
    cln.account.add_kernelcare_key("P" * 16, limit=3)

    def keys(*arguments: str) -> str:
        rows = ask_json(cln, "keys", "list", "--product", "kernelcare", *arguments)
        return "".join(row["key"][0] for row in rows)

    assert keys("--usage", "90%") == keys("--usage", "90") == "KLN"
    assert keys("--usage", "90.1%") == keys("--full") == keys("--full", "--usage", "10%") == "LN"
    assert keys("--usage", "0%") == "WKLNP"
    for wrong in ("x", "-1%", "", "90 percent", "1e2"):
        outcome = ask(cln, "keys", "list", "--usage", wrong)
        assert (outcome.code, f"{wrong!r} is not a percentage such as 90%" in outcome.err) == (2, True)


def test_a_limit_that_cannot_be_read(cln: Cln) -> None:
    """A key with a malformed limit is shown as CLN has it, and is never full."""
    body = f'{{"success": true, "data": [{{"key": "{KEY}", "limit": "plenty", "enabled": true}}]}}'
    cln.simulator.faults.add(Fault("answer", "/kcare/key/list.json", body=body))
    (row,) = ask_json(cln, "keys", "list", "--product", "kernelcare")
    assert (row["limit"], row["percent"]) == ("plenty", None)
    assert ask_json(cln, "keys", "list", "--product", "kernelcare", "--full") == []


def test_imunify_keys_without_a_number_of_servers(cln: Cln) -> None:
    """The servers of Imunify keys are counted if CLN reports no number."""
    keys = '{"key": "IM250SOMENONSENSETEXT", "code": "360_250", "limit": 2}'
    cln.simulator.faults.add(Fault("answer", "/im/key/list.json", body=f'{{"success": true, "data": [{keys}]}}'))
    (row,) = ask_json(cln, "keys", "list", "--product", "imunify")
    assert (row["used"], row["percent"]) == (1, 50.0)


def test_unused_licenses(cln: Cln) -> None:
    """If CLN does not report whether a license is in use, the check-in of its server decides."""
    now = time.strftime("%Y-%m-%dT%H:%M+0000", time.gmtime())
    licenses = ", ".join(
        f'{{"ip": "192.0.2.{number}", "type": 1, "registered": {registered}}}'
        for number, registered in enumerate(["true", "false", "null", "null"])
    )
    checkins = {"192.0.2.2": f'"{now}"', "192.0.2.3": "null"}
    servers = ", ".join(f'{{"ip": "{ip}", "type": 1, "last_checkin": {checkin}}}' for ip, checkin in checkins.items())
    cln.simulator.faults.add(Fault("answer", "/ipl/list.json", body=f'{{"success": true, "data": [{licenses}]}}'))
    cln.simulator.faults.add(Fault("answer", "/ipl/server.json", body=f'{{"success": true, "data": [{servers}]}}'))
    rows = ask_json(cln, "ip-licenses", "list", "--unused")
    assert [row["ip"] for row in rows] == ["192.0.2.1", "192.0.2.3"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("servers list --stale 1", "invalid duration '1'"),
        ("servers list --sort size", "'size' is not one of 'age', 'ip', 'hostname'"),
        ("servers list --product cloud", "'cloud' is not one of kernelcare, imunify, els, cloudlinux, ip_licenses"),
        ("servers list --key NoSu-00000000", "no key with this name or mask; use clntool keys list"),
        ("servers list --key NoSuchKeyAtAll01", "no key with this name or mask; use clntool keys list"),
        ("keys list --product ip-licenses", "IP licenses have no keys"),
        (
            "ip-licenses remove 192.0.2.1 --type Imunify360",
            "'Imunify360' is not a license type; use a number or name of 1 CloudLinux OS",
        ),
    ],
)
def test_wrong_usage(arguments: str, text: str, cln: Cln) -> None:
    """Wrong usage exits with 2 and says what is expected."""
    outcome = ask(cln, *arguments.split())
    assert (outcome.code, outcome.out) == (2, "")
    assert text in outcome.err


@pytest.mark.parametrize("name", ["KernelCare Plus", "kernelcare-plus", "KERNELCAREPLUS", "17"])
def test_license_types_by_name(name: str, cln: Cln) -> None:
    """License types are accepted by name in any case, with or without blanks, and by number."""
    outcome = ask(cln, "ip-licenses", "register", "192.0.2.7", "--type", name, "--yes")
    assert outcome.code == 0
    assert outcome.err.startswith("registered IP license KernelCare Plus for 192.0.2.7")
    assert cln.sent()[0][2]["type"] == "17"


@pytest.mark.processes
def test_progress_bar(cln: Cln) -> None:
    """A terminal shows a progress bar, and a pipe does not."""
    cln.simulator.faults.add(Fault("latency", "/kcare/key/servers.json", seconds=0.3))
    outcome = on_a_terminal("-C", str(cln.config), "servers", "list", COLUMNS="200")
    assert outcome.code == 0
    assert "querying CLN" in outcome.err
    assert ask(cln, "servers", "list").err == ""


def test_the_current_month(cln: Cln) -> None:
    """The billed month is the current one in UTC unless --month is given."""
    before = time.strftime("%Y-%m", time.gmtime())
    assert ask(cln, "awp", "usage").code == 0
    assert cln.sent()[0][2]["yearMonth"] in {before, time.strftime("%Y-%m", time.gmtime())}


REFUSED = '{"success": false, "message": "No access to product"}'


@pytest.mark.parametrize(
    ("product", "path"),
    [("imunify", "/im/key/list.json"), ("ip_licenses", "/ipl/list.json"), ("kernelcare", "/kcare/*")],
)
def test_a_product_that_cln_refuses(product: str, path: str, cln: Cln) -> None:
    """A refused product is omitted with a note; if it is given by --product, it is an error."""
    cln.simulator.faults.add(Fault("answer", path, body=REFUSED))
    commands = ["servers list"] if product == "ip_licenses" else ["servers list", "keys list"]
    for command in commands:
        outcome = ask(cln, "-o", "json", *command.split())
        assert outcome.code == 0
        assert (
            outcome.err
            == f"{product} is not available to this account: CLN refused the request: No access to product\n"
        )
        assert outcome.json
        assert product not in {row["product"] for row in outcome.json}
        outcome = ask(cln, *command.split(), "--product", product)
        assert (outcome.code, outcome.out) == (1, "")
        assert "is not available" not in outcome.err
        assert "No access to product" in outcome.err


def test_els_that_cln_refuses(cln: Cln, tmp_path: Path) -> None:
    """If CLN refuses all default ELS products, the account has no ELS."""
    (tmp_path / "secret").write_text(SECRET_KEY)
    options = ("--login", LOGIN, "--secret-key-file", str(tmp_path / "secret"), "--api-url", cln.url)
    cln.simulator.faults.add(Fault("answer", "/els/*", body=REFUSED))
    outcome = run(*options, "servers", "list")
    assert (outcome.code, outcome.err) == (
        0,
        "els is not available to this account: CLN refused the request: No access to product\n",
    )
    outcome = run(*options, "servers", "list", "--product", "els")
    assert (outcome.code, outcome.out) == (1, "")


def test_prune_without_a_product_that_cln_refuses(cln: Cln) -> None:
    """Other products are pruned; a list that cannot be read is still an error."""
    empty(cln)
    add_server(cln, "old", "192.0.2.3", 40 * DAY)
    cln.simulator.faults.add(Fault("answer", "/im/key/list.json", body=REFUSED))
    outcome = ask(cln, "servers", "prune", "--stale", "30d", "--dry-run")
    assert (outcome.code, "would_remove" in outcome.out) == (0, True)
    assert outcome.err == "imunify is not available to this account: CLN refused the request: No access to product\n"
    assert ask(cln, "servers", "prune", "--stale", "30d", "--dry-run", "--product", "imunify").code == 3
    cln.simulator.faults.clear()
    cln.simulator.faults.add(Fault("html", "/im/key/list.json"))
    assert ask(cln, "servers", "prune", "--stale", "30d", "--dry-run").code == 3


def test_words_for_an_empty_list(cln: Cln) -> None:
    """The message for a list without matches differs from that for an empty list."""
    empty(cln)
    assert ask(cln, "servers", "list").err == "no servers are registered\n"
    assert ask(cln, "servers", "list", "--product", "kernelcare").err == "no servers match\n"
    assert ask(cln, "kernelcare", "servers", "list", "--key", KEY).err == "the key has no servers\n"
    add_server(cln, "a", "192.0.2.1")
    for arguments in (("--stale", "1d"), ("--key", OTHER_KEY), ("--product", "imunify"), ("--group", "web")):
        assert ask(cln, "servers", "list", *arguments).err == "no servers match\n"
    assert ask(cln, "keys", "list", "--full").err == "no keys match\n"


def test_nearly_full_is_not_full(cln: Cln) -> None:
    """A usage of 100 percent is shown only for a full key."""
    empty(cln)
    key = cln.account.add_kernelcare_key("K" * 16, limit=3000)
    for number in range(2999):
        key.add_server(f"s{number}")
    rows = {row["key"]: row["percent"] for row in ask_json(cln, "keys", "list", "--product", "kernelcare")}
    assert rows["K" * 16] == 99.9
