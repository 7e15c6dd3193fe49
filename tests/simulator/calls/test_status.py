"""`/status.json` and `/status.plain`."""

from cln_monitor.simulator import Simulator
from tests.simulator.asking import ask


def test_all_flags_are_good_at_first(simulator: Simulator) -> None:
    """The documented flags are good at first, and need no token."""
    reply = ask(simulator, "/status.json")
    assert reply.json["success"] is True
    assert reply.json["data"] == {
        "db_clweb_connected": True,
        "db_clweb_online": True,
        "db_rhn_connected": True,
        "db_rhn_online": True,
        "rhn_overloaded": False,
        "rhn_queue_full": False,
        "xmlrpc": True,
        "ip_server_reg": True,
    }


def test_flags_can_be_changed(simulator: Simulator) -> None:
    """Both formats report the current flags."""
    simulator.flags.clear()
    simulator.flags.update({"rhn_overloaded": True, "rhn_queue_rejects": 3, "acronis": []})
    assert ask(simulator, "/status.json").json["data"] == {
        "rhn_overloaded": True,
        "rhn_queue_rejects": 3,
        "acronis": [],
    }
    plain = ask(simulator, "/status.plain")
    assert plain.text == "success:true\nrhn_overloaded:true\nrhn_queue_rejects:3\nacronis:[]"
    assert plain.headers["content-type"] == "text/plain;charset=UTF-8"
