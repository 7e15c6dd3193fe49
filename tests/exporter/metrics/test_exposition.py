"""Tests of the exposition: consistent state, contiguous families, and a gzip form of the same text."""

from __future__ import annotations

import gzip
import threading
import zlib
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import settings as example_settings
from hypothesis import strategies as st

from cln_monitor.exporter.metrics import exposition
from cln_monitor.exporter.metrics.exposition import Block, Exposition, ExpositionStore
from cln_monitor.exporter.metrics.families import Family

A, B, C = (Family(f"cln_{name}", f"Family {name}.", ("account",)) for name in "abc")


def texts(*values: tuple[Family, str]) -> Mapping[Family, bytes]:
    """Return the text of one series of each of these families."""
    return {family: f'{family.name}{{account="{account}"}} 1\n'.encode() for family, account in values}


def plain(exposition: Exposition, tail: bytes = b"") -> bytes:
    """Return the text of ``exposition``."""
    return b"".join(exposition.plain(tail))


def unzipped(exposition: Exposition, tail: bytes = b"") -> bytes:
    """Return the decompressed gzip form of ``exposition``; it must be a single member without trailing data."""
    reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    text = reader.decompress(b"".join(exposition.gzipped(tail)))
    assert (reader.eof, reader.unused_data) == (True, b"")
    return text


def publish(store: ExpositionStore, target: str, of_target: Mapping[Family, bytes]) -> None:
    """Publish a text of one block for each family."""
    store.publish(target, blocks(store, target, of_target))


def replace(store: ExpositionStore, of_targets: Mapping[str, Mapping[Family, bytes]]) -> None:
    """Replace the texts of all targets."""
    store.replace({target: blocks(store, target, of_target) for target, of_target in of_targets.items()})


def blocks(store: ExpositionStore, target: str, of_target: Mapping[Family, bytes]) -> Mapping[Family, list[Block]]:
    """Return a block for each family."""
    compress = store.compressor(target)
    return {family: [compress(family, 0, text)] for family, text in of_target.items()}


@pytest.fixture
def store() -> ExpositionStore:
    """A store of three families."""
    return ExpositionStore((A, B, C))


def test_without_targets(store: ExpositionStore) -> None:
    """Without targets the exposition is only the tail."""
    assert plain(store.exposition, b"tail\n") == unzipped(store.exposition, b"tail\n") == b"tail\n"
    assert plain(store.exposition) == unzipped(store.exposition) == b""


