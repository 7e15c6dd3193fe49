"""The machine of a measurement, and how busy it was with other programs."""

from __future__ import annotations

import os
import platform
import re
import resource
import ssl
import subprocess
import zlib
from importlib.metadata import version
from pathlib import Path

from tests.helpers.servers import find

_LIBRARIES = ("msgspec", "nagiosplugin", "prometheus-client", "requests", "starlette", "urllib3", "uvicorn", "uvloop")


def describe() -> str:
    """Return a list of the processor, the kernel, and the versions, without anything that identifies the machine."""
    processor = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text(encoding="utf-8"))
    cores = (
        f"{os.cpu_count()} cores, {processor[1] if processor else platform.machine()}, "
        f"{int(memory[1]) / (1 << 20) if memory else 0:.0f} GB of memory"
    )
    system = (
        f"{platform.system()} {platform.release().partition('-')[0]}, Python {platform.python_version()}, "
        f"{ssl.OPENSSL_VERSION}, zlib {zlib.ZLIB_RUNTIME_VERSION}"
    )
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES) + _nginx()
    return f"- {cores}\n- {system}\n- {libraries}\n"


class Others:
    """The share of the machine's CPU that other programs have used since the creation of this object."""

    def __init__(self) -> None:
        self.load = os.getloadavg()[0]
        """The load average of the preceding minute."""
        self._before = _cpu_seconds()

    @property
    def share(self) -> float:
        """The share of all CPU time, from 0 to 1."""
        every, idle, ours = (now - then for now, then in zip(_cpu_seconds(), self._before, strict=True))
        return max(0.0, every - idle - ours) / every if every else 0.0


def _cpu_seconds() -> tuple[float, float, float]:
    """Return the CPU seconds of all cores: in total, idle, and of this process with its terminated children."""
    first_line = Path("/proc/stat").read_text(encoding="ascii").partition("\n")[0]
    ticks = [int(field) for field in first_line.split()[1:9]]  # from user to steal: proc_stat(5)
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    ours = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    per_second = os.sysconf("SC_CLK_TCK")
    return sum(ticks) / per_second, (ticks[3] + ticks[4]) / per_second, ours


def _nginx() -> str:
    nginx = find("nginx")
    if nginx is None:
        return ""
    version_line = subprocess.run([nginx, "-v"], capture_output=True, text=True, check=True).stderr
    return ", " + version_line.strip().rpartition(" ")[2].replace("/", " ")
