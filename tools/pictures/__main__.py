"""Render dashboards of the demo: ``python -m tools.pictures [UID...]`` writes dashboard-….png to docs/images.

It needs node with npm, chromium, and prometheus. Packages of npm are installed into a temporary directory.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.helpers.prometheus import Prometheus
from tests.helpers.running import running_exporter

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
WIDTH, HEIGHT = 1600, 4000  # the height is cropped to the content of the page
CHROMIUM = [
    "chromium",
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=20000",
]
ESBUILD = [
    "npx",
    "esbuild",
    "page.jsx",
    "--bundle",
    "--splitting",
    "--format=esm",
    "--jsx=automatic",
    "--minify",
    "--outdir=built",
    "--log-level=error",
    "--loader:.woff2=file",
    "--loader:.svg=dataurl",
    "--loader:.ttf=dataurl",
    "--loader:.png=dataurl",
    '--define:process.env.NODE_ENV="production"',
    "--define:global=globalThis",
]


def main() -> None:
    """Render the dashboards given on the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.pictures", description=__doc__)
    parser.add_argument(
        "uids", nargs="*", default=["cln-overview"], metavar="UID", help="Dashboards to render (default: cln-overview)"
    )
    parser.add_argument("--theme", choices=["dark", "light"], default="dark", help="Color theme (default: dark)")
    parser.add_argument("--width", type=int, default=WIDTH, help=f"Width in pixels (default: {WIDTH})")
    parser.add_argument("--to", type=Path, default=ROOT / "docs" / "images", metavar="DIRECTORY")
    parser.add_argument("--minutes", type=float, default=10, help="Run time of the demo in minutes (default: 10)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        work = Path(directory)
        with _watched_demo(work) as prometheus:
            started = time.monotonic()
            _build(work)
            time.sleep(max(30, 60 * arguments.minutes - (time.monotonic() - started)))
            arguments.to.mkdir(parents=True, exist_ok=True)
            look = f"range={arguments.minutes:g}m&theme={arguments.theme}"
            for uid in arguments.uids:
                picture = arguments.to.resolve() / f"dashboard-{uid.removeprefix('cln-')}.png"
                _draw(work, prometheus, uid, picture, look=look, width=arguments.width)
                sys.stdout.write(f"{picture}: {picture.stat().st_size} bytes\n")


@contextmanager
def _watched_demo(work: Path) -> Iterator[str]:
    """Run the demo and a Prometheus that scrapes it; provide the URL of Prometheus."""
    with running_exporter(work, "--demo") as demo:
        prometheus = Prometheus(work, [demo.address])
        try:
            yield prometheus.url
        finally:
            prometheus.stop()


def _build(work: Path) -> None:
    """Install the npm packages and bundle the page."""
    for file in ("package.json", "page.jsx", "page.html", "shrink.mjs"):
        shutil.copy(HERE / file, work)
    for command in (["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], ESBUILD):
        subprocess.run(command, cwd=work, check=True)


def _draw(work: Path, prometheus: str, uid: str, picture: Path, *, look: str, width: int) -> None:
    dashboard = (ROOT / "dashboards" / "grafana" / f"{uid}.json").read_bytes()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, dashboard, prometheus, directory=str(work)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        page = f"http://127.0.0.1:{server.server_port}/page.html?{look}"
        whole = work / "whole.png"
        shot = [f"--window-size={width},{HEIGHT}", f"--screenshot={whole}", page]
        subprocess.run([*CHROMIUM, *shot], cwd=work, check=True, capture_output=True)
        subprocess.run(["node", "shrink.mjs", whole, picture], cwd=work, check=True)
    finally:
        server.shutdown()
        server.server_close()


class _Handler(SimpleHTTPRequestHandler):
    """Serves the page, the dashboard, the icons of Grafana, and Prometheus from one origin."""

    def __init__(self, dashboard: bytes, prometheus: str, *arguments: object, directory: str) -> None:
        self._dashboard, self._prometheus = dashboard, prometheus
        begin: Callable[..., None] = super().__init__
        begin(*arguments, directory=directory)

    def do_GET(self) -> None:  # name required by http.server
        if self.path == "/dashboard.json":
            self._send(self._dashboard)
        else:
            icons = "/node_modules/@grafana/ui/dist/public/img/"
            self.path = self.path.replace("/public/build/img/", icons).replace("/public/img/", icons)
            super().do_GET()

    def do_POST(self) -> None:  # name required by http.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with urllib.request.urlopen(self._prometheus + self.path, body) as answer:
            self._send(answer.read())

    def _send(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Do not log requests."""


if __name__ == "__main__":
    main()
