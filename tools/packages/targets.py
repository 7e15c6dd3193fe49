"""The distributions that packages are built for."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Target(NamedTuple):
    """A distribution.

    ``python`` is the minor version of its Python, ``requires`` the package that provides it.
    ``suite`` is the Debian suite in whose root file system the environment is built, None for a build on this machine.
    """

    name: str
    kind: str
    python: str
    requires: str
    release: str
    plugins: str
    suite: str | None

    @property
    def environment(self) -> tuple[str, str | None]:
        """Identifies its environment: distributions with the same Python of the same suite share one."""
        return self.python, self.suite

    @property
    def is_deb(self) -> bool:
        """Whether its package is a .deb."""
        return self.kind == "deb"


class Maintainer(NamedTuple):
    """Who a package is from; the ``address`` may be empty."""

    name: str
    address: str

    def __str__(self) -> str:
        """Return the value of the field Maintainer."""
        return f"{self.name} <{self.address}>" if self.address else self.name


class Settings(NamedTuple):
    """Settings of a whole run. ``moment`` is the time of all files, in Unix seconds."""

    to: Path
    maintainer: Maintainer
    moment: int


_DEB_PLUGINS, _RPM_PLUGINS = "/usr/lib/nagios/plugins", "/usr/lib64/nagios/plugins"

# EL 8 and 9 have Python 3.11 at the same path as Debian 12, so their environment is built there. Bytecode is the same
# for all releases of a minor version. EL 10 has 3.12, which no Debian release has.
TARGETS = {
    target.name: target
    for target in (
        Target("debian12", "deb", "3.11", "python3.11", "1+deb12", _DEB_PLUGINS, "bookworm"),
        Target("debian13", "deb", "3.13", "python3.13", "1+deb13", _DEB_PLUGINS, "trixie"),
        Target("el8", "rpm", "3.11", "python3.11", "1.el8", _RPM_PLUGINS, "bookworm"),
        Target("el9", "rpm", "3.11", "python3.11", "1.el9", _RPM_PLUGINS, "bookworm"),
        Target("el10", "rpm", "3.12", "/usr/bin/python3.12", "1.el10", _RPM_PLUGINS, None),
    )
}
