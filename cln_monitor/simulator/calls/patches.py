"""The public patch server: `kpatch.info`, `latest.v2` and `version` of a kernel. It has no credentials."""

import re
from time import gmtime, strftime

from cln_monitor.simulator import answers
from cln_monitor.simulator.answers import SimulatedAnswer
from cln_monitor.simulator.model import SimulatedKernel, SimulatedPatch, SimulatedPatchServer

ROOT = "/patches"
"""The path below which the simulator serves it; the real one has a host of its own."""

_PATH = re.compile(r"/([0-9a-f]{40})/(?:(version|latest\.v1|latest\.v2)|([0-9]{1,9})/kpatch\.info)")


def answer(server: SimulatedPatchServer, method: str, path: str, now: float) -> SimulatedAnswer:
    """Return the response to a request for `path` below `ROOT`."""
    if method not in {"GET", "HEAD"}:
        return answers.page(405, "This server only accepts GET.", {"Allow": "GET, HEAD"})
    found = _PATH.fullmatch(path)
    kernel = server.kernels.get(found[1]) if found else None
    if found is None or kernel is None:
        return answers.page(404)
    if found[2] == "version":
        return answers.text(f"{kernel.release}\n")
    if found[2]:
        newest = kernel.newest(now)
        return answers.page(404) if newest is None else answers.text(f"{newest.level}\n")
    patch = kernel.patch(int(found[3]))
    if patch is None or patch.built_at > now:
        return answers.page(404)
    return answers.text(_info(kernel, patch))


def _info(kernel: SimulatedKernel, patch: SimulatedPatch) -> str:
    """Return the description of a patch: a head, and a block for each fix."""
    head = [
        f"OS: {kernel.system}",
        f"kernel: kernel-{kernel.release}",
        f"time: {strftime('%Y-%m-%d %H:%M:%S', gmtime(patch.built_at))}",
        f"uname: {patch.effective_kernel}",
    ]
    blocks = [
        [
            f"kpatch-name: {kernel.system}/{name}.patch",
            f"kpatch-description: {name.replace('-', ' ')}",
            f"kpatch-kernel: kernel-{patch.effective_kernel}",
            f"kpatch-cve: {cves}",
            "kpatch-cvss: 7.8",
            f"kpatch-cve-url: https://cve.example.org/{name}",
            f"kpatch-patch-url: https://git.example.org/{name}",
        ]
        for name, cves in patch.fixes
    ]
    return "\n\n".join("\n".join(block) for block in [head, *blocks]) + "\n"
