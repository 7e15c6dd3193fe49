"""Shell completion: clntool prints its own; that of the other programs is generated from their options."""

from __future__ import annotations

import contextlib
import io

from cln_monitor.cli.main import main

from .options import PLUGINS, Command, exporter, feed, plugin

_FILES = frozenset({"FILE"})
_DIRECTORIES = frozenset({"DIRECTORY"})
_COMPLETE = 'mapfile -t COMPREPLY < <(compgen {} -- "$cur")'


def files() -> dict[str, str]:
    """Return the completion files, by path below the root."""
    bash = "usr/share/bash-completion/completions"
    return {
        f"{bash}/clntool": _of_clntool("bash"),
        "usr/share/zsh/vendor-completions/_clntool": _of_clntool("zsh"),
        "usr/share/fish/vendor_completions.d/clntool.fish": _of_clntool("fish"),
        **{f"{bash}/{command.typed}": _bash(command) for command in (exporter(), feed(), *map(plugin, PLUGINS))},
    }


def _of_clntool(shell: str) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = main(["--show-completion", shell])
    if code != 0 or "clntool" not in out.getvalue():
        msg = f"clntool --show-completion {shell} ended with {code}"
        raise RuntimeError(msg)
    return out.getvalue()


def _bash(command: Command) -> str:
    """Return a script that completes options, and file names and fixed words as values of options."""
    cases = []
    for option in command.options:
        if option.choices:
            action = _COMPLETE.format(f'-W "{" ".join(option.choices)}"')
        elif option.value in _FILES | _DIRECTORIES:
            action = _COMPLETE.format("-f" if option.value in _FILES else "-d")
        else:
            action = "COMPREPLY=()"
        if option.value:
            cases.append(f"        {'|'.join(option.flags)}) {action} ;;")
    for keyword, following in command.keywords:
        action = _COMPLETE.format(f'-W "{" ".join(following)}"')
        cases.append(f"        {keyword}) {action} ;;")
    keywords = [keyword for keyword, _ in command.keywords]
    flags = " ".join([*keywords, *(flag for option in command.options for flag in option.flags)])
    function = f"_{command.typed.replace('-', '_')}"
    body = "\n".join(cases)
    # Bash splits words at "=", so the option is one or two words before the cursor.
    return f"""\
# Completion of {command.typed} for bash.
{function}() {{
    local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD - 1]}}
    if [ "$cur" = "=" ]; then cur=; elif [ "$prev" = "=" ]; then prev=${{COMP_WORDS[COMP_CWORD - 2]}}; fi
    case $prev in
{body}
        *) {_COMPLETE.format(f'-W "{flags}"')} ;;
    esac
}}
complete -F {function} {command.typed}
"""
