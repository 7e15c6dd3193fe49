"""The commands of ``clntool``, one module each, of which a run imports the one that is used.

A run of ``clntool`` lasts little longer than its imports, and completion is such a run for each press of Tab. So the
root of the command line has the name and the help of each command; its options, and what it needs, are imported with
its module. What only some runs need, such as ``requests`` or ``rich``, is imported where it is used.
``tests/scenarios/test_start_up.py`` lists what each kind of run may import.
"""

from __future__ import annotations

import importlib
from typing import Any, Self

from typer.core import TyperCommand
from typer.main import get_command

from .completion import CompletionGroup

COMMANDS = {
    "status": "Show the status flags of CLN's services, and whether they are good.",
    "files": "Copy the Prometheus rules, Grafana dashboards, systemd units and Nagios and Icinga definitions to "
    "DIRECTORY.",
    "simulate": "Run a simulated CLN on loopback until interrupted: every call of the API, with generated servers.",
    "servers": "Servers of all products: list them, and remove those no longer in use.",
    "keys": "Keys of all products and their usage.",
    "kernelcare": "KernelCare keys, servers, and patch status.",
    "imunify": "Imunify keys and servers.",
    "els": "Extended Lifecycle Support (ELS) keys and servers.",
    "ip-licenses": "Licenses bound to IP addresses.",
    "groups": "Groups of KernelCare and Imunify servers.",
    "awp": "AccelerateWP usage.",
    "cloudlinux": "CloudLinux OS keys and servers.",
    "sub-accounts": "Servers of sub-accounts.",
    "eportal": "Servers of TuxCare ePortals, and their live patches.",
    "cve": "Show on which servers of the ePortals a CVE is fixed by the loaded live patch; those without the fix come "
    "first.",
    "check": "Check a configuration, or an account at CLN.",
}
"""The first paragraph of the help of each command, by name, in the order of the help."""


class CommandGroup(CompletionGroup):
    """The root of the command line, with ``COMMANDS``."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.commands.update({name: _NotImported(name, help=help_) for name, help_ in COMMANDS.items()})

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the name of the command in ``args``, the command, imported, and the arguments after its name."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, _imported(command), rest

    def import_all(self) -> Self:
        """Import all commands, and return the group."""
        self.commands.update({name: _imported(command) for name, command in self.commands.items()})
        return self


class _NotImported(TyperCommand):
    """A command whose module is not imported: its name and its help."""


def _imported(command: Any) -> Any:
    if not isinstance(command, _NotImported):
        return command
    name = str(command.name)
    module = importlib.import_module(f".commands.{name.replace('-', '_')}", __package__)
    imported = get_command(module.app)
    imported.name = name
    return imported
