"""Detect lists that are only one page: CLN documents no paging, so there is no next page to request, and a partial list
must not be taken for the whole.

Names are compared without case, ``_`` and ``-``. A field counts as paging only if it shows that the list is partial:
more than one page, more rows than received, a next page, an offset.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_PAGE = frozenset({"page", "currentpage", "pagenumber", "pageno"})
_PAGES = frozenset({"pages", "pagecount", "pagestotal", "totalpages", "numpages", "numberofpages", "lastpage"})
_TOTAL = frozenset(
    {"total", "totalcount", "totalelements", "totalitems", "totalrecords", "totalresults", "totalrows"}
    | {"count", "numfound", "recordsfiltered", "recordstotal", "xtotal", "xtotalcount"}
)
_START = frozenset({"offset", "skip", "start", "startindex", "startat", "firstresult"})
_MORE = frozenset(
    {"hasmore", "hasmorepages", "hasnext", "hasnextpage", "incomplete", "istruncated", "more", "morerows"}
)
_MORE |= {"partial", "truncated"}
_NEXT = frozenset({"next", "nextcursor", "nexthref", "nextlink", "nextoffset", "nextpage", "nextpagetoken"})
_NEXT |= {"nextpageurl", "nexttoken", "nextmarker", "nexturl"}
_LAST = frozenset({"islast", "islastpage", "last", "complete"})
_ENVELOPES = frozenset({"links", "meta", "metadata", "page", "pageable", "pageinfo", "pagination", "paging", "range"})
_DEEPEST = 3

_LINK_NEXT = r"""(?i);\s*rel\s*=\s*(?:"[^"]*\bnext\b[^"]*"|'[^']*\bnext\b[^']*'|next\b)"""
_RANGE = r"\s*\S*?\s*([0-9]+)-([0-9]+)/([0-9]+)\s*"
_HEADERS = {"X-Total-Count": "total", "X-Total": "total", "X-Total-Pages": "pages", "X-Next-Page": "next"}


def paging_of_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the paging fields in the ``headers`` of a response, by the names they would have in a body."""
    paging = {name: value for header, name in _HEADERS.items() if (value := headers.get(header))}
    if (link := headers.get("Link")) and re.search(_LINK_NEXT, link):
        paging["next"] = "Link"
    if content_range := headers.get("Content-Range"):
        found = re.fullmatch(_RANGE, content_range)
        if found is None or int(found[1]) or int(found[2]) + 1 != int(found[3]):
            paging["hasMore"] = "true"
    return paging


def signs_of_more(fields: Mapping[str, object], rows: int, depth: int = 0) -> Iterator[str]:
    """Yield a text for each of ``fields`` beside a list of ``rows`` rows that shows that the list is partial."""
    for name, value in fields.items():
        word = name.lower().replace("_", "").replace("-", "")
        number = _number(value)
        if word in _NEXT:
            if value and str(value).lower() not in {"0", "null", "none", "false"}:
                yield _shown(word)
        elif isinstance(value, Mapping):
            if word.lstrip("$") in _ENVELOPES and depth < _DEEPEST:
                yield from signs_of_more(value, rows, depth + 1)
        elif (
            (word in _PAGE | _PAGES and number is not None and number > 1)
            or (word in _START and number is not None and number > 0)
            or (word in _TOTAL and number is not None and number > rows)
        ):
            yield f"{_shown(word)}: {number}"
        elif (word in _MORE and _is(value, "true")) or (word in _LAST and _is(value, "false")):
            yield _shown(word)


def _number(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and re.fullmatch("[0-9]{1,18}", value) else None


def _is(value: object, word: str) -> bool:
    return value is (word == "true") or (isinstance(value, str) and value.lower() == word)


def _shown(word: str) -> str:
    return {"hasmore": "more rows", "next": "a next page"}.get(word, word)
