"""The units and the configuration, adapted for the packages.

The unit in the repository is for an installation from a checkout: systemd creates its user and passes the secret as a
credential. In a package, the service runs as the user cln-monitor, whose group can read the configuration and the
secrets, so that plugins of a user in that group can read the same files. This also works on EL 8, whose systemd does
not support LoadCredential=.
"""

from __future__ import annotations

import re

USER = "cln-monitor"
SCHEMA = "/usr/share/cln-monitor/systemd/cln-monitor.schema.json"
"""Where the packages install the JSON schema of the configuration."""

_PROGRAMS = "/opt/cln-monitor/bin/"
_OWN_USER = f"""\
# The group {USER} can read the configuration and the secrets, which root owns.
User={USER}
Group={USER}
"""
_CREDENTIALS = {"cln-exporter.service": 1, "cln-feed.service": 0}
"""The number of credentials of the units that run as the user of the package."""
_EDITED_LINE = """\
    secret_key: ""            # from the account's profile page in CLN; or secret_key_file or secret_key_env
"""


class UnexpectedTextError(Exception):
    """A file does not have the expected text, with what was expected."""


def unit(name: str, text: str) -> str:
    """Return the unit `name` for a package."""
    text = text.replace(_PROGRAMS, "/usr/bin/")
    if name not in _CREDENTIALS:
        return text
    # The comment above DynamicUser= is removed, too.
    changed, times = re.subn(r"(?m)(?:^#.*\n)*^DynamicUser=yes\n", _OWN_USER, text)
    changed, secrets = re.subn(r"(?m)^LoadCredential=.*\n", "", changed)
    if (times, secrets) != (1, _CREDENTIALS[name]):
        raise UnexpectedTextError(
            f"{name}: expected one line DynamicUser=yes and LoadCredential=… {_CREDENTIALS[name]} times"
        )
    return changed


def configuration(text: str) -> str:
    """Return the sample configuration for a package, in which only the login and the secret key must be set."""
    changed, times = re.subn(r"(?m)^ +secret_key_file: .*\n", _EDITED_LINE, text)
    if times != 1:
        raise UnexpectedTextError("cln-monitor.yml: expected one line secret_key_file: …")
    changed = changed.replace('"%d/', '"').replace("$schema=cln-monitor.schema.json", f"$schema={SCHEMA}")
    if not re.search(r"(?m)^    login: ", changed):
        raise UnexpectedTextError("cln-monitor.yml: expected a line login: …")
    return changed


def feed_configuration(text: str) -> str:
    """Return the sample configuration of the feed for a package, whose secrets are in files beside it."""
    if '"%d/' not in text:
        raise UnexpectedTextError('cln-feed.yml: expected a file "%d/…"')
    return text.replace('"%d/', '"')
