"""An nginx that serves a directory, with its own configuration and not as a system service."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.helpers.running import Program, ask, free_port, wait_until
from tests.helpers.servers import find

_CONFIG = """\
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log stderr warn;
events {{ }}
http {{
    access_log off;
    sendfile on;
    keepalive_requests 1000000;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{ listen 127.0.0.1:{port}; root {directory}; }}
}}
"""


@contextlib.contextmanager
def nginx_over(directory: Path) -> Iterator[tuple[int, str]] | Iterator[None]:
    """Serve the files of ``directory``; provide the process id and the address, or None if nginx is not installed."""
    nginx = find("nginx")
    if nginx is None:
        yield None
        return
    port = free_port()
    config = directory / "nginx.conf"
    config.write_text(_CONFIG.format(directory=directory, port=port), encoding="utf-8")
    program = Program([nginx, "-c", str(config), "-p", str(directory)], directory / "nginx.log")
    try:
        wait_until(lambda: _answers(port), "nginx")
        yield program.process.pid, f"127.0.0.1:{port}"
    finally:
        program.stop()


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError):
        return ask(f"http://127.0.0.1:{port}/").status > 0
    return False
