"""The host names of servers in checks of CLN itself, which are read only for servers that a check names."""

from __future__ import annotations

import pytest

from cln_monitor.simulator import Account, Fault
from tests.checks.conftest import Cln
from tests.checks.inside import run_in_process
from tests.helpers.small_cln import IMUNIFY_KEY, KEY, LOGIN

SILENT, FRESH = 5 * 86400.0, 60.0


def paths(cln: Cln) -> list[str]:
    """Return the paths of the calls so far, each once."""
    return sorted({request.path.partition("?")[0] for request in cln.simulator.requests})


@pytest.fixture
def account(cln: Cln) -> Account:
    """Return the account with one KernelCare key, of which one server of two is silent."""
    account = cln.simulator.accounts[LOGIN]
    for key in [*account.kernelcare_keys.values()]:
        account.remove_kernelcare_key(key)
    now = cln.simulator.now()
    key = account.add_kernelcare_key(KEY, limit=0)
    key.add_server("one", ip="192.0.2.1", hostname="web1.example.net", last_checkin=now - SILENT, created=now - SILENT)
    key.add_server("two", ip="192.0.2.2", hostname="web2.example.net", last_checkin=now - FRESH, created=now - SILENT)
    return account


def test_names_in_groups(cln: Cln, account: Account) -> None:
    """A silent server has its host name in the groups; the patch status is not needed then."""
    account.add_group("web").add_server(account.kernelcare_keys[KEY].servers["one"])
    outcome = run_in_process("check_cln_kernelcare", "-C", str(cln.config))
    assert outcome.text == "1 of 2 KernelCare servers not checked in for over 1d: web1.example.net 192.0.2.1 (5d)"
    assert [path for path in paths(cln) if not path.startswith("/kcare/key/")] == [
        "/group/list.json",
        "/group/servers/list.json",
    ]


def test_names_in_the_patch_status(cln: Cln, account: Account) -> None:
    """A silent server in no group has its host name in the patch status of its key, and only that key is read."""
    account.kernelcare_keys[KEY].servers["one"].patch_state = "inactive"
    account.add_kernelcare_key("OTHERKEY00000001").add_server()
    outcome = run_in_process("check_cln_kernelcare", "-C", str(cln.config))
    assert outcome.text.endswith(": web1.example.net 192.0.2.1 (5d)")
    assert [path for path in paths(cln) if "nagios" in path] == [f"/kcare/nagios/{KEY}"]


def test_names_that_cannot_be_read(cln: Cln, account: Account) -> None:
    """A check has its result without host names if they cannot be read."""
    account.add_group("web").add_server(account.kernelcare_keys[KEY].servers["one"])
    for path in ("/group/*", "/kcare/nagios/*"):
        cln.simulator.faults.add(Fault("hang", path))
    outcome = run_in_process("check_cln_kernelcare", "-C", str(cln.config), "-t", "2")
    assert outcome.state == "WARNING"
    assert outcome.text == "1 of 2 KernelCare servers not checked in for over 1d: 192.0.2.1 (5d)"


def test_nothing_to_name(cln: Cln, account: Account) -> None:
    """While no server is named for a problem, no further calls are made."""
    server = account.kernelcare_keys[KEY].servers["one"]
    assert run_in_process("check_cln_kernelcare", *cln.login, "--server-id", "two").state == "OK"
    server.checkins = account.kernelcare_keys[KEY].servers["two"].checkins
    assert run_in_process("check_cln_kernelcare", *cln.login).state == "OK"
    assert [path for path in paths(cln) if "group" in path or "nagios" in path] == []


def test_names_in_the_list_itself(cln: Cln, account: Account) -> None:
    """ELS servers that all have a host name need no further calls."""
    key = account.add_els_key(code="CELS")
    key.add_server("e1", hostname="old1.example.net", last_checkin=cln.simulator.now() - 2 * SILENT)
    outcome = run_in_process("check_cln_els", *cln.login, "--code", "CELS")
    assert (outcome.state, "old1.example.net" in outcome.text) == ("WARNING", True)
    assert paths(cln) == ["/els/key/list.json", "/els/srv/list.json"]


@pytest.mark.parametrize("plugin", ["check_cln_imunify", "check_cln_ip_licenses", "check_cln_els"])
def test_other_products(plugin: str, cln: Cln, account: Account) -> None:
    """Servers of other products have the names of their IDs or addresses in the groups, and ELS servers their own."""
    now = cln.simulator.now()
    mail = account.add_imunify_key(f"{IMUNIFY_KEY}2").add_server("im", ip="192.0.2.9", last_checkin=now - SILENT)
    mail.hostname = "mail1.example.net"
    account.add_group("mail").add_server(mail)
    account.add_ip_license("192.0.2.9", 16, last_checkin=now - SILENT, created=now - SILENT)
    old = account.add_els_key(code="CELS").add_server("e1", hostname="old1.example.net", last_checkin=now - 2 * SILENT)
    outcome = run_in_process(plugin, "-C", str(cln.config))
    assert (f"{old.hostname} {old.ip}" if "els" in plugin else "mail1.example.net 192.0.2.9") in outcome.text
