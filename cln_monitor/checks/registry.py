"""The definition of a plugin, and the registry of all plugins."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple

from .options import Option
from .plugin_exit import PluginExit
from .result import CheckResult


class Plugin(NamedTuple):
    """A plugin: its name, its purpose as shown in ``--help``, its options, and its check.

    ``check`` is called with the values of the options, the exit, and the Unix time, and returns the result.
    """

    name: str
    purpose: str
    options: tuple[Option, ...]
    check: Callable[[argparse.Namespace, PluginExit, float], CheckResult]


MODULES = {
    "check_cln_status": "status",
    "check_cln_kernelcare": "kernelcare",
    "check_cln_imunify": "imunify",
    "check_cln_patch_status": "patch_status",
    "check_cln_ip_licenses": "ip_licenses",
    "check_cln_els": "els",
    "check_cln_awp": "awp",
    "check_cln_cloudlinux": "cloudlinux",
    "check_cln_eportal": "eportal",
    "check_cln_cve": "cve",
    "check_cln_exporter": "exporter",
    "register_cln_monitoring_key": "monitoring_key",
}
"""The module of each plugin; a new plugin is one line here."""


def load(name: str) -> Plugin:
    """Import and return the plugin ``name``, and no other plugin."""
    plugin: Plugin = import_module(f".plugins.{MODULES[name]}", __package__).PLUGIN
    return plugin
