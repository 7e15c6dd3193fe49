"""The content of the packages: units, configuration, man pages, completion and the documentation as HTML."""

from __future__ import annotations

import posixpath
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from cln_monitor.bundled_files import files_of_checkout
from cln_monitor.config import ConfigError, parse_config
from tests.helpers import servers
from tests.helpers.package import ROOT
from tools.packages import completion, html, man_pages, options, units
from tools.packages.__main__ import main, maintainer
from tools.packages.targets import TARGETS

SERVICE = (ROOT / "systemd" / "cln-exporter.service").read_text("utf-8")
SAMPLE = (ROOT / "systemd" / "cln-monitor.yml").read_text("utf-8")
PROGRAMS = {"cln-exporter", "cln-feed", "clntool", *options.PLUGINS}
_LINK = re.compile(r'(?:href|src|srcset)="(?!https?://|#)([^"#]+)')


def test_the_unit_of_a_package() -> None:
    """It runs the program of the package as the user whose group can read the configuration, without credentials."""
    text = units.unit("cln-exporter.service", SERVICE)
    lines = text.splitlines()
    assert [line.split()[0] for line in lines if line.startswith("Exec")] == [
        "ExecStart=/usr/bin/cln-exporter",
        "ExecReload=/bin/kill",
    ]
    assert {"User=cln-monitor", "Group=cln-monitor"} <= set(lines)
    assert not [line for line in lines if line.startswith(("DynamicUser=", "LoadCredential="))]
    hardening = re.findall(r"(?m)^(?:Protect|Private|Restrict|SystemCall|Capability)\w+=.*$", SERVICE)
    assert len(hardening) > 15
    assert set(hardening) <= set(lines)


def test_the_unit_of_the_feed() -> None:
    """It runs as the user whose group can read the secrets, which the sample names by files beside it."""
    text = units.unit("cln-feed.service", (ROOT / "systemd" / "cln-feed.service").read_text("utf-8"))
    assert {"User=cln-monitor", "Group=cln-monitor"} <= set(text.splitlines())
    assert "ExecStart=/usr/bin/cln-feed --config.file=/etc/cln-monitor/cln-feed.yml $ARGS" in text
    sample = (ROOT / "systemd" / "cln-feed.yml").read_text("utf-8")
    assert 'password_file: "icinga2.password"' in units.feed_configuration(sample)
    with pytest.raises(units.UnexpectedTextError, match="expected a file"):
        units.feed_configuration("")


@pytest.mark.parametrize("name", [name for name in files_of_checkout(ROOT) if name.endswith((".service", ".timer"))])
def test_no_unit_of_a_package_names_the_checkout(name: str) -> None:
    """All units run programs of the package."""
    file = files_of_checkout(ROOT)[name]
    assert "/opt/" not in units.unit(file.name, file.read_text("utf-8"))


def test_an_instance_has_a_user_of_its_own() -> None:
    """An instance cannot read the secrets of another one."""
    name = "cln-exporter@.service"
    text = units.unit(name, (ROOT / "systemd" / name).read_text("utf-8"))
    assert {"DynamicUser=yes", "User=cln-%i"} <= set(text.splitlines())


def test_a_unit_that_changed_is_noticed() -> None:
    """A unit that does not have the expected lines is an error."""
    with pytest.raises(units.UnexpectedTextError, match="DynamicUser"):
        units.unit("cln-exporter.service", SERVICE.replace("DynamicUser=yes", "User=somebody"))
    with pytest.raises(units.UnexpectedTextError, match="LoadCredential"):
        units.unit("cln-exporter.service", SERVICE.replace("\nLoadCredential=", "\n# LoadCredential="))
    with pytest.raises(units.UnexpectedTextError, match="secret_key_file"):
        units.configuration(SAMPLE.replace("secret_key_file", "secret_key_env"))


def test_two_lines_of_the_configuration_have_to_be_edited() -> None:
    """It is invalid as installed, and valid with a login and a secret key; everything else is as in the sample."""
    text = units.configuration(SAMPLE)
    with pytest.raises(ConfigError, match=r"accounts\[0\]\.secret_key: is empty"):
        parse_config(text, Path("/nowhere"))
    edited = text.replace("login: acme_login", "login: pl4nted").replace('secret_key: ""', "secret_key: s3cret")
    assert sum(old != new for old, new in zip(text.splitlines(), edited.splitlines(), strict=True)) == 2
    assert parse_config(edited, Path("/nowhere")).accounts[0].name == "acme"
    ours, theirs = yaml.safe_load(text), yaml.safe_load(SAMPLE)
    assert {**ours, "accounts": None} == {**theirs, "accounts": None}
    assert "%d" not in text


def test_each_program_has_a_man_page_with_all_its_options() -> None:
    """The pages are generated from the argument parsers."""
    pages = man_pages.pages(0)
    assert {name.removesuffix(".1") for name in pages} == PROGRAMS
    commands = [options.exporter(), options.clntool()[0], *options.clntool()[1], *map(options.plugin, options.PLUGINS)]
    for command in commands:
        page = pages[f"{command.typed.split()[0]}.1"].replace("\\-", "-")
        for option in command.options:
            assert all(f"\\fB{flag}\\fR" in page for flag in option.flags), (command.typed, option.flags)
            assert option.help
    tool = pages["clntool.1"]
    for command in options.clntool()[1]:
        words = command.typed.removeprefix("clntool ").replace("-", "\\-")
        assert re.search(rf"(?m)^\.SS {re.escape(words)}\b", tool), command.typed


