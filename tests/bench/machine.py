"""What a figure was measured on."""

from __future__ import annotations

import os
import platform
import re
import ssl
import subprocess
import zlib
from importlib.metadata import version
from pathlib import Path

from tests.real.servers import find

_LIBRARIES = ("msgspec", "nagiosplugin", "prometheus-client", "requests", "starlette", "urllib3", "uvicorn", "uvloop")


def describe() -> str:
    """Return a list of the processor, the kernel and the versions; nothing that tells whose machine it is."""
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


def _nginx() -> str:
    nginx = find("nginx")
    if nginx is None:
        return ""
    told = subprocess.run([nginx, "-v"], capture_output=True, text=True, check=True).stderr
    return ", " + told.strip().rpartition(" ")[2].replace("/", " ")
