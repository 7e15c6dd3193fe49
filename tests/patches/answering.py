"""A patch server whose responses a test sets; it records its requests."""

from __future__ import annotations

import socket

from tests.helpers.scripted import ScriptedServer, http_answer, read_head

NOT_FOUND = http_answer(b"not found", status="404 Not Found")


class AnsweringPatchServer(ScriptedServer):
    """Answers each path with its response in ``answers``, by default with 404. ``heads`` are those of all requests."""

    def __init__(self) -> None:
        super().__init__(self._talk)
        self.answers: dict[str, bytes] = {}
        self.heads: list[bytes] = []

    def says(self, path: str, text: str, *headers: str, status: str = "200 OK") -> None:
        """Answer ``path`` with ``text`` from now on."""
        self.answers[path] = http_answer(text.encode(), *headers, status=status)

    @property
    def paths(self) -> list[str]:
        """The paths of all requests so far."""
        return [head.split(b" ")[1].decode() for head in self.heads]

    def _talk(self, connection: socket.socket) -> None:
        while head := read_head(connection):
            self.heads.append(head)
            answer = self.answers.get(head.split(b" ")[1].decode(), NOT_FOUND)
            if not answer:
                return
            connection.sendall(answer)
            if b"Connection: close" in answer:
                return
