"""The kinds of sources that are monitored: accounts of CLN, and ePortals. A further kind is one entry here.

Plugins import this module, as the probes take longer to import than a check to run.
"""

# Without annotations that are texts, which typing would compile: that takes most of the time of this import.
from typing import NamedTuple


class SourceKind(NamedTuple):
    """A kind of source. ``noun`` names one for people, ``field`` is the list of them in a configuration.

    ``fields`` are what such an entry needs at least. ``server`` names what answers for one of them, and ``servers``
    for several. ``probes`` are the names of the probes that read it, in display order.
    """

    noun: str
    field: str
    fields: str
    server: str
    servers: str
    probes: tuple[str, ...]

    @property
    def plural(self) -> str:
        """The noun for several of them: ``accounts``."""
        return f"{self.noun}s"

    @property
    def title(self) -> str:
        """The noun as the heading of a column: ``Account``, but ``ePortal``."""
        return self.noun if self.noun != self.noun.lower() else self.noun.capitalize()

    def servers_of(self, number: int) -> str:
        """Return what answers for that ``number`` of sources: ``the ePortal``, ``the ePortals``, and always ``CLN``."""
        return self.server if number == 1 else self.servers

    @property
    def plural_title(self) -> str:
        """The plural as a heading: ``Accounts``, but ``ePortals``."""
        return f"{self.title}s"


ACCOUNT = SourceKind(
    noun="account",
    field="accounts",
    fields="name, login and secret key",
    server="CLN",
    servers="CLN",
    probes=(
        "status",
        "kernelcare",
        "imunify",
        "patch_status",
        "ip_licenses",
        "els",
        "groups",
        "awp",
        "cloudlinux",
    ),
)
"""An account of CLN."""

EPORTAL = SourceKind(
    noun="ePortal",
    field="eportals",
    fields="name, url and api_key_file",
    server="the ePortal",
    servers="the ePortals",
    probes=("eportal",),
)
"""A TuxCare ePortal."""

SOURCE_KINDS = (ACCOUNT, EPORTAL)
"""All kinds, in display order."""

_BY_PROBE = {probe: kind for kind in SOURCE_KINDS for probe in kind.probes}


def kind_of(probe: str) -> SourceKind:
    """Return the kind of source that ``probe`` reads. Raises KeyError for an unknown probe."""
    return _BY_PROBE[probe]


def server_of(probe: str) -> str:
    """Return what answers for ``probe``, as text: ``CLN``, also for an unknown probe, or ``the ePortal``."""
    return _BY_PROBE.get(probe, ACCOUNT).server
