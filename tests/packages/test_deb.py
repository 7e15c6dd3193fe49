"""The .deb on minimal machines: installed, configured, upgraded, removed and purged."""

from __future__ import annotations

import gzip
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from cln_monitor.exporter.snapshot import FORMAT
from tests.helpers.running import wait_until
from tests.helpers.systemd import Machine
from tools.packages.targets import TARGETS

from .machines import (
    ADDRESS,
    CONFIG,
    LOWER,
    PACKAGE,
    as_nagios,
    booted,
    configure,
    files_below,
    last_success,
    package_of,
    record,
    scrape,
    version_of,
    with_version,
)

DEBS = [name for name, target in TARGETS.items() if target.is_deb]
SERVICE = "cln-exporter.service"
NEW, OLD = f"{PACKAGE}-new.deb", f"{PACKAGE}-old.deb"
STATE = "/var/lib/cln-exporter"
INSTALL = "apt-get install --yes --quiet"
_LINK = re.compile(r'(?:href|src|srcset)="(?!https?://|#)([^"#]+)')


@pytest.fixture(params=DEBS)
def distribution(request: pytest.FixtureRequest) -> str:
    """A distribution of Debian."""
    name: str = request.param
    return name


@pytest.fixture
def boot(distribution: str, tmp_path: Path) -> Iterator[Callable[..., Machine]]:
    """Boot a machine of the distribution with its package, and with an older version if `upgrade` is true.

    The state of that version has the format `old_state_format`, if that is given.
    """
    with ExitStack() as stack:

        def make(*, upgrade: bool = False, old_state_format: int | None = None) -> Machine:
            packages = {"new": package_of(distribution)}
            if upgrade:
                packages["old"] = with_version(packages["new"], LOWER, tmp_path, state_format=old_state_format)
            suite = TARGETS[distribution].suite
            assert suite is not None
            (tmp_path / "machine").mkdir()
            return stack.enter_context(booted(suite, tmp_path / "machine", **packages))

        yield make


def test_two_edited_lines_give_metrics_and_a_green_plugin(boot: Callable[..., Machine]) -> None:
    """The service starts only when configured; then it works, and so do plugins of the user nagios."""
    machine = boot()
    machine.must(f"{INSTALL} {NEW}")
    assert machine.show(SERVICE, "ActiveState") == "inactive"
    assert machine.run(f"systemctl is-enabled {SERVICE}").output == "disabled\n"
    assert machine.must(f"stat -c '%U:%G %a' {CONFIG}") == "root:cln-monitor 640\n"
    assert machine.run("dpkg --verify cln-monitor").output == ""
    assert machine.run(f"systemctl start {SERVICE}").code != 0
    assert "secret_key: is empty" in machine.journal(SERVICE)
    machine.must(f"systemctl stop {SERVICE}")

    before = files_below(machine, "/usr/lib/cln-monitor")
    configure(machine)
    machine.must(f"systemctl enable --now {SERVICE}")
    assert "cln_kernelcare_key_servers{" in scrape(machine)
    process = machine.show(SERVICE, "MainPID")
    assert machine.must(f"stat -c %U /proc/{process}") == "cln-monitor\n"

    code, output = as_nagios(machine, f"check_cln_status -C {CONFIG}")
    assert (code, "Permission denied" in output) == (3, True), output
    machine.must("usermod -aG cln-monitor nagios")
    code, output = as_nagios(machine, f"check_cln_status -C {CONFIG}")
    assert (code, output[:5]) == (0, "OK - "), output
    code, output = as_nagios(machine, f"check_cln_kernelcare -C {CONFIG}")
    assert (code, output[:10]) == (1, "WARNING - "), output
    assert as_nagios(machine, f"check_cln_kernelcare --exporter {ADDRESS}")[0] == code
    assert files_below(machine, "/usr/lib/cln-monitor") == before, "bytecode was missing, and root has written it"


def test_manual_completion_and_files(boot: Callable[..., Machine]) -> None:
    """Each program has a man page without warnings of troff, and completion in bash."""
    machine = boot()
    machine.must(f"{INSTALL} {NEW}")
    programs = machine.must("ls /usr/bin/cln* /usr/bin/register_cln* /usr/lib/nagios/plugins").split()
    names = sorted({Path(program).name for program in programs if not program.endswith(":")})
    assert len(names) == 15
    for name in names:
        assert machine.must(f"man --warnings {name} 2>&1 >/dev/null") == "", name
    assert "--web.listen-address" in machine.must("man cln-exporter")
    assert "patch-status" in machine.must("man clntool")
    complete = "COMP_WORDS=(cln-exporter --web.ma) COMP_CWORD=1; _cln_exporter; echo ${COMPREPLY[@]}"
    source = ". /usr/share/bash-completion/completions/cln-exporter"
    assert machine.must(f"bash -c '{source}; {complete}'") == "--web.max-requests\n"
    machine.must("clntool files /tmp/files")
    assert machine.must("diff -r /tmp/files /usr/share/cln-monitor") == ""
    schema = record(machine, "cat /usr/share/cln-monitor/systemd/cln-monitor.schema.json")
    assert schema == record(machine, "clntool check config --schema")
    named = machine.must(f"sed -n 's/.*schema=//p' {CONFIG}").strip()
    assert machine.run(f"test -f {named}").code == 0, named


