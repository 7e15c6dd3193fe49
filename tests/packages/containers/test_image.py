"""The image as a container: the first process, with a read-only root, without a shell, as an unprivileged user."""

from __future__ import annotations

import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import cln_monitor
from cln_monitor.simulator import Simulator
from tests.helpers.running import PATIENCE, Program, wait_until

from .container import Container, Network, network
from .image import Image

CLN = "http://127.0.0.1:8099/api"
CONFIG = "/etc/cln-monitor"
STATE = "/var/lib/cln-exporter"


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    """The image."""
    made = Image()
    try:
        yield made
    finally:
        made.remove()


@pytest.fixture
def net() -> Iterator[Network]:
    """A network with loopback only."""
    with network() as made:
        yield made


@pytest.fixture
def shared() -> Iterator[Path]:
    """A directory that the user of the container can enter."""
    with tempfile.TemporaryDirectory(prefix="cln-monitor-volume-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@contextmanager
def running(image: Image, net: Network, directory: Path, *arguments: str, **options: object) -> Iterator[Container]:
    """Run a container with its log in `directory`."""
    container = Container(image, net, directory / "container.log", *arguments, **options)  # type: ignore[arg-type] # as there
    try:
        yield container
    finally:
        os.kill(container.init, signal.SIGKILL) if container.process.poll() is None else None
        container.stop()


@contextmanager
def simulated_cln(net: Network, directory: Path) -> Iterator[Program]:
    """Run a simulated CLN in the network of the container."""
    code = "from cln_monitor.cli.main import run; run()"
    command = [*net.enter, sys.executable, "-P", "-c", code, "simulate", "--listen", "127.0.0.1:8099"]
    program = Program(command, directory / "cln.log")
    try:
        program.wait_for_log("127.0.0.1:8099")
        yield program
    finally:
        program.stop()


def test_what_the_image_declares(image: Image) -> None:
    """The image has a numeric user, the labels of OCI, flags as arguments, and a check of /-/healthy alone."""
    config = image.config
    assert (config["User"], list(config["ExposedPorts"])) == ("65534:65534", ["10099/tcp"])
    assert config["Entrypoint"] == ["/opt/cln-monitor/bin/cln-exporter", "--web.listen-address=:10099"]
    assert not config.get("Cmd")
    labels = {name.removeprefix("org.opencontainers.image."): text for name, text in config["Labels"].items()}
    assert labels["version"] == cln_monitor.__version__
    assert labels["licenses"] == "Apache-2.0"
    assert config["Healthcheck"]["Test"] == [
        *("CMD", "/opt/cln-monitor/bin/python3", "-I", "/opt/cln-monitor/healthcheck.py")
    ]


def test_the_demo(image: Image, net: Network, tmp_path: Path) -> None:
    """The first process serves metrics as an unprivileged user, is healthy, and ends on SIGTERM with 0."""
    with running(image, net, tmp_path, "--demo") as container:
        container.wait_ready()
        status = container.status()
        assert status["NSpid"].split()[-1] == "1"
        assert status["Uid"].split() == ["65534"] * 4
        assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
        assert re.search(r'(?m)^cln_probe_success\{.*probe="kernelcare"\} 1$', container.metrics())
        assert not [name for name in ("sh", "bash", "dash") if (image.root / "bin" / name).exists()]
        touched = container.run("touch", "/opt/cln-monitor/x")
        assert "Read-only file system" in touched.output, touched
        checked = container.run(*image.config["Healthcheck"]["Test"][1:])
        assert (checked.code, checked.output) == (0, "")
        started = time.monotonic()
        os.kill(container.init, signal.SIGTERM)
        assert container.process.wait(PATIENCE) == 0
        assert time.monotonic() - started < 5  # docker kills it after ten seconds; alone on a machine it takes 0.1 s
        assert "msg=stopped" in container.log


def test_a_hung_exporter_is_unhealthy(image: Image, net: Network, tmp_path: Path) -> None:
    """The health check fails while the exporter does not answer, and is well again with it."""
    check = image.config["Healthcheck"]["Test"][1:]
    with running(image, net, tmp_path, "--demo") as container:
        os.kill(container.init, signal.SIGSTOP)
        outcome = container.run(*check)
        assert (outcome.code, outcome.output) == (1, "no answer on port 10099: timed out\n")
        os.kill(container.init, signal.SIGCONT)
        assert container.run(*check).code == 0


def test_no_zombies(image: Image, net: Network, tmp_path: Path) -> None:
    """The first process reaps the orphans of commands that were run in the container."""
    orphan = "import os, time; os.fork() or (os.fork() or (time.sleep(0.3), os._exit(0)), os._exit(0)); os.wait()"
    states = (
        "import glob; print([open(f).read().rpartition(')')[2].split()[0] for f in glob.glob('/proc/[0-9]*/stat')])"
    )
    with running(image, net, tmp_path, "--demo") as container:
        for _ in range(3):
            assert container.run("python3", "-c", orphan).code == 0

        def at_rest() -> str:
            output = container.run("python3", "-c", states).output
            return output if output.count("'") == 4 else ""  # the exporter, and what lists the processes

        assert "Z" not in wait_until(at_rest, "the orphans to end")


def test_a_mounted_configuration(image: Image, net: Network, shared: Path, tmp_path: Path) -> None:
    """A replaced volume is read at SIGHUP, the state survives a restart, and CLN being down is not unhealthy."""
    (account,) = Simulator.demo(7).accounts.values()
    volume, state = shared / "volume", shared / "state"
    for directory in (volume, state):
        directory.mkdir()
        directory.chmod(0o755)
    os.chown(state, 65534, 65534)

    def publish(version: str, name: str) -> None:
        (volume / version).mkdir()
        (volume / version).chmod(0o755)
        (volume / version / "cln-monitor.yml").write_text(
            f"api_url: {CLN}\naccounts: [{{name: {name}, login: {account.login}, secret_key_file: secret-key}}]\n"
        )
        (volume / version / "secret-key").write_text(f"{account.secret_key}\n")
        for file in (volume / version).iterdir():
            os.chown(file, 0, 65534)
            file.chmod(0o440)
        (volume / "..data_tmp").symlink_to(version)
        (volume / "..data_tmp").replace(volume / "..data")

    publish("..one", "first")
    for file in ("cln-monitor.yml", "secret-key"):
        (volume / file).symlink_to(Path("..data", file))
    mounts = {volume: CONFIG, state: STATE}
    check = image.config["Healthcheck"]["Test"][1:]
    flag = f"--storage.path={STATE}"
    with simulated_cln(net, tmp_path) as cln:
        with running(image, net, tmp_path, flag, mounts=mounts) as container:
            container.wait_ready()
            assert 'account="first",probe="kernelcare"} 1' in container.metrics()
            publish("..two", "second")
            os.kill(container.init, signal.SIGHUP)
            container.wait_for_log("configuration reloaded")
            container.wait_ready()
            assert 'account="second",probe="kernelcare"} 1' in container.metrics()
            cln.stop()
            assert net.ask("/probe?account=second&probe=kernelcare")[0] == 200
            assert 'account="second",probe="kernelcare"} 0' in net.ask("/probe?account=second&probe=kernelcare")[1]
            assert (container.run(*check).code, net.ask("/-/healthy")[0], net.ask("/-/ready")[0]) == (0, 200, 200)
            os.kill(container.init, signal.SIGTERM)
            assert container.process.wait(PATIENCE) == 0
        with running(image, net, tmp_path, flag, mounts=mounts) as container:
            assert "cln_kernelcare_key_servers{" in container.metrics()


def test_modes_of_a_secret(image: Image, net: Network, shared: Path, tmp_path: Path) -> None:
    """A secret of mode 0444 is accepted in a private directory, and refused in an open one, with what to set."""
    for name, mode in (("private", 0o700), ("open", 0o755)):
        directory = shared / name
        directory.mkdir()
        (directory / "secret").write_text("s3cret\n")
        (directory / "secret").chmod(0o444)
        directory.chmod(mode)
        os.chown(directory, 65534, 65534)
    config = shared / "cln-monitor.yml"
    mounts = {shared: CONFIG}
    with running(image, net, tmp_path, "--demo", mounts=mounts) as container:
        program = image.config["Entrypoint"][0]
        for name in ("private", "open"):
            config.write_text(f"accounts: [{{name: a, login: l, secret_key_file: {name}/secret}}]\n")
            config.chmod(0o644)
            outcome = container.run(program, "--config.check")
            if name == "private":
                assert outcome.code == 0, outcome
            else:
                assert outcome.code == 1
                assert "chmod 600" in outcome.output
                assert "defaultMode: 0440" in outcome.output
