"""The HEALTHCHECK of the image: ``healthcheck.py [PORT]`` exits with 0 if the exporter answers, else with 1.

Only a hung exporter is unhealthy: CLN being down must not restart it. Any answer below 500 counts, such as 401 of an
exporter with passwords or 404 of one with a route prefix, and so does a complete TLS handshake after which the exporter
closes the connection, because this program has no client certificate.
"""

from __future__ import annotations

import re
import socket
import ssl
import sys

PORT = 10099  # of the ENTRYPOINT
TIMEOUT = 4.0  # seconds for each of the two attempts
_REQUEST = b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nUser-Agent: healthcheck\r\nConnection: close\r\n\r\n"
_REFUSED = b"HTTP/1.1 403 a client certificate is required"
_ANSWER = re.compile(rb"HTTP/1\.1 ([1-4])\d\d ")


def main(arguments: list[str]) -> str:
    """Return why the exporter on the port in ``arguments`` is unhealthy, or "" if it is healthy."""
    port = int(arguments[0]) if arguments else PORT
    try:
        answer = _ask(port)
        if not answer.startswith(b"HTTP/"):  # the exporter speaks TLS
            answer = _ask_over_tls(port)
    except OSError as error:
        return f"no answer on port {port}: {error}"
    return "" if _ANSWER.match(answer) else f"unexpected answer on port {port}: {answer[:40]!r}"


def _ask(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), TIMEOUT) as connection:
        connection.sendall(_REQUEST)
        try:
            return connection.recv(4096)
        except ConnectionResetError:
            return b""


def _ask_over_tls(port: int) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # whether it answers, and not who it is
    connection = socket.create_connection(("127.0.0.1", port), TIMEOUT)
    with connection, context.wrap_socket(connection) as encrypted:
        try:
            encrypted.sendall(_REQUEST)
            return encrypted.recv(4096) or _REFUSED
        except OSError:  # after the handshake, which only a running exporter can complete
            return _REFUSED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) or 0)
