"""The definitions for Icinga 2."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from cln_monitor.checks.options import COMMON, Option
from cln_monitor.checks.registry import MODULES, Plugin, load

from .services import SERVICES, Service

_COMMANDS = """\
// The plugins of cln-monitor as CheckCommands of Icinga 2, with all their arguments.
// Made from the plugins' option tables by python -m tools.definitions: do not edit.
//
// In constants.conf ClnPluginDir is the folder of the plugins, PluginDir where it is not set:
//   const ClnPluginDir = "/opt/cln-monitor/bin"
//
// What all plugins understand alike is one variable for all, such as cln_exporter, cln_config or cln_account: best set
// at the host. What one of them understands begins with the name of its command: cln_kernelcare_warning. What can be
// given again takes an array. cln_verbose is true, or 2 or 3 for -vv or -vvv. Where cln_timeout is over 50 seconds,
// check_timeout of the service has to be more.
//
// Icinga keeps the arguments of a check and shows them to whoever may see it. A licence key is a credential: give its
// label in place of it, WsTs-8c7994d7, as first lines, metrics and pages show it. Secrets belong in files, that of
// cln_secret_key_file and those that the configuration names.

if (!globals.contains("ClnPluginDir")) {
  const ClnPluginDir = PluginDir
}
"""
_SERVICES = """\
// The services of cln-monitor for Icinga 2, applied to the hosts that ask for them in cln_checks and cln_keys.
// Made by python -m tools.definitions; edit your copy of it.
//
// An account is a host. The best place to ask is a running cln-exporter: the user that Icinga runs as then needs no
// credentials, and CLN gets no call more. Without one it is a configuration, whose secrets that user has to read.
/*
object Host "cln" {
  check_command = "dummy"
  vars.cln_exporter = "http://127.0.0.1:10099" // or vars.cln_config = "/etc/cln-monitor/cln-monitor.yml"
  vars.cln_account = "acme" // can be left out where there is one alone
  vars.cln_checks = [ "status", "kernelcare", "imunify", "patch_status", "ip_licenses", "exporter" ]

  // Each of these keys gets a service of its own. They are named by their labels: a key itself is a credential, and
  // Icinga shows the arguments of a check.
  vars.cln_keys["web"] = { cln_kernelcare_key = "WsTs-8c7994d7", cln_kernelcare_limit_warning = 90 }
  vars.cln_keys["mail"] = { check_command = "cln_imunify", cln_imunify_key = "IM1S-9e1ee9f3" }
}
*/

template Service "cln-service" {
  max_check_attempts = 3
}
"""
_KEYS = """
// The entries of cln_keys are variables of these services, and check_command where it is not KernelCare's.
apply Service "cln-key-" for (name => config in host.vars.cln_keys) {
  import "cln-service"
  display_name = "CLN key " + name
  check_command = config.check_command || "cln_kernelcare"
  check_interval = 15m
  retry_interval = 5m
  vars += config
}
"""


def commands() -> str:
    """Return a CheckCommand for each plugin, with all of its options."""
    programs = [load(name) for name in MODULES]
    of_all = [option for option in COMMON if all(_has(program, [option]) for program in programs)]
    of_account = [option for option in COMMON if option not in of_all]
    texts = [
        _block(
            'template CheckCommand "cln-plugin"',
            ["timeout = 1m // the plugins end by themselves, after 30 seconds"],
            of_all,
        ),
        _block('template CheckCommand "cln-account"', ['import "cln-plugin"'], of_account),
    ]
    for program in programs:
        imported, inherited = ("cln-account", COMMON) if _has(program, COMMON) else ("cln-plugin", of_all)
        known = [(option.name, _help(option)) for option in inherited]
        own = [option for option in program.options if (option.name, _help(option)) not in known]
        head = [f'import "{imported}"', f'command = [ ClnPluginDir + "/{program.name}" ]']
        title = f'// {program.purpose}\nobject CheckCommand "{command_name(program.name)}"'
        texts.append(_block(title, head, own, program.name))
    return "\n".join([_COMMANDS, *texts])


def services() -> str:
    """Return a service for each plugin, which hosts ask for, and one for each of the keys that a host names."""
    return _SERVICES + "".join(_service(service) for service in SERVICES) + _KEYS


def command_name(plugin: str) -> str:
    """Return the name of the CheckCommand of ``plugin``: ``cln_kernelcare`` of ``check_cln_kernelcare``."""
    return plugin.removeprefix("check_").removeprefix("register_")


def variable(option: Option, plugin: str) -> str:
    """Return the variable that holds ``option``: one for all plugins where it is common, else one of ``plugin``."""
    is_common = any(option.name == common.name for common in COMMON)
    return f"{'cln' if is_common else command_name(plugin)}_{option.dest}"


def _has(program: Plugin, options: Iterable[Option]) -> bool:
    return {option.name for option in options} <= {option.name for option in program.options}


def _help(option: Option) -> str:
    return f"{option.help} (default: {option.shown_default})" if option.shown_default else option.help


def _block(title: str, head: Sequence[str], options: Iterable[Option], plugin: str = "") -> str:
    """Return a CheckCommand; a template has no ``plugin``, as its options are common ones."""
    arguments = [line for option in options if option.in_cores for line in _argument(option, variable(option, plugin))]
    body = [*head, "arguments += {", *(f"  {line}" for line in arguments), "}"]
    return "\n".join([f"{title} {{", *(f"  {line}" for line in body), "}", ""])


def _argument(option: Option, name: str) -> list[str]:
    if option.metavar:
        kind = [f'value = "${name}$"', *(["repeat_key = true"] if option.repeatable else [])]
    elif option.repeatable:
        # Icinga gives a switch once or not at all, so the number of times makes the text of it.
        kind = [
            f'set_if = "${name}$"',
            "skip_key = true",
            "value = {{",
            f'  var times = number(macro("${name}$"))',
            '  return if (times > 2) { "-vvv" } else if (times > 1) { "-vv" } else { "-v" }',
            "}}",
        ]
    else:
        kind = [f'set_if = "${name}$"']
    return [
        f'"{option.flags[-1]}" = {{',
        *(f"  {line}" for line in (*kind, f"description = {_text(_help(option))}")),
        "}",
    ]


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _service(service: Service) -> str:
    body = [
        'import "cln-service"',
        f'display_name = "{service.title}"',
        f'check_command = "{command_name(service.plugin)}"',
        f"check_interval = {service.every}m",
        f"retry_interval = {service.again}m",
        *service.icinga,
        f'assign where "{service.name}" in host.vars.cln_checks',
    ]
    note = f"// {service.note}\n" if service.note else ""
    head = f'apply Service "cln-{service.name.replace("_", "-")}" {{'
    return "\n".join(["", f"{note}{head}", *(f"  {line}" for line in body), "}", ""])
