"""The text of all targets: one consistent state, contiguous families, and a gzip form that is the same text."""

from __future__ import annotations

import gzip
import threading
import zlib
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import settings as example_settings
from hypothesis import strategies as st

from cln_monitor.exporter.metrics.exposition import Exposition, Fragment, Page, page_of
from cln_monitor.exporter.metrics.families import Family

A, B, C = (Family(f"cln_{name}", f"Family {name}.", ("account",)) for name in "abc")


def texts(*values: tuple[Family, str]) -> Mapping[Family, bytes]:
    """Return the text of one series of each of these families."""
    return {family: f'{family.name}{{account="{account}"}} 1\n'.encode() for family, account in values}


def plain(page: Page, tail: bytes = b"") -> bytes:
    """Return the text of ``page``."""
    return b"".join(page.plain(tail))


def unzipped(page: Page, tail: bytes = b"") -> bytes:
    """Return the text of the gzip form of ``page``, read by zlib as one member that ends where the data end."""
    reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    text = reader.decompress(b"".join(page.gzipped(tail)))
    assert (reader.eof, reader.unused_data) == (True, b"")
    return text


@pytest.fixture
def exposition() -> Exposition:
    """An exposition of three families."""
    return Exposition((A, B, C))


def test_nothing_yet(exposition: Exposition) -> None:
    """Without targets there is the tail alone."""
    assert plain(exposition.page, b"tail\n") == unzipped(exposition.page, b"tail\n") == b"tail\n"
    assert plain(exposition.page) == unzipped(exposition.page) == b""


def test_families_are_contiguous(exposition: Exposition) -> None:
    """Each is introduced once, in the order of the exposition; the targets follow each other in it."""
    exposition.publish("one", texts((B, "one"), (A, "one")))
    exposition.publish("two", texts((A, "two"), (C, "two")))
    assert (
        plain(exposition.page, b"tail\n").decode()
        == """\
# HELP cln_a Family a.
# TYPE cln_a gauge
cln_a{account="one"} 1
cln_a{account="two"} 1
# HELP cln_b Family b.
# TYPE cln_b gauge
cln_b{account="one"} 1
# HELP cln_c Family c.
# TYPE cln_c gauge
cln_c{account="two"} 1
tail
"""
    )


def test_what_vanished_is_gone(exposition: Exposition) -> None:
    """A publication is all there is of a target; a family without series loses its header too."""
    exposition.publish("one", texts((A, "one"), (B, "one")))
    exposition.publish("two", texts((A, "two")))
    exposition.publish("one", texts((B, "one")))
    assert b'account="one"' not in plain(exposition.page).partition(b"cln_b")[0]
    exposition.replace({"two": texts((A, "two"))})
    assert plain(exposition.page) == A.header + b'cln_a{account="two"} 1\n'
    exposition.replace({})
    assert plain(exposition.page) == b""


def test_a_page_does_not_change(exposition: Exposition) -> None:
    """A scrape that is still being sent sees one state to its end."""
    exposition.publish("one", texts((A, "one")))
    page = exposition.page
    before, zipped = plain(page), page.gzipped(b"")
    exposition.publish("one", texts((A, "changed")))
    exposition.publish("two", texts((A, "two")))
    assert (plain(page), page.gzipped(b"")) == (before, zipped)


def test_a_target_is_never_half_seen(exposition: Exposition) -> None:
    """While a target changes, each page has all its families of one state."""
    stop = threading.Event()

    def publish() -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            exposition.publish("one", texts((A, str(turn)), (B, str(turn)), (C, str(turn))))

    publisher = threading.Thread(target=publish)
    publisher.start()
    try:
        for _ in range(300):
            text = plain(exposition.page)
            assert len(set(text.split(b'"')[1::2])) <= 1
            assert unzipped(exposition.page).count(b'"') in {0, 6}
    finally:
        stop.set()
        publisher.join()


def test_what_has_not_changed_is_not_compressed_again(exposition: Exposition, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work is done for what changed: one family of one target, and never at a scrape."""
    compressed: list[bytes] = []
    compress = Fragment.of

    def counted(text: bytes) -> Fragment:
        compressed.append(text)
        return compress(text)

    monkeypatch.setattr(Fragment, "of", counted)
    exposition.publish("one", texts((A, "one"), (B, "one")))
    exposition.publish("two", texts((A, "two")))
    assert len(compressed) == 3
    compressed.clear()
    exposition.publish("one", texts((A, "one"), (B, "changed")))
    assert compressed == [b'cln_b{account="changed"} 1\n']
    compressed.clear()
    exposition.publish("one", texts((A, "one"), (B, "changed")))
    exposition.replace({"one": texts((A, "one"), (B, "changed"))})
    exposition.page.gzipped(b"tail")
    assert compressed == []


PIECES = st.lists(st.tuples(st.sampled_from([A, B, C]), st.sampled_from("xyz"), st.binary(max_size=60)), max_size=8)


@example_settings(max_examples=100)
@given(PIECES, st.binary(max_size=60))
def test_gzip_holds_the_plain_text(pieces: list[tuple[Family, str, bytes]], tail: bytes) -> None:
    """Whatever was published, changed and withdrawn: the gzip form is one valid member of the same bytes."""
    exposition = Exposition((A, B, C))
    for family, target, text in pieces:
        if text:
            exposition.publish(target, {family: text, C: text[:5]})
        else:
            exposition.replace({target: {family: b"left\n"}})
    whole = plain(exposition.page, tail)
    assert unzipped(exposition.page, tail) == whole
    assert gzip.decompress(b"".join(exposition.page.gzipped(tail))) == whole
    assert exposition.page.size + len(tail) == len(whole)


def test_gzip_of_large_texts() -> None:
    """Far beyond the window of the compression nothing refers to what another fragment holds."""
    line = b'cln_a{account="one",server="%d"} 1398871560\n'
    large = b"".join(line % number for number in range(20_000))
    exposition = Exposition((A, B))
    exposition.publish("one", {A: large, B: large})
    exposition.publish("two", {A: large})
    whole = plain(exposition.page, large)
    assert unzipped(exposition.page, large) == whole
    assert sum(map(len, exposition.page.gzipped(large))) < len(whole) / 5
    exposition.replace({"two": {A: large}})
    assert unzipped(exposition.page, large) == A.header + large + large


def test_page_of() -> None:
    """A page of one target alone, its families in the order in which they were written."""
    assert plain(page_of(texts((B, "one"), (A, "one")))) == (
        B.header + b'cln_b{account="one"} 1\n' + A.header + b'cln_a{account="one"} 1\n'
    )
    assert plain(page_of({})) == b""
