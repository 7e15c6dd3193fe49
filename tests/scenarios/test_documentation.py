"""The documentation is correct: links lead somewhere, commands exist, and error texts are those of the code."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from cln_monitor.checks.options import make_parser as make_plugin_parser
from cln_monitor.checks.registry import MODULES, load
from cln_monitor.cli.main import command as clntool
from cln_monitor.config import parse_config
from cln_monitor.exporter.options import make_parser as make_exporter_parser
from cln_monitor.feed.options import parse as parse_feed
from tests.helpers.pages import shell_commands

pytestmark = pytest.mark.unmeasured

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "plugins" / "README.md"])
_SEPARATOR = re.compile(r"\s(?:&&|\|)\s|;\s")
_REDIRECTION = re.compile(r"\s>\s*\S+")
_ASSIGNMENT = re.compile(r"^(?:[A-Z_]+=\S*\s+)+(?=\S)")

NOT_RUN = {
    "alias": "sets up the shell of the reader",
    "amtool": "needs an Alertmanager with alerts",
    "bash": "runs all tests",
    "check_nrpe": "needs an NRPE server",
    "chgrp": "changes the files of the reader",
    "chmod": "changes the files of the reader",
    "curl": "asks CLN or a running exporter; tests/exporter asks the same paths",
    "docker": "needs a Docker daemon; tests/packages/containers builds and runs the image without one",
    "df": "shows the disk of the reader",
    "echo": "writes below /etc",
    "export": "sets up the shell of the reader",
    "git": "changes the repository",
    "grep": "filters the output of another program",
    "helm": "needs a cluster; tests/packages/containers renders the chart",
    "icinga2": "tests/real/test_icinga.py validates the shipped definitions",
    "imunify360-agent": "is an agent on a server of the reader",
    "journalctl": "shows the log of the reader's machine",
    "kcarectl": "is an agent on a server of the reader",
    "kubectl": "needs a cluster",
    "ls": "shows the files of the reader",
    "nagios4": "tests/real/test_nagios.py validates the shipped definitions",
    "pre-commit": "changes the hooks of the repository",
    "promtool": "tests/real/test_rules.py checks the shipped rules",
    "python": "draws a dashboard with npm and a browser",
    "rhn_check": "is an agent on a server of the reader",
    "rm": "removes what the reader installed",
    "systemctl": "tests/real/test_systemd.py runs the shipped units",
    "timedatectl": "shows the clock of the reader's machine",
    "uname": "shows the kernel of a server of the reader",
    "uv": "tests/scenarios/test_package.py builds the archives",
    "vmalert": "tools/vmalert-test runs the rules in vmalert-tool",
}
"""Programs of commands that no test runs, and why."""
RUN_ELSEWHERE = {
    "apt": "tests/packages/test_readme.py and test_deb.py install and downgrade the packages",
    "dnf": "tests/packages/test_readme.py installs and removes the package",
    "install": "tests/scenarios/test_installing.py runs it below another root",
    "pip": "tests/scenarios/test_installing.py compares it with the commands that it runs",
    "runuser": "tests/packages/test_readme.py runs it",
    "python3": "tests/scenarios/test_installing.py compares it with the commands that it runs",
    "usermod": "tests/packages/test_deb.py runs it",
}
"""Programs of commands that another test runs."""


def simple_commands(page: Path) -> Iterator[list[str]]:
    """Yield the words of each command of a page, without variables, redirections and ``sudo -u``."""
    for line in shell_commands(page):
        parts = [line] if line.startswith("alias ") else _SEPARATOR.split(line)
        for part in parts:
            words = shlex.split(_REDIRECTION.sub("", _ASSIGNMENT.sub("", part.strip())))
            if words[:2] == ["sudo", "-u"]:
                words = words[3:]
            yield [Path(words[0]).name, *words[1:]]


COMMANDS = sorted({(page.name, *words) for page in PAGES for words in simple_commands(page)})


@pytest.mark.parametrize("typed", COMMANDS, ids=" ".join)
def test_a_command_of_a_page_exists(typed: tuple[str, ...]) -> None:
    """A command of this project is accepted by its own parser; any other is run by a test, or listed with a reason."""
    _, program, *arguments = typed
    if program == "clntool":
        _parse_clntool(arguments)
    elif program == "cln-exporter":
        make_exporter_parser().parse_args(arguments)
    elif program == "cln-feed":
        parse_feed(arguments)
    elif program in MODULES:
        plugin = load(program)
        make_plugin_parser(plugin.name, plugin.purpose, plugin.options).parse_args(arguments)
    elif program == "make":
        targets = re.findall(r"^\.PHONY: (\S+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        assert {word for word in arguments if "=" not in word} <= set(targets)
    else:
        assert program in NOT_RUN | RUN_ELSEWHERE, f"run {program} in a test, or say in NOT_RUN why not"


def test_no_reason_is_left_over() -> None:
    """NOT_RUN and RUN_ELSEWHERE list only programs that a page uses."""
    assert set(NOT_RUN) | set(RUN_ELSEWHERE) <= {program for _, program, *_ in COMMANDS}


def _parse_clntool(arguments: list[str]) -> None:
    """Fail if ``arguments`` are not a command of clntool with its options."""
    words = list(arguments)
    found: Any = clntool()
    while words:
        options = {name: parameter for parameter in found.params for name in parameter.opts + parameter.secondary_opts}
        word = words.pop(0)
        if word.startswith("-"):
            assert word in options, f"{found.name} has no option {word}"
            if not options[word].is_flag:
                words.pop(0)
        elif hasattr(found, "commands"):
            found = found.commands[word]
    assert not hasattr(found, "commands") or arguments[0].endswith("-completion")


@cache
def prose(page: Path) -> str:
    """Return a page without its code blocks."""
    return re.sub(r"^ *```.*?^ *```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


@cache
def anchors(page: Path) -> frozenset[str]:
    """Return the anchors of the headings of a page, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    plain = [re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", title).replace("`", "") for title in titles]
    return frozenset(re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in plain)


def links(page: Path) -> list[str]:
    """Return the targets of the links and pictures of a page that lead into the repository."""
    found = re.findall(r"\]\(([^)\s]+)\)|(?:src|srcset)=\"([^\"]+)\"", prose(page))
    return [target for pair in found for target in pair if target and not re.match(r"https?:", target)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    """Each relative link of a page names a file, and an anchor that is a heading of that file."""
    broken = []
    for target in links(page):
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


def _texts_of_the_code() -> list[str]:
    """Return all strings of the package; what an f-string fills in is a ``…``, and the name of a server is CLN."""
    texts: list[str] = []
    for file in (ROOT / "cln_monitor").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                texts.append("".join(map(_part_of_text, node.values)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
    return texts


def _part_of_text(part: ast.expr) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    is_server = isinstance(part, ast.FormattedValue) and re.fullmatch(r"(?:.*\.)?server", ast.unparse(part.value))
    return "CLN" if is_server else "…"


TROUBLESHOOTING = ROOT / "docs" / "troubleshooting.md"
FROM_CLN = {"Reseller not found"}
"""Texts that CLN sends."""


def _quoted_errors() -> list[str]:
    """Return the error texts in the first columns of the tables of docs/troubleshooting.md."""
    tables = re.findall(
        r"^\| text \|.*\n\|[ -|]+\n((?:\|.*\n)+)", TROUBLESHOOTING.read_text(encoding="utf-8"), re.MULTILINE
    )
    cells = [line.split(" | ")[0] for table in tables for line in table.splitlines()]
    return [text for cell in cells for text in re.findall(r"`([^`]+)`", cell) if text not in FROM_CLN]


@pytest.mark.parametrize("text", _quoted_errors())
def test_an_error_text_of_troubleshooting_is_that_of_the_code(text: str) -> None:
    """Each part of an error text in docs/troubleshooting.md, between its ``…``, is in a string of the code."""
    parts = [part.strip() for part in text.split("…") if part.strip()]
    assert [part for part in parts if not any(part in string for string in _strings())] == []


@cache
def _strings() -> tuple[str, ...]:
    return tuple(_texts_of_the_code())


def _configurations() -> list[tuple[str, str]]:
    """Return the blocks of YAML in the pages that are a configuration of the exporter, with the page."""
    found = []
    for page in PAGES:
        blocks = re.findall(r"^```yaml\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
        found += [(page.name, block) for block in blocks if re.match(r"accounts:|probes:", block)]
    return found


@pytest.mark.parametrize(("page", "text"), _configurations(), ids=[page for page, _ in _configurations()])
def test_a_configuration_of_a_page_is_valid(
    page: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sample configuration loads once its secrets exist, whole or with the account of the first sample."""
    assert page
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    for name in ("acme.secret", *re.findall(r"[\w.-]+\.secret", text)):
        (tmp_path / name).write_text("s3cret")
    for name in re.findall(r"[\w-]+\.keys", text):
        (tmp_path / name).write_text("M0nitoringKey00001\n")
    if "accounts:" not in text:
        text += "accounts: [{name: acme, login: acme_login, secret_key_file: acme.secret}]"
    assert parse_config(text, tmp_path).accounts


def test_hooks_download_nothing() -> None:
    """All hooks of pre-commit are local and run what is in the repository or in .venv."""
    repositories = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert [repository["repo"] for repository in repositories] == ["local"]
    for hook in repositories[0]["hooks"]:
        assert hook["language"] == "system"
        assert hook["entry"].split()[0] in {"make", ".venv/bin/python"}
