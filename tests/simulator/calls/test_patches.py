"""The patch server: descriptions, newest levels, and 404 for everything that it does not know."""

import pytest

from cln_monitor.simulator import SimulatedKernel, Simulator
from tests.simulator.asking import NOW, Reply

DAY = 86400
RELEASE = "4.18.0-553.el8.x86_64"


@pytest.fixture
def kernel(simulator: Simulator) -> SimulatedKernel:
    """Return a kernel with the patches 1 and 3, and one that is built tomorrow."""
    kernel = simulator.patches.add_kernel(SimulatedKernel("almalinux8", RELEASE))
    kernel.add_patch(NOW - 20 * DAY, ("fix-a", "CVE-2026-11111 CVE-2026-22222"), effective_kernel="4.18.0-553.80.1.el8")
    kernel.add_patch(NOW - DAY, ("fix-b", "N/A"), effective_kernel="4.18.0-553.90.1.el8", level=3)
    kernel.add_patch(NOW + DAY, ("fix-c", "cve-2026-33333"))
    return kernel


def get(simulator: Simulator, path: str, method: str = "GET") -> Reply:
    """Return the response to a request without credentials."""
    answer = simulator.answer_elsewhere(method, f"/patches{path}", {}, {})
    return Reply(answer.status, {"content-type": answer.content_type}, answer.body)


def test_description(simulator: Simulator, kernel: SimulatedKernel) -> None:
    """A description has a head, and a block for each fix of the level and of those below it."""
    reply = get(simulator, f"/{kernel.kernel_id}/3/kpatch.info")
    assert reply.headers["content-type"].startswith("text/plain")
    blocks = [dict(line.split(": ", 1) for line in block.splitlines()) for block in reply.text.split("\n\n")]
    assert blocks[0] == {
        "OS": "almalinux8",
        "kernel": f"kernel-{RELEASE}",
        "time": "2024-04-29 15:26:40",
        "uname": "4.18.0-553.90.1.el8",
    }
    fixes = [(block["kpatch-name"], block["kpatch-cve"]) for block in blocks[1:]]
    assert fixes == [("almalinux8/fix-a.patch", "CVE-2026-11111 CVE-2026-22222"), ("almalinux8/fix-b.patch", "N/A")]
    assert reply.text.endswith("\n")


def test_newest(simulator: Simulator, kernel: SimulatedKernel) -> None:
    """The newest level is that of the last patch that is built, and grows as time passes."""
    assert get(simulator, f"/{kernel.kernel_id}/latest.v2").text == "3\n"
    assert get(simulator, f"/{kernel.kernel_id}/version").text == f"{RELEASE}\n"
    simulator.advance(2 * DAY)
    assert get(simulator, f"/{kernel.kernel_id}/latest.v2").text == "4\n"
    assert get(simulator, f"/{kernel.kernel_id}/4/kpatch.info").status == 200


def test_unknown(simulator: Simulator, kernel: SimulatedKernel) -> None:
    """An unknown kernel or level, one that is not built yet, and any other path is 404; a change is 405."""
    unknown = "5f0c" * 10
    for path in (
        f"/{unknown}/latest.v2",
        f"/{unknown}/1/kpatch.info",
        f"/{unknown}/version",
        f"/{kernel.kernel_id}/0/kpatch.info",
        f"/{kernel.kernel_id}/2/kpatch.info",
        f"/{kernel.kernel_id}/4/kpatch.info",
        f"/{kernel.kernel_id}/kpatch.info",
        f"/{kernel.kernel_id.upper()}/latest.v2",
        "/",
    ):
        assert get(simulator, path).status == 404, path
    bare = simulator.patches.add_kernel(SimulatedKernel("debian12", "6.1.0-21-amd64"))
    assert get(simulator, f"/{bare.kernel_id}/latest.v2").status == 404
    assert get(simulator, f"/{kernel.kernel_id}/latest.v2", method="DELETE").status == 405
