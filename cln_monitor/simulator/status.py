"""`/status.json` and `/status.plain` (API document: Common API Methods). Neither takes a token."""

from . import answers
from .answers import Answer
from .calls import Call, Route


def good_flags() -> dict[str, object]:
    """The flags of the API document, each in its good state."""
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


def _json(call: Call) -> Answer:
    return answers.envelope(dict(call.flags))


def _plain(call: Call) -> Answer:
    return answers.plain(dict(call.flags).items())


ROUTES = (
    Route("GET", "/status.json", _json),
    Route("GET", "/status.plain", _plain),
)
