"""nginx that serves a folder, with its own configuration and as nobody's service."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.helpers.running import Program, ask, free_port, wait_until
from tests.helpers.servers import find

_CONFIG = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ }}
http {{
    access_log off;
    sendfile on;
    keepalive_requests 1000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; root {folder}; }}
}}
"""


@contextlib.contextmanager
def nginx_over(folder: Path) -> Iterator[tuple[int, str]] | Iterator[None]:
    """Serve the files of ``folder``; give the process id and the address, or None where there is no nginx."""
    nginx = find("nginx")
    if nginx is None:
        yield None
        return
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(_CONFIG.format(folder=folder, port=port), encoding="utf-8")
    program = Program([nginx, "-c", str(config), "-p", str(folder)], folder / "nginx.log")
    try:
        wait_until(lambda: _answers(port), "nginx")
        yield program.process.pid, f"127.0.0.1:{port}"
    finally:
        program.stop()


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError):
        return ask(f"http://127.0.0.1:{port}/").status > 0
    return False