def test_families_are_contiguous(store: ExpositionStore) -> None:
    """Each family has one header, in the order of the store, followed by the series of all targets."""
    publish(store, "one", texts((B, "one"), (A, "one")))
    publish(store, "two", texts((A, "two"), (C, "two")))
    assert (
        plain(store.exposition, b"tail\n").decode()
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


def test_removed_series_disappear(store: ExpositionStore) -> None:
    """Publishing a target replaces all of its series, and a family without series has no header."""
    publish(store, "one", texts((A, "one"), (B, "one")))
    publish(store, "two", texts((A, "two")))
    publish(store, "one", texts((B, "one")))
    assert b'account="one"' not in plain(store.exposition).partition(b"cln_b")[0]
    replace(store, {"two": texts((A, "two"))})
    assert plain(store.exposition) == A.header + b'cln_a{account="two"} 1\n'
    replace(store, {})
    assert plain(store.exposition) == b""


def test_an_exposition_does_not_change(store: ExpositionStore) -> None:
    """An exposition that is being sent does not change when targets are published."""
    publish(store, "one", texts((A, "one")))
    exposition = store.exposition
    before, zipped = plain(exposition), exposition.gzipped(b"")
    publish(store, "one", texts((A, "changed")))
    publish(store, "two", texts((A, "two")))
    assert (plain(exposition), exposition.gzipped(b"")) == (before, zipped)


def test_a_target_is_published_atomically(store: ExpositionStore) -> None:
    """While a target is published, each exposition has all of its families in the same state."""
    stop = threading.Event()

    def publish_on() -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            publish(store, "one", texts((A, str(turn)), (B, str(turn)), (C, str(turn))))

    publisher = threading.Thread(target=publish_on)
    publisher.start()
    try:
        for _ in range(300):
            text = plain(store.exposition)
            assert len(set(text.split(b'"')[1::2])) <= 1
            assert unzipped(store.exposition).count(b'"') in {0, 6}
    finally:
        stop.set()
        publisher.join()


def test_unchanged_texts_are_not_compressed_again(store: ExpositionStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the changed families of a target are compressed, and nothing is compressed on a scrape."""
    compressed: list[bytes] = []
    deflate = exposition._deflate

    def counted(text: bytes) -> bytes:
        compressed.append(text)
        return deflate(text)

    monkeypatch.setattr(exposition, "_deflate", counted)
    publish(store, "one", texts((A, "one"), (B, "one")))
    publish(store, "two", texts((A, "two")))
    assert len(compressed) == 3
    compressed.clear()
    publish(store, "one", texts((A, "one"), (B, "changed")))
    assert compressed == [b'cln_b{account="changed"} 1\n']
    compressed.clear()
    publish(store, "one", texts((A, "one"), (B, "changed")))
    replace(store, {"one": texts((A, "one"), (B, "changed"))})
    store.exposition.gzipped(b"tail")
    assert compressed == []


PIECES = st.lists(st.tuples(st.sampled_from([A, B, C]), st.sampled_from("xyz"), st.binary(max_size=60)), max_size=8)


@example_settings(max_examples=100)
@given(PIECES, st.binary(max_size=60) | st.binary(min_size=500, max_size=600))
def test_gzip_holds_the_plain_text(pieces: list[tuple[Family, str, bytes]], tail: bytes) -> None:
    """After any publications and removals the gzip form is one valid member of the same text."""
    store = ExpositionStore((A, B, C))
    for family, target, text in pieces:
        if text:
            publish(store, target, {family: text, C: text[:5]})
        else:
            replace(store, {target: {family: b"left\n"}})
    whole = plain(store.exposition, tail)
    assert unzipped(store.exposition, tail) == whole
    assert gzip.decompress(b"".join(store.exposition.gzipped(tail))) == whole
    assert store.exposition.size + len(tail) == len(whole)


def test_gzip_of_large_texts() -> None:
    """A fragment larger than the compression window does not refer to other fragments."""
    line = b'cln_a{account="one",server="%d"} 1398871560\n'
    large = b"".join(line % number for number in range(20_000))
    store = ExpositionStore((A, B))
    publish(store, "one", {A: large, B: large})
    publish(store, "two", {A: large})
    whole = plain(store.exposition, large)
    assert unzipped(store.exposition, large) == whole
    assert sum(map(len, store.exposition.gzipped(large))) < len(whole) / 5
    replace(store, {"two": {A: large}})
    assert unzipped(store.exposition, large) == A.header + large + large


def test_exposition_of(store: ExpositionStore) -> None:
    """The exposition of a single target has only its families; that of an unknown target is empty."""
    publish(store, "one", texts((B, "one"), (A, "one")))
    publish(store, "two", texts((A, "two")))
    assert plain(store.exposition_of("one")) == (
        A.header + b'cln_a{account="one"} 1\n' + B.header + b'cln_b{account="one"} 1\n'
    )
    assert plain(store.exposition_of("three")) == b""


def test_blocks_of_a_family(store: ExpositionStore) -> None:
    """The blocks of a family are joined in order, and those that are unchanged keep their compressed form."""
    lines = [b"cln_a %d\n" % number * 1000 for number in range(3)]
    first = [Block.compress(line) for line in lines]
    store.publish("one", {A: first})
    compress = store.compressor("one")
    changed = [compress(A, number, text) for number, text in enumerate([lines[0], b"other\n", lines[2], lines[0]])]
    assert [bytes(block.deflated) for block in changed[::2]] == [first[0].deflated, first[2].deflated]
    store.publish("one", {A: changed})
    text = A.header + lines[0] + b"other\n" + lines[2] + lines[0]
    assert plain(store.exposition, b"tail") == unzipped(store.exposition, b"tail") == text + b"tail"


def test_a_shared_series_is_exposed_once() -> None:
    """Series of a shared family that several targets have are exposed once, in the gzip form as well."""
    shared = Family("cln_shared", "Shared.", ("kernel_id",), shared=True)
    store = ExpositionStore((A, shared, B))
    one, two, three = (f'cln_shared{{kernel_id="a b{number}"}} {number}\n'.encode() for number in (1, 2, 3))
    publish(store, "first", {shared: one + two, A: b'cln_a{account="one"} 1\n'})
    publish(store, "second", {shared: two + three, A: b'cln_a{account="two"} 1\n'})
    text = plain(store.exposition)
    assert text.count(b"# HELP cln_shared") == 1
    assert text.endswith(one + two + three)
    assert text.count(b"cln_a{") == 2
    assert unzipped(store.exposition) == text
    assert plain(store.exposition_of("second")).endswith(two + three)
    replace(store, {"second": {shared: two + three}})
    assert plain(store.exposition).endswith(shared.header + two + three)
