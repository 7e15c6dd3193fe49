"""Neither the corpus nor mutations of it break a promise of a decoder."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .decoders import CORPUS, DECODERS, kept

pytestmark = pytest.mark.many_inputs

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
    """Each decoder accepts its corpus, which includes the samples of the document."""
    inputs = kept(name)
    assert inputs
    for data in inputs:
        DECODERS[name](data)


@pytest.mark.parametrize("name", DECODERS)
@settings(max_examples=60)
@given(st.data())
def test_what_is_made_of_it(name: str, data: st.DataObject) -> None:
    """Each decoder accepts the corpus when it is cut, recombined, and mixed with odd bytes."""
    inputs = kept(name)
    whole = data.draw(st.sampled_from(inputs))
    other = data.draw(st.sampled_from(inputs))
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(0, len(other)))
    between = data.draw(st.sampled_from(_PIECES) | st.binary(max_size=8))
    DECODERS[name](whole[:start] + between + other[end:])


def test_corpus_is_small() -> None:
    """The corpus is small, as it is in every clone, and each part of it has a decoder."""
    files = [file for file in CORPUS.rglob("*") if file.is_file()]
    assert {file.parent.name for file in files} == set(DECODERS)
    assert sum(file.stat().st_size for file in files) < 200_000
