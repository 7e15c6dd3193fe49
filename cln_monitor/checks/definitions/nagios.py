"""The definitions for Nagios, and for what reads Nagios' files."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from cln_monitor.checks.program import MODULES, Program, load

from .services import SERVICES, Service

_COMMANDS = """\
# The plugins of cln-monitor as commands of Nagios: one each, with all arguments in $ARG1$.
# Made from the plugins' option tables by python -m cln_monitor.checks.definitions: do not edit.
#
# In resource.cfg $USER5$ is the folder of the plugins, such as:
#   $USER5$=/opt/cln-monitor/bin
#
# In the check_command of a service "!" ends an argument and ";" begins a comment, so write "\\!" and leave out ";"; "$" is
# "$$". A shell sees the arguments: quote what has blanks. Everybody who may see the processes of this machine sees them
# too: no option takes a secret but --api-token and --key, and those can be had in a file or as a masked label.
#
# A plugin ends by itself after 30 seconds (-t), in good time before service_check_timeout, 60 in Nagios. Who raises one
# raises the other.
"""
_SERVICES = """\
# The services of cln-monitor for Nagios. Take what fits: a product that the account has not is UNKNOWN.
# Made by python -m cln_monitor.checks.definitions; edit your copy of it.
#
# They stand on generic-host and generic-service, which come with Nagios in templates.cfg and say who is told and when.
# Intervals are minutes, as interval_length is 60 s.

define hostgroup {
    hostgroup_name        cln-accounts
    alias                 Accounts at CloudLinux Network
}

# An account is a host. _CLN_SOURCE is where its plugins ask. A running cln-exporter is best: user nagios then needs no
# credentials, and CLN gets no call more. Without one it is a configuration, whose secrets user nagios has to read:
#   _CLN_SOURCE           --config /etc/cln-monitor/cln-monitor.yml
# Where there are several accounts each is a host, and its _CLN_SOURCE ends with --account NAME.
# Nagios takes ~ & ' " and what else is in illegal_macro_output_chars out of it.
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
# One licence key on its own, by the label that first lines, metrics and pages show: the key itself is a credential, and
# Nagios shows arguments.
#define service {
#    use                   cln-service
#    host_name             cln
#    service_description   CLN KernelCare key web
#    check_command         check_cln_kernelcare!$_HOSTCLN_SOURCE$ --key WsTs-8c7994d7 --limit-warning 90
#    check_interval        15
#    retry_interval        5
#}
"""


def commands() -> str:
    """Return a command for each plugin."""
    return _COMMANDS + "".join(_command(load(name)) for name in MODULES)


def services() -> str:
    """Return the host that stands for an account, and a service for each plugin."""
    return _SERVICES + "".join(_service(service) for service in SERVICES) + _KEY


def _command(program: Program) -> str:
    options = [option for option in program.options if option.in_cores]
    spelled = ", ".join(" ".join(filter(None, (option.flags[-1], option.metavar))) for option in options)
    return (
        "\n"
        + _comment(program.purpose)
        + _comment(f"Arguments: {spelled}.")
        + _object("command", {"command_name": program.name, "command_line": f"$USER5$/{program.name} $ARG1$"})
    )


def _service(service: Service) -> str:
    # What asks the exporter itself, or CLN for this machine, is not there once for each account.
    of_exporter, of_machine = (
        service.plugin == name for name in ("check_cln_exporter", "register_cln_monitoring_key")
    )
    arguments = ["" if of_machine else "$_HOSTCLN_SOURCE$", service.nagios]
    text = _object(
        "service",
        {
            "use": "cln-service",
            "host_name" if of_exporter or of_machine else "hostgroup_name": "cln"
            if of_exporter or of_machine
            else "cln-accounts",
            "service_description": service.title,
            "check_command": f"{service.plugin}!{' '.join(filter(None, arguments))}",
            "check_interval": service.every,
            "retry_interval": service.again,
        },
    )
    if of_exporter:
        return f"\n# For the host whose source is an exporter.\n{text}"
    if of_machine:
        return f"\n{_OF_MACHINE}{textwrap.indent(text, '#')}"
    return f"\n{text}"
