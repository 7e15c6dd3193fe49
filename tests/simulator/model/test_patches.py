"""Patches of a kernel: each has the fixes of those below it."""

from cln_monitor.simulator import SimulatedKernel
from cln_monitor.simulator.model.patches import SimulatedFeed


def test_fixes_accumulate() -> None:
    """A patch has the fixes of the patches before it, the next level unless another is given, and a kernel."""
    kernel = SimulatedKernel("almalinux8", "4.18.0-553.el8.x86_64")
    first = kernel.add_patch(1000, ("fix-a", "CVE-2026-11111"))
    second = kernel.add_patch(2000, ("fix-b", "N/A"), level=5, effective_kernel="4.18.0-553.90.1.el8")
    third = kernel.add_patch(3000)
    assert [patch.level for patch in kernel.patches] == [1, 5, 6]
    assert first.effective_kernel == "4.18.0-553.el8.x86_64"
    assert second.fixes == third.fixes == (("fix-a", "CVE-2026-11111"), ("fix-b", "N/A"))
    assert kernel.patch(5) is second
    assert kernel.patch(2) is None


def test_newest() -> None:
    """The newest patch is the last one that was built, or, for a feed that delays patches, was built that long ago."""
    kernel = SimulatedKernel("almalinux8", "4.18.0-553.el8.x86_64")
    first, second = kernel.add_patch(1000), kernel.add_patch(9000)
    delay = SimulatedFeed("delayed", deploy_after=1).delay
    assert kernel.newest(999) is None
    assert kernel.newest(9000) is second
    assert kernel.newest(9000, delay) is first
    assert kernel.newest(9000 + 3600, delay) is second


def test_kernel_id() -> None:
    """The id of a kernel has 40 hex digits and differs by kernel."""
    ids = {SimulatedKernel("x", release).kernel_id for release in ("1", "2")}
    assert len(ids) == 2
    assert all(len(kernel_id) == 40 and int(kernel_id, 16) for kernel_id in ids)
