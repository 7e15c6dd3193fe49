"""Where secrets come from: a file, which is read again when it changes, an environment variable, or the text itself."""

from __future__ import annotations

import os
from pathlib import Path

from cln_monitor.cln import Secret, problem_of_secret
from cln_monitor.file_reading import LARGEST_FILE, LARGEST_SECRET, read_file


class EmptySecretError(ValueError):
    """There is a place for a secret, and nothing in it."""


class SecretFile:
    """The text of a file, read again when the file changes; a relative ``name`` starts from the folder ``base``.

    The text of a pipe, which can be read once, stays as it was. ``ascii_only``: a character beyond ASCII is an error.
    """

    def __init__(self, name: str, base: Path, *, ascii_only: bool = False) -> None:
        self._name, self._base, self._ascii_only = name, base, ascii_only
        self._seen: tuple[int, int, int] | None = None
        self._text = ""

    def __call__(self) -> Secret:
        return _checked(self.text(LARGEST_SECRET), ascii_only=self._ascii_only)

    def lines(self) -> list[Secret]:
        """Return its lines that are neither empty nor comments."""
        lines = (line.strip() for line in self.text().splitlines())
        return [Secret(line) for line in lines if line and not line.startswith("#")]

    def text(self, largest: int = LARGEST_FILE) -> str:
        """Return the text without surrounding blanks. Raises OSError or ValueError while it was never readable.

        A file of more than ``largest`` bytes is an error.

        Once read, the last good text serves on while the file is missing or empty, as in the middle of a rotation.
        """
        try:
            path = expand(self._name, self._base)
            state = path.stat()
            seen = (state.st_mtime_ns, state.st_size, state.st_ino)
            if seen != self._seen:
                self._text, self._seen = _read(path, largest), seen
        except (OSError, ValueError):
            if not self._text:
                raise
        return self._text


def _read(path: Path, largest: int) -> str:
    text = read_file(path, largest).decode("utf-8-sig").strip()  # some editors begin a file with a mark that is no text
    if not text:
        raise EmptySecretError("is empty")
    return text


class SecretVariable:
    """The text of an environment variable. ``ascii_only``: a character beyond ASCII is an error."""

    def __init__(self, name: str, *, ascii_only: bool = False) -> None:
        self.name, self._ascii_only = name, ascii_only

    def __call__(self) -> Secret:
        text = os.environ.get(self.name, "").strip()
        if not text:
            raise EmptySecretError("is an environment variable that is not set, or empty")
        return _checked(text, ascii_only=self._ascii_only)


class SecretText:
    """The text that stands in a configuration itself. ``ascii_only``: a character beyond ASCII is an error."""

    def __init__(self, text: Secret, *, ascii_only: bool = False) -> None:
        self._text, self._ascii_only = text, ascii_only

    def __call__(self) -> Secret:
        return _checked(self._text.reveal().strip(), ascii_only=self._ascii_only)


def _checked(text: str, *, ascii_only: bool) -> Secret:
    if problem := problem_of_secret(text, ascii_only=ascii_only):
        raise ValueError(problem)
    return Secret(text)


def expand(name: str, base: Path) -> Path:
    """Return the path of a file named in a configuration that lies in the folder ``base``.

    ``%d`` and ``$CREDENTIALS_DIRECTORY`` are the folder of systemd's credentials, ``~`` is the home folder. Raises
    ValueError where there is none.
    """
    for spelling in ("%d", "${CREDENTIALS_DIRECTORY}", "$CREDENTIALS_DIRECTORY"):
        if name == spelling or name.startswith(spelling + "/"):
            folder = os.environ.get("CREDENTIALS_DIRECTORY")
            if not folder:
                raise ValueError("needs the variable CREDENTIALS_DIRECTORY, which systemd sets for LoadCredential=")
            return Path(folder + name[len(spelling) :])
    try:
        return base / Path(name).expanduser()
    except RuntimeError:
        raise ValueError("starts with the home folder of a user that is not known here") from None
