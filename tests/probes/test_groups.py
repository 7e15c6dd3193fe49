"""The probe of server groups."""

from __future__ import annotations

from cln_monitor.probes import PROBES
from cln_monitor.probes.groups import GroupMember, GroupState
from cln_monitor.simulator import Fault

from .conftest import Cln

GROUPS = PROBES["groups"]


def test_groups_and_their_servers(cln: Cln) -> None:
    """Each group is a part; a server can be in several groups, and a group can be empty."""
    web = cln.account.add_kernelcare_key().add_server("kc-1", ip="192.0.2.1", hostname="web1")
    mail = cln.account.add_imunify_key().add_server("im-1", ip="192.0.2.2")
    for name, servers in (("web", [web, mail]), ("all", [web]), ("none", [])):
        group = cln.account.add_group(name, "somewhere")
        for server in servers:
            group.add_server(server)
    run = cln.run(GROUPS)
    assert run.failure is None
    found = {part.name: part.value for part in run.observation.parts}
    on_web = GroupMember("kc-1", "KERNELCARE", "web1", "192.0.2.1")
    on_mail = GroupMember("im-1", "IMUNIFY", mail.hostname, "192.0.2.2")
    assert found["all"] == GroupState("all", [on_web])
    assert found["none"] == GroupState("none", [])
    assert set(found["web"].servers) == {on_web, on_mail}
    assert cln.asked() == ["/group/list.json"] + ["/group/servers/list.json"] * 3


def test_a_server_that_is_listed_twice_is_one(cln: Cln) -> None:
    """A server that is listed twice counts once."""
    cln.account.add_group("web")
    row = '{"id": "one", "hostName": "h", "ip": "192.0.2.1", "type": "IMUNIFY"}'
    body = f'{{"success": true, "data": [{row}, {row}]}}'
    cln.simulator.faults.add(Fault("answer", "/group/servers/list.json", body=body))
    [group] = [part.value for part in cln.run(GROUPS).observation.parts]
    assert group.servers == [GroupMember("one", "IMUNIFY", "h", "192.0.2.1")]


def test_no_secret_in_a_name(cln: Cln) -> None:
    """A secret in the name of a group is redacted."""
    cln.account.add_group("of pl4nted-secret-key")
    run = cln.run(GROUPS)
    assert [part.name for part in run.observation.parts] == ["of <secret>"]
    assert "pl4nted" not in repr(run.observation)


def test_one_group_that_fails(cln: Cln) -> None:
    """A failed group does not affect the others."""
    for name in ("good", "bad"):
        cln.account.add_group(name)
    cln.simulator.faults.add(Fault("html", "/group/servers/list.json", match="bad"))
    run = cln.run(GROUPS)
    assert [part.name for part in run.observation.parts] == ["good"]
    assert [each.name for each in run.observation.missing] == ["bad"]
