"""The definitions for Nagios, and for what reads Nagios' files."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping

from cln_monitor.checks.options import Option
from cln_monitor.checks.registry import MODULES, Plugin, load

from .services import SERVICES, Service

_COMMANDS = """\
# The plugins of cln-monitor as commands of Nagios: one each, with all arguments in $ARG1$.
# Made from the plugins' option tables by python -m tools.definitions: do not edit.
#
# In resource.cfg $USER5$ is the folder of the plugins, such as:
#   $USER5$=/opt/cln-monitor/bin
#
# In the check_command of a service "!" ends an argument and ";" begins a comment: write "\\!" and "\\;", and "$$" for
# "$". A shell reads the arguments: quote what has blanks.
#
# Arguments are seen by whoever may see the processes of this machine. A licence key is a credential: give its label in
# place of it, WsTs-8c7994d7, as first lines, metrics and pages show it. Secrets belong in files, that of
# --secret-key-file and those that the configuration names.
#
# The plugins end by themselves, after 30 seconds; where -t is over 50, service_check_timeout has to be more.
"""
_SERVICES = """\
# The services of cln-monitor for Nagios. A product that the account does not have is OK.
# Made by python -m tools.definitions; edit your copy of it.
#
# They build on generic-host and generic-service, which are in Nagios' own templates.cfg and say who is told, and when.
# Intervals are in minutes, as long as interval_length is 60.

define hostgroup {
    hostgroup_name        cln-accounts
    alias                 Accounts at CloudLinux Network
}

# An account is a host, and _CLN_SOURCE is where its plugins ask. The best place is a running cln-exporter: user nagios
# then needs no credentials, and CLN gets no call more. Without one it is a configuration, whose secrets user nagios has
# to read:
#   _CLN_SOURCE           --config /etc/cln-monitor/cln-monitor.yml
# Of several accounts each is a host, whose _CLN_SOURCE ends with --account NAME. Nagios drops ` ~ $ & | ' " < > from
# it, or what else illegal_macro_output_chars lists, and all behind a ";". So the user and the password of an exporter
# have such characters percent-encoded, %26 for "&", %7C for "|", %3B for ";", %24 for "$":
#   _CLN_SOURCE           --exporter https://nagios:pa%26%24word@monitor.example.net
define host {
    use                   generic-host
    host_name             cln
    alias                 CloudLinux Network
    address               cln.cloudlinux.com
    hostgroups            cln-accounts
    max_check_attempts    1
    _CLN_SOURCE           --exporter http://127.0.0.1:10099
}

define service {
    name                  cln-service
    use                   generic-service
    max_check_attempts    3
    register              0
}
"""
_KEY = """
# A licence key may have a service of its own. It goes by its label: the key itself is a credential, and Nagios shows
# the arguments of a check.
#define service {
#    use                   cln-service
#    host_name             cln
#    service_description   CLN KernelCare key web
#    check_command         check_cln_kernelcare!$_HOSTCLN_SOURCE$ --key WsTs-8c7994d7 --limit-warning 90
#    check_interval        15
#    retry_interval        5
#}
"""
_UNBROKEN = "\u00a0"


def commands() -> str:
    """Return a command for each plugin."""
    return _COMMANDS + "".join(_command(load(name)) for name in MODULES)


def services() -> str:
    """Return the host that stands for an account, and a service for each plugin."""
    return _SERVICES + "".join(_service(service) for service in SERVICES) + _KEY


def _command(program: Plugin) -> str:
    return (
        "\n"
        + _comment(program.purpose)
        + _comment(f"Arguments: {_arguments(program.options)}.")
        + _object("command", {"command_name": program.name, "command_line": f"$USER5$/{program.name} $ARG1$"})
    )


def _arguments(options: Iterable[Option]) -> str:
    flags = (
        f"--{option.name}{f' {option.metavar}' if option.metavar else ''}" for option in options if option.in_cores
    )
    return ", ".join(flag.replace(" ", _UNBROKEN) for flag in flags)


def _service(service: Service) -> str:
    text = _object(
        "service",
        {
            "use": "cln-service",
            **({"hostgroup_name": "cln-accounts"} if service.of_accounts else {"host_name": "cln"}),
            "service_description": service.title,
            "check_command": f"{service.plugin}!{service.nagios}",
            "check_interval": service.every,
            "retry_interval": service.again,
        },
    )
    if service.shipped_off:
        text = textwrap.indent(text, "#")
    return f"\n{_comment(service.note) if service.note else ''}{text}"


def _object(kind: str, directives: Mapping[str, str | int]) -> str:
    # Nothing may follow on the line that opens it.
    lines = [f"    {name:<21} {value}" for name, value in directives.items()]
    return "\n".join([f"define {kind} {{", *lines, "}", ""])


def _comment(text: str) -> str:
    filled = textwrap.fill(text, 118, initial_indent="# ", subsequent_indent="#   ", break_on_hyphens=False)
    return filled.replace(_UNBROKEN, " ") + "\n"
