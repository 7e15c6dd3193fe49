"""Sources of secrets: a file, which is read again when it changes, an environment variable, or a literal value."""

from __future__ import annotations

import os
from pathlib import Path

from cln_monitor.cln import Secret, problem_of_secret
from cln_monitor.file_reading import LARGEST_FILE, LARGEST_SECRET, read_file


class EmptySecretError(ValueError):
    """The source of a secret exists, but is empty."""


class SecretFile:
    """A secret in a file, read again when the file changes; a relative ``name`` starts from the directory ``base``.

    A pipe is read only once. ``ascii_only``: a non-ASCII character is an error.
    """

    def __init__(self, name: str, base: Path, *, ascii_only: bool = False) -> None:
        self._name, self._base, self._ascii_only = name, base, ascii_only
        self._stamp: tuple[int, int, int] | None = None
        self._text = ""

    def __call__(self) -> Secret:
        return _checked(self.text(LARGEST_SECRET), ascii_only=self._ascii_only)

    def lines(self) -> list[Secret]:
        """Return the lines of the file that are neither empty nor comments."""
        lines = (line.strip() for line in self.text().splitlines())
        return [Secret(line) for line in lines if line and not line.startswith("#")]

    def text(self, largest: int = LARGEST_FILE) -> str:
        """Return the text without surrounding whitespace.

        Once read, the last good text is returned while the file is missing or empty, as during a rotation. Raises
        OSError or ValueError if it was never readable; a file of more than ``largest`` bytes counts as not readable.
        """
        try:
            path = expand(self._name, self._base)
            state = path.stat()
            stamp = (state.st_mtime_ns, state.st_size, state.st_ino)
            if stamp != self._stamp:
                self._text, self._stamp = _read(path, largest), stamp
        except (OSError, ValueError):
            if not self._text:
                raise
        return self._text


def _read(path: Path, largest: int) -> str:
    text = read_file(path, largest).decode("utf-8-sig").strip()  # some editors begin a file with a byte order mark
    if not text:
        raise EmptySecretError("is empty")
    return text


class SecretVariable:
    """A secret in an environment variable. ``ascii_only``: a non-ASCII character is an error."""

    def __init__(self, name: str, *, ascii_only: bool = False) -> None:
        self.name, self._ascii_only = name, ascii_only

    def __call__(self) -> Secret:
        text = os.environ.get(self.name, "").strip()
        if not text:
            raise EmptySecretError("is an environment variable that is unset or empty")
        return _checked(text, ascii_only=self._ascii_only)


class SecretText:
    """A secret in the configuration itself. ``ascii_only``: a non-ASCII character is an error."""

    def __init__(self, text: Secret, *, ascii_only: bool = False) -> None:
        self._text, self._ascii_only = text, ascii_only

    def __call__(self) -> Secret:
        return _checked(self._text.reveal().strip(), ascii_only=self._ascii_only)


def _checked(text: str, *, ascii_only: bool) -> Secret:
    if problem := problem_of_secret(text, ascii_only=ascii_only):
        raise ValueError(problem)
    return Secret(text)


def expand(name: str, base: Path) -> Path:
    """Return the path of the file ``name`` in a configuration whose directory is ``base``.

    ``%d`` and ``$CREDENTIALS_DIRECTORY`` are the directory of systemd's credentials, ``~`` is the home directory.
    Raises ValueError if that directory is unknown.
    """
    for spelling in ("%d", "${CREDENTIALS_DIRECTORY}", "$CREDENTIALS_DIRECTORY"):
        if name == spelling or name.startswith(spelling + "/"):
            directory = os.environ.get("CREDENTIALS_DIRECTORY")
            if not directory:
                raise ValueError(
                    "needs the environment variable CREDENTIALS_DIRECTORY, which systemd sets for LoadCredential="
                )
            return Path(directory + name[len(spelling) :])
    try:
        return base / Path(name).expanduser()
    except RuntimeError:
        raise ValueError("starts with the home directory of an unknown user") from None