def test_links_of_the_documentation(distribution: str, tmp_path: Path) -> None:
    """Each link of a page leads to a file of the package."""
    subprocess.run(["dpkg-deb", "--extract", str(package_of(distribution)), str(tmp_path)], check=True, timeout=300)
    pages = sorted(tmp_path.glob("usr/share/doc/cln-monitor/html/**/*.html"))
    assert len(pages) >= 10
    links = [(page, link) for page in pages for link in _LINK.findall(page.read_text("utf-8"))]
    assert [f"{page.name}: {link}" for page, link in links if not (page.parent / link).exists()] == []
    page = tmp_path / "usr/share/man/man1/check_cln_status.1.gz"
    assert "CloudLinux" in gzip.decompress(page.read_bytes()).decode()


def test_upgrade_restarts_what_runs(boot: Callable[..., Machine]) -> None:
    """The new version is running after the upgrade, with the edited configuration and the saved observations."""
    machine = boot(upgrade=True)
    machine.must(f"{INSTALL} {OLD}")
    configure(machine)
    machine.must(f"systemctl enable --now {SERVICE}")
    assert version_of(machine) == LOWER
    seen = last_success(machine)
    machine.must("systemctl stop cln.service")
    edited = machine.must(f"cat {CONFIG}")
    machine.must(f"{INSTALL} {NEW}")
    assert version_of(machine) not in {LOWER, ""}
    assert machine.must(f"cat {CONFIG}") == edited
    assert machine.must(f"stat -c '%U:%G %a' {CONFIG}") == "root:cln-monitor 640\n"
    kept = last_success(machine)
    assert seen, "no probe had succeeded"
    assert kept == seen, "the observations of the old version are shown, as CLN is gone"
    assert machine.journal(SERVICE).count("saved state restored") == len(seen)
    assert machine.show(SERVICE, "ActiveState") == "active"


def test_upgrade_leaves_stopped_what_is_stopped_and_restarts_instances(boot: Callable[..., Machine]) -> None:
    """An upgrade does not start a stopped service; an instance runs the new version."""
    machine = boot(upgrade=True)
    machine.must(f"{INSTALL} {OLD}")
    configure(machine)
    machine.must(
        f"install -m 0644 {CONFIG} /etc/cln-monitor/one.yml && install -m 0600 /dev/null /etc/cln-monitor/one.secret"
    )
    machine.must("sed -i 's/secret_key:.*/secret_key_file: \"%d\\/one.secret\"/' /etc/cln-monitor/one.yml")
    machine.must(f"sed -n 's/^ *secret_key: //p' {CONFIG} | cut -d ' ' -f 1 > /etc/cln-monitor/one.secret")
    machine.must("systemctl start cln-exporter@one")
    assert version_of(machine) == LOWER
    machine.must(f"{INSTALL} {NEW}")
    assert version_of(machine) != LOWER
    assert machine.show(SERVICE, "ActiveState") == "inactive"


def test_state_of_a_unit_with_a_dynamic_user_moves_along(boot: Callable[..., Machine]) -> None:
    """The service of the package adopts the state of the unit of a checkout, which has a dynamic user."""
    machine = boot()
    machine.must(f"{INSTALL} {NEW}")
    configure(machine)
    drop_in = "/etc/systemd/system/cln-exporter.service.d/before.conf"
    old = "[Service]\\nUser=\\nGroup=\\nDynamicUser=yes\\nSupplementaryGroups=cln-monitor"
    machine.must(f"mkdir -p {Path(drop_in).parent} && printf '{old}\\n' > {drop_in} && systemctl daemon-reload")
    machine.must(f"systemctl start {SERVICE}")
    scrape(machine)
    machine.must("systemctl stop cln-exporter cln && test -L /var/lib/cln-exporter")
    machine.must(f"rm {drop_in} && systemctl daemon-reload && systemctl start {SERVICE}")
    assert "cln_kernelcare_key_servers{" in scrape(machine)
    assert machine.must(f"stat -c '%F %U' {STATE}") == "directory cln-monitor\n"


def test_downgrade(boot: Callable[..., Machine]) -> None:
    """Installing an older package is a downgrade."""
    machine = boot(upgrade=True)
    machine.must(f"{INSTALL} {NEW}")
    configure(machine)
    machine.must(f"systemctl start {SERVICE}")
    assert version_of(machine) != LOWER
    machine.must(f"{INSTALL} --allow-downgrades {OLD}")
    assert version_of(machine) == LOWER


