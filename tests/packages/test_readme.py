"""The commands of the README, run as written on bare machines."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.helpers.package import ROOT
from tests.helpers.pages import shell_commands
from tests.helpers.systemd import Machine
from tools.packages.targets import TARGETS

from .machines import CONFIG, booted, booted_like_el, edit_two_lines, package_of, scrape, start_cln

SECTION = re.compile(r"## A real account in five minutes\n.*?(?=^## )", re.DOTALL | re.MULTILINE)
DEBIAN, EL = "apt install ./cln-monitor_*.deb", "dnf install ./cln-monitor-*.rpm"


def commands_of_the_readme(directory: Path) -> list[str]:
    """Return the commands of the section about a real account."""
    found = SECTION.search((ROOT / "README.md").read_text("utf-8"))
    assert found is not None
    page = directory / "README.md"
    page.write_text(found[0], encoding="utf-8")
    return shell_commands(page)


def configure_and_start(machine: Machine, commands: list[str]) -> None:
    """Run the commands after the installation; two lines of the configuration are edited."""
    machine.must(f"cp {CONFIG} /tmp/sample")
    edit_two_lines(machine)
    changed = re.findall(r"(?m)^> +(\w+):", machine.run(f"diff /tmp/sample {CONFIG}").output)
    assert set(changed) <= {"login", "secret_key"}  # the login of the simulated account is that of the sample
    assert "secret_key" in changed
    start_cln(machine)
    outputs = [machine.must(command) for command in commands]
    assert ": ok, 1 account, " in outputs[0]
    assert "probes:" in outputs[1]
    assert outputs[-1].startswith("OK - ")
    assert "cln_kernelcare_key_servers{" in scrape(machine)


@pytest.mark.parametrize("name", [name for name, target in TARGETS.items() if target.is_deb])
def test_a_real_account_in_five_minutes(name: str, tmp_path: Path) -> None:
    """The commands of the README lead to metrics and a green plugin on bare Debian."""
    commands = commands_of_the_readme(tmp_path)
    assert commands[:2] == [DEBIAN, EL]
    suite = TARGETS[name].suite
    assert suite is not None
    (tmp_path / "machine").mkdir()
    with booted(suite, tmp_path / "machine", new=package_of(name)) as machine:
        machine.must(f"mv /root/cln-monitor-new.deb /root/{package_of(name).name}")
        machine.must(f"cd /root && {DEBIAN}")
        configure_and_start(machine, commands[2:])


def test_a_real_account_with_dnf(tmp_path: Path) -> None:
    """The commands of the README lead to the same with dnf, and with the plugin directory of EL."""
    (tmp_path / "machine").mkdir()
    with booted_like_el(tmp_path / "machine", package_of("el9")) as machine:
        machine.must(f"cd /root && yes | {EL}")
        in_el = [
            command.replace("/usr/lib/nagios", "/usr/lib64/nagios") for command in commands_of_the_readme(tmp_path)
        ]
        configure_and_start(machine, in_el[2:])
        machine.must("yes | dnf remove cln-monitor")
        assert machine.run("test -e /usr/bin/clntool").code != 0
        assert machine.must("ls /etc/cln-monitor") == "cln-monitor.yml.rpmsave\n"
