"""`/status.json` and `/status.plain` (API document: Common API Methods). Neither takes a token."""

from cln_monitor.simulator import answers
from cln_monitor.simulator.answers import SimulatedAnswer

from .call import Route, SimulatedCall


def good_flags() -> dict[str, object]:
    """Return the flags of the API document, each in its good state."""
    return {
        "db_clweb_connected": True,
        "db_clweb_online": True,
        "db_rhn_connected": True,
        "db_rhn_online": True,
        "rhn_overloaded": False,
        "rhn_queue_full": False,
        "xmlrpc": True,
        "ip_server_reg": True,
    }


def _json(call: SimulatedCall) -> SimulatedAnswer:
    return answers.envelope(dict(call.flags))


def _plain(call: SimulatedCall) -> SimulatedAnswer:
    return answers.plain(dict(call.flags).items())


ROUTES = (
    Route("GET", "/status.json", _json),
    Route("GET", "/status.plain", _plain),
)
