"""Which answers say that a change was not made (RFC 9110, section 15)."""

from __future__ import annotations

_GAVE_UP = frozenset({408, 444, 460, 499})


def says_nothing_was_done(status: int) -> bool:
    """Tell whether an answer with this HTTP ``status`` says that the request was not carried out.

    A client error does: "the server cannot or will not process the request" (RFC 9110, sections 15 and 15.5). That
    includes 405 and 411 to 417, by which a server refuses a request for its form; 409, "could not be completed";
    425, "unwilling to risk processing" it (RFC 8470); 429 (RFC 6585); and any that nobody knows, which counts as 400.
    The exceptions are 408, which answers a request that never arrived completely, and so not ours, and 444, 460 and
    499, by which load balancers say that somebody gave up waiting.

    Nothing is known after a server error (section 15.6), which may come from a gateway while CLN goes on working; after
    a redirect, as 303 follows what was done; and after an answer that is cut or missing.
    """
    return 400 <= status < 500 and status not in _GAVE_UP
