"""No bytes that were ever of interest break a promise of a decoder, nor do those that are made of them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .decoders import CORPUS, DECODERS, kept

pytestmark = pytest.mark.unmeasured

_PIECES = [
    b"null",
    b"true",
    b'"data":',
    b"[]",
    b"{}",
    b"\\ud800",
    b"\xff",
    b"1e999",
    b"-0",
    b"\n",
    b"|",
    b"=",
    b"0" * 400,
]


@pytest.mark.parametrize("name", DECODERS)
def test_what_is_kept(name: str) -> None:
    """Each input of earlier runs, the samples of the document among them."""
    inputs = kept(name)
    assert inputs
    for data in inputs:
        DECODERS[name](data)


@pytest.mark.parametrize("name", DECODERS)
@settings(max_examples=60)
@given(st.data())
def test_what_is_made_of_it(name: str, data: st.DataObject) -> None:
    """The same, cut, put together anew, and with odd pieces between."""
    inputs = kept(name)
    whole = data.draw(st.sampled_from(inputs))
    other = data.draw(st.sampled_from(inputs))
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(0, len(other)))
    between = data.draw(st.sampled_from(_PIECES) | st.binary(max_size=8))
    DECODERS[name](whole[:start] + between + other[end:])


def test_corpus_is_small() -> None:
    """It is part of every clone; and nothing lies there that no decoder reads."""
    files = [file for file in CORPUS.rglob("*") if file.is_file()]
    assert {file.parent.name for file in files} == set(DECODERS)
    assert sum(file.stat().st_size for file in files) < 200_000
