"""The rules, dashboards, units and definitions: files for other programs, which are installed with the package.

A wheel has them in ``cln_monitor/files``, a checkout in the directories of ``SOURCES``. ``setup.py`` runs this module
alone, so it imports nothing of the package.
"""

from __future__ import annotations

from pathlib import Path

SOURCES = {
    "prometheus": "dashboards/prometheus",
    "grafana": "dashboards/grafana",
    "systemd": "systemd",
    "nagios": "plugins/nagios",
    "icinga2": "plugins/icinga2",
}
"""The directories of the files, and the directories of the checkout that they come from."""

_SUFFIXES = frozenset({".cfg", ".conf", ".json", ".service", ".socket", ".timer", ".yml"})


def files_of_checkout(root: Path) -> dict[str, Path]:
    """Return the files in the checkout ``root`` by their name in the package, such as ``grafana/cln-overview.json``."""
    return {
        f"{name}/{file.name}": file
        for name, source in SOURCES.items()
        for file in sorted((root / source).glob("*"))
        if file.suffix in _SUFFIXES
    }


def bundled_files() -> dict[str, Path]:
    """Return the files of this installation, by name. Raises FileNotFoundError if this installation has no files."""
    package = Path(__file__).parent
    installed = package / "files"
    if installed.is_dir():
        return {str(file.relative_to(installed)): file for file in sorted(installed.rglob("*")) if file.is_file()}
    if found := files_of_checkout(package.parent):
        return found
    raise FileNotFoundError(2, "the files are missing in this installation", str(installed))
