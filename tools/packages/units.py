"""The units and the configuration, changed to what the packages install them as.

The unit in the repository is for an installation from a checkout: systemd makes up its user and hands it the secret.
In a package the service runs as the user cln-monitor, whose group reads the configuration and the secrets. The plugins
of a user in that group read the same files. It works on EL 8 as well, whose systemd has no LoadCredential=.
"""

from __future__ import annotations

import re

USER = "cln-monitor"
SCHEMA = "/usr/share/cln-monitor/systemd/cln-monitor.schema.json"
"""Where the packages install the JSON schema of the configuration."""

_PROGRAMS = "/opt/cln-monitor/bin/"
_OWN_USER = f"""\
# The group {USER} reads the configuration and the secrets, which belong to root.
User={USER}
Group={USER}
"""
_EDITED_LINE = """\
    secret_key: ""            # from the account's profile page in CLN; or secret_key_file or secret_key_env
"""


class UnexpectedTextError(Exception):
    """A file is no longer what the packages are made from; the text says what was expected."""


def unit(name: str, text: str) -> str:
    """Return the unit `name` for a package."""
    text = text.replace(_PROGRAMS, "/usr/bin/")
    if name != "cln-exporter.service":
        return text
    # The comment above DynamicUser= explains it, and is removed with it.
    changed, times = re.subn(r"(?m)(?:^#.*\n)*^DynamicUser=yes\n", _OWN_USER, text)
    changed, secrets = re.subn(r"(?m)^LoadCredential=.*\n", "", changed)
    if (times, secrets) != (1, 1):
        raise UnexpectedTextError(f"{name}: expected one line DynamicUser=yes and one line LoadCredential=…")
    return changed


def configuration(text: str) -> str:
    """Return the sample configuration for a package: what has to be edited is the login and the secret key."""
    changed, times = re.subn(r"(?m)^ +secret_key_file: .*\n", _EDITED_LINE, text)
    if times != 1:
        raise UnexpectedTextError("cln-monitor.yml: expected one line secret_key_file: …")
    changed = changed.replace('"%d/', '"').replace("$schema=cln-monitor.schema.json", f"$schema={SCHEMA}")
    if not re.search(r"(?m)^    login: ", changed):
        raise UnexpectedTextError("cln-monitor.yml: expected a line login: …")
    return changed
