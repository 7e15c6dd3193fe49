"""What answers were made into, given again while the same bytes come back and somebody still holds it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable
from typing import TypeVar
from weakref import WeakValueDictionary

from .transport import Answer

R = TypeVar("R")


class Rows(list[R]):
    """A list that a memory can refer to without keeping it."""

    __slots__ = ("__weakref__",)


class Memory:
    """Remembers the rows of calls. Who asks twice may get the same list, so it is for those who change none.

    It keeps nothing by itself: what an observation has dropped is forgotten. Safe between threads.
    """

    def __init__(self) -> None:
        self._made: WeakValueDictionary[Hashable, Rows[object]] = WeakValueDictionary()

    def rows(self, call: Hashable, answer: Answer, make: Callable[[Answer], list[R]]) -> list[R]:
        """Return what ``make`` makes of the ``answer`` to ``call``, or what it made of the same before."""
        asked = (call, answer.status, *answer.paging.items(), hashlib.sha256(answer.body).digest())
        made = self._made.get(asked)
        if made is None:
            made = self._made[asked] = Rows(make(answer))
        return made  # type: ignore[return-value] # of this call there are no other rows