def test_a_man_page_has_no_request_in_its_text() -> None:
    """Each line that begins with a dot or a quote is a request of the page."""
    known = {".TH", ".SH", ".SS", ".TP", ".PP", ".B", ".RI", ".br"}
    for name, page in man_pages.pages(0).items():
        requests = {line.split()[0] for line in page.splitlines() if line[:1] in {".", "'"}}
        assert requests <= known, name


def _completed(file: Path, function: str, *words: str) -> list[str]:
    script = (
        f'. "{file}"; COMP_WORDS=({" ".join(words)}) COMP_CWORD={len(words) - 1}; {function}; echo "${{COMPREPLY[*]}}"'
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.processes
def test_bash_completes_options_and_their_values(tmp_path: Path) -> None:
    """Options of the exporter and of each plugin are completed, and the values of options."""
    made = completion.files()
    for program in PROGRAMS - {"clntool"}:
        file = tmp_path / program
        file.write_text(made[f"usr/share/bash-completion/completions/{program}"], encoding="utf-8")
        assert "--version" in _completed(file, f"_{program.replace('-', '_')}", program, "--ver")
    exporter = tmp_path / "cln-exporter"
    feed = tmp_path / "cln-feed"
    assert _completed(feed, "_cln_feed", "cln-feed", "def") == ["definitions"]
    assert _completed(feed, "_cln_feed", "cln-feed", "definitions", "") == ["icinga2", "nagios"]
    assert _completed(exporter, "_cln_exporter", "cln-exporter", "--log.format", "j") == ["json"]
    assert _completed(exporter, "_cln_exporter", "cln-exporter", "--log.format", "=", "l") == ["logfmt"]
    assert _completed(exporter, "_cln_exporter", "cln-exporter", "--shard", "") == []
    for shell, name in (("bash", "usr/share/bash-completion/completions/clntool"), ("zsh", "#compdef clntool")):
        assert any(name in text for pair in made.items() for text in pair), shell


def test_links_of_the_documentation_lead_somewhere() -> None:
    """Links lead to a page, an image or a file of the package; files that are not installed have no links."""
    pages = html.pages(ROOT)
    assert {"index.html", "plugins/index.html", "docs/runbook.html"} <= set(pages)
    installed = {f"/usr/share/doc/cln-monitor/html/{name}" for name in pages}
    installed |= {f"/usr/share/cln-monitor/{name}" for name in files_of_checkout(ROOT)}
    directories = {posixpath.dirname(name) for name in installed}
    dead = []
    for name, content in pages.items():
        if name.endswith(".html"):
            here = posixpath.dirname(f"/usr/share/doc/cln-monitor/html/{name}")
            links = _LINK.findall(content.decode())
            targets = {link: posixpath.normpath(f"{here}/{link}") for link in links}
            dead += [(name, link) for link, target in targets.items() if target not in installed | directories]
    assert dead == []


def test_targets_are_those_of_the_documentation() -> None:
    """The page about packages lists each distribution that `make packages` builds for."""
    page = (ROOT / "docs" / "installation-packages.md").read_text("utf-8")
    for name in TARGETS:
        assert f"dist/{name}/" in page, name


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "The cln-monitor authors"),
        ({"DEBFULLNAME": "Jo Doe", "DEBEMAIL": "jo@example.net"}, "Jo Doe <jo@example.net>"),
    ],
    ids=["unset", "set"],
)
def test_maintainer(variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The maintainer is that of the environment, or the authors as in LICENSE, who have no address."""
    for name in ("DEBFULLNAME", "DEBEMAIL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert str(maintainer()) == expected
    assert "Copyright the cln-monitor authors" in (ROOT / "LICENSE").read_text("utf-8")


@pytest.mark.parametrize("name", ["DEBFULLNAME", "DEBEMAIL"])
def test_half_of_a_maintainer(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A name without an address, or an address without a name, is an error before anything is built."""
    monkeypatch.delenv("DEBFULLNAME", raising=False)
    monkeypatch.delenv("DEBEMAIL", raising=False)
    monkeypatch.setenv(name, "x")
    monkeypatch.setattr("sys.argv", ["packages", "debian12"])
    assert main() == 1
    assert capsys.readouterr().out == "no packages: set both DEBFULLNAME and DEBEMAIL, or neither\n"


@pytest.mark.processes
@pytest.mark.parametrize("name", ["postinst", "prerm", "postrm"])
def test_maintainer_scripts_are_shell(name: str) -> None:
    """The shell can parse each script of the .deb."""
    subprocess.run(["sh", "-n", ROOT / "packaging" / "deb" / name], check=True, timeout=60)


@pytest.mark.processes
def test_the_unit_of_a_package_is_as_confined(tmp_path: Path) -> None:
    """Its exposure is below 1.5, as for the unit in the repository."""
    if reason := servers.reason_to_skip(["systemd"]):
        pytest.skip(reason)
    (tmp_path / "cln-exporter.service").write_text(units.unit("cln-exporter.service", SERVICE), encoding="utf-8")
    command = [servers.path("systemd-analyze"), "security", "--offline=true", "--no-pager", "--threshold=15"]
    command.append(str(tmp_path / "cln-exporter.service"))
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout[-300:]
