"""Take the pictures of the README: parts of the status page of the demo."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.helpers.chromium import Chromium
from tests.helpers.running import running_exporter

_WIDTH = 960


def take(directory: Path) -> None:
    """Write ``status-page.png``, ``status-page-dark.png``, and ``check-ins.png`` to ``directory``."""
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, running_exporter(Path(scratch), "--demo") as exporter:
        exporter.wait_ready()
        with Chromium() as chromium:
            light, dark = (chromium.page(f"http://{exporter.address}/", _WIDTH, dark=dark) for dark in (False, True))
            pictures = {
                "status-page": light.picture(end="#probes"),
                "status-page-dark": dark.picture(end="#probes"),
                "check-ins": light.picture("#check-ins", end="#check-ins .legend"),
            }
    for name, picture in pictures.items():
        (directory / f"{name}.png").write_bytes(picture)


if __name__ == "__main__":
    take(Path(sys.argv[1]))
