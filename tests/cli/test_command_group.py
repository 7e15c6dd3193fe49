"""The commands of clntool before their modules are imported."""

from __future__ import annotations

from cln_monitor.cli.app import root
from cln_monitor.cli.command_group import COMMANDS

BLANK_LINE = "\n\n"


def test_helps() -> None:
    """The help of a command that is not imported is the first paragraph of the help in its module."""
    imported = root().import_all().commands
    assert {name: (command.help or "").partition(BLANK_LINE)[0] for name, command in imported.items()} == COMMANDS
    assert [command.name for command in imported.values()] == list(COMMANDS)


def test_only_the_used_command_is_imported() -> None:
    """Resolving a command imports it, and the others stay a name and a help."""
    group = root()
    name, command, rest = group.resolve_command(group.context_class(group), ["groups", "list"])
    assert (name, sorted(command.commands), rest) == ("groups", ["create", "list", "servers"], ["list"])
    assert all(getattr(other, "callback", None) is None for other in group.commands.values())