def test_downgrade_to_a_version_with_an_older_state_format(boot: Callable[..., Machine]) -> None:
    """The old version starts without the state, says so once, and keeps it for the next upgrade."""
    machine = boot(upgrade=True, old_state_format=FORMAT - 1)
    machine.must(f"{INSTALL} {NEW}")
    configure(machine)
    machine.must(f"systemctl start {SERVICE}")
    seen = last_success(machine)
    assert seen, "no probe had succeeded"
    wait_until(lambda: len(files_below(machine, f"{STATE}/*.state")) == len(seen), "the saved state")
    machine.must("systemctl stop cln.service")
    machine.must(f"{INSTALL} --allow-downgrades {OLD}")
    assert version_of(machine) == LOWER
    assert machine.journal(SERVICE).count("saved state of a newer version kept aside") == 1
    assert len(files_below(machine, f"{STATE}/*.state.format-{FORMAT}")) == len(seen)
    machine.must(f"{INSTALL} {NEW}")
    assert version_of(machine) != LOWER
    assert last_success(machine) == seen
    assert files_below(machine, f"{STATE}/*.state.format-*") == []


def test_remove_keeps_and_purge_removes(boot: Callable[..., Machine]) -> None:
    """Removing keeps configuration and state; purging removes both, and the links to units."""
    machine = boot()
    machine.must(f"{INSTALL} {NEW}")
    configure(machine)
    machine.must(f"systemctl enable --now {SERVICE}")
    scrape(machine)
    wait_until(lambda: files_below(machine, STATE)[1:], "the saved state")
    machine.must("systemctl stop cln.service")
    process = machine.show(SERVICE, "MainPID")
    machine.must("apt-get remove --yes cln-monitor")
    assert machine.show(SERVICE, "ActiveState") == "inactive"
    assert machine.run(f"test -d /proc/{process}").code != 0
    assert files_below(machine, "/usr/lib/cln-monitor /usr/bin/cln-exporter /usr/share/cln-monitor") == []
    assert files_below(machine, CONFIG) == [CONFIG]
    assert files_below(machine, STATE)[1:]

    machine.must(f"{INSTALL} {NEW}")
    assert 'secret_key: ""' not in machine.must(f"cat {CONFIG}"), "the edited configuration is still there"
    assert machine.run(f"systemctl is-enabled {SERVICE}").output == "enabled\n"

    machine.must("apt-get purge --yes cln-monitor")
    state = "/var/lib/cln-exporter /var/lib/private/cln-*"
    assert (
        files_below(machine, f"/etc/cln-monitor {state} /etc/systemd/system/*.wants/cln-* /usr/lib/cln-monitor") == []
    )
    assert machine.must("dpkg-query --list 'cln-monitor*' 2>/dev/null | grep -c ^ii || true") == "0\n"


def test_another_installation_is_named_and_not_used(boot: Callable[..., Machine]) -> None:
    """The package does not use modules and programs in /usr/local, as installed by pip."""
    machine = boot()
    (minor,) = re.findall(r"3\.\d+", machine.must("python3 --version"))
    modules = f"/usr/local/lib/python{minor}/dist-packages/cln_monitor"
    machine.must(f"mkdir -p {modules} && echo 'raise SystemExit(9)' > {modules}/__init__.py")
    machine.must("echo '#!/bin/false' > /usr/local/bin/clntool && chmod 755 /usr/local/bin/clntool")
    output = machine.must(f"{INSTALL} {NEW} 2>&1")
    assert "/usr/local/bin/clntool belongs to another installation" in output
    assert machine.must(f"PYTHONPATH={modules}/.. /usr/bin/clntool --version").startswith("clntool ")
    assert machine.run("/usr/lib/nagios/plugins/check_cln_status --version").code == 3


def test_a_full_disk_during_an_upgrade(boot: Callable[..., Machine]) -> None:
    """The upgrade fails and the old version keeps running; with free space, the upgrade succeeds."""
    machine = boot(upgrade=True)
    machine.must(f"{INSTALL} {OLD}")
    configure(machine)
    machine.must(f"systemctl start {SERVICE}")
    machine.must(
        "cp -a /usr/lib/cln-monitor /tmp/copy && size=$(du -sk /tmp/copy | cut -f 1) && "
        "mount -t tmpfs -o size=$((size + 2048))k tmpfs /usr/lib/cln-monitor && "
        "cp -a /tmp/copy/. /usr/lib/cln-monitor/"
    )
    failed = machine.run(f"dpkg --install {NEW}")
    assert failed.code != 0
    assert "No space left on device" in failed.output
    assert version_of(machine) == LOWER
    assert machine.must("clntool --version") == f"clntool {LOWER}\n"
    machine.must("mount -o remount,size=1g /usr/lib/cln-monitor")
    machine.must(f"dpkg --install {NEW}")
    assert version_of(machine) != LOWER


def test_lintian(distribution: str) -> None:
    """Lintian reports no errors, and only warnings that the package overrides."""
    done = subprocess.run(
        ["lintian", "--fail-on=error,warning", "--allow-root", str(package_of(distribution))],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout
