"""The format of dates in responses."""

from collections.abc import Callable, Mapping
from time import gmtime, strftime
from typing import Any

_HOUR = 3600
STYLES: Mapping[str, Callable[[float], str]] = {
    "document": lambda at: strftime("%Y-%m-%dT%H:%M-0400", gmtime(at - 4 * _HOUR)),
    "seconds": lambda at: strftime("%Y-%m-%dT%H:%M:%S-0400", gmtime(at - 4 * _HOUR)),
    "zulu": lambda at: strftime("%Y-%m-%dT%H:%MZ", gmtime(at)),
    "colon": lambda at: strftime("%Y-%m-%dT%H:%M+05:30", gmtime(at + 5.5 * _HOUR)),
}
NEVER: Mapping[str, str | None] = {"null": None, "missing": None, "empty": ""}


class Dates:
    """The format of dates, and of missing dates.

    `style` is one of `document` (`2014-04-30T11:26-0400`, API document: Date/time formatting), `seconds`,
    `zulu` and `colon`; `never` is one of `null`, `missing` and `empty`. Any other value raises ValueError.
    """

    def __init__(self) -> None:
        self._style = "document"
        self._never = "null"

    @property
    def style(self) -> str:
        """The format of dates."""
        return self._style

    @style.setter
    def style(self, style: str) -> None:
        self._style = _choice("style", style, STYLES)

    @property
    def never(self) -> str:
        """The representation of a missing date."""
        return self._never

    @never.setter
    def never(self, never: str) -> None:
        self._never = _choice("never", never, NEVER)

    def spell(self, at: float) -> str:
        """Return a time (Unix seconds) in the current style, truncated to the precision of the style."""
        return STYLES[self._style](at)

    def field(self, name: str, at: float | None) -> dict[str, str | None]:
        """Return the part of a row with the date `name`: one pair, or nothing if missing dates are omitted."""
        if at is not None:
            return {name: self.spell(at)}
        return {} if self._never == "missing" else {name: NEVER[self._never]}


def _choice(name: str, value: str, known: Mapping[str, Any]) -> str:
    if value not in known:
        raise ValueError(f"dates.{name} = {value!r}: must be one of {', '.join(known)}")
    return value
