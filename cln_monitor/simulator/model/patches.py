"""Kernels and their live patches, as TuxCare builds them: each level has all the fixes of the levels below it."""

import hashlib
from dataclasses import dataclass

from .checkins import HOUR


@dataclass(frozen=True, slots=True)
class SimulatedPatch:
    """A patch: its level, when it was built (Unix seconds), and its fixes, by name.

    A fix has the text of its CVEs, such as `CVE-2026-11111 CVE-2026-22222` or `N/A`. `effective_kernel` is the kernel
    that has the fixes of this level.
    """

    level: int
    built_at: float
    fixes: tuple[tuple[str, str], ...]
    effective_kernel: str


class SimulatedKernel:
    """A kernel that can be patched: its id is the SHA-1 of the text that `/proc/version` has on its servers."""

    def __init__(self, system: str, release: str, *, distro: str = "", distro_version: str = "") -> None:
        """Make a kernel; `system` is the operating system, such as `almalinux8`, `release` is that of `uname -r`."""
        self.system = system
        self.release = release
        self.distro = distro
        self.distro_version = distro_version
        self.kernel_id = hashlib.sha1(f"Linux version {release}\n".encode(), usedforsecurity=False).hexdigest()
        self.patches: list[SimulatedPatch] = []

    def add_patch(
        self, built_at: float, *fixes: tuple[str, str], effective_kernel: str = "", level: int | None = None
    ) -> SimulatedPatch:
        """Add the next patch, and return it; it has the fixes of all patches before it, and `fixes`."""
        last = self.patches[-1] if self.patches else None
        patch = SimulatedPatch(
            level if level is not None else (last.level if last else 0) + 1,
            built_at,
            (*(last.fixes if last else ()), *fixes),
            effective_kernel or self.release,
        )
        self.patches.append(patch)
        return patch

    def patch(self, level: int) -> SimulatedPatch | None:
        """Return the patch of `level`, or None."""
        return next((patch for patch in self.patches if patch.level == level), None)

    def newest(self, now: float, delay: float = 0.0) -> SimulatedPatch | None:
        """Return the newest patch that was built at least `delay` seconds before `now`, or None."""
        built = [patch for patch in self.patches if patch.built_at + delay <= now]
        return built[-1] if built else None


class SimulatedPatchServer:
    """The kernels that the patch server knows, by id."""

    def __init__(self) -> None:
        self.kernels: dict[str, SimulatedKernel] = {}

    def add_kernel(self, kernel: SimulatedKernel) -> SimulatedKernel:
        """Add a kernel, and return it."""
        self.kernels[kernel.kernel_id] = kernel
        return kernel


@dataclass(frozen=True, slots=True)
class SimulatedFeed:
    """A feed of an ePortal: its servers get a patch `deploy_after` hours after it was built."""

    name: str
    deploy_after: int = 0
    auto: bool = True

    @property
    def delay(self) -> float:
        """The delay in seconds."""
        return self.deploy_after * HOUR
