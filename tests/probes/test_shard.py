"""Shards: each part has exactly one reader, all shards agree, and few parts move."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cln_monitor.probes import WHOLE, Shard
from cln_monitor.probes.shard import MOST_SHARDS

KEYS = [f"key{number:05d}ABCDEFGH" for number in range(10_000)]
NAMES = st.text(max_size=30)


@pytest.mark.parametrize("text", ["0/1", "0/3", "2/3", "999/1000"])
def test_spelling(text: str) -> None:
    """A shard is converted to text and back."""
    assert str(Shard.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "expected a shard such as 0/3, the first of three, got ''"),
        ("1", "expected a shard such as 0/3, the first of three, got '1'"),
        ("1/2/3", "expected a shard such as 0/3, the first of three, got '1/2/3'"),
        ("-1/3", "expected a shard such as 0/3, the first of three, got '-1/3'"),
        ("٠/٣", "expected a shard such as 0/3, the first of three, got '٠/٣'"),
        ("0/0", "expected 1 to 1000 shards in all, got 0"),
        ("0/1001", f"expected 1 to {MOST_SHARDS} shards in all, got 1001"),
        ("1/1", "expected 0/1, as shards count from 0, got 1/1"),
        ("3/3", "expected 0/3 to 2/3, as shards count from 0, got 3/3"),
    ],
)
def test_no_shard(text: str, error: str) -> None:
    """An invalid shard is reported with the valid range."""
    with pytest.raises(ValueError, match=re.escape(error)):
        Shard.parse(text)


@given(NAMES, NAMES, st.integers(1, 20))
def test_exactly_one_reads(account: str, name: str, of: int) -> None:
    """Each part has exactly one reader, and every shard computes the same one."""
    shards = [Shard(index, of) for index in range(of)]
    assert [shard for shard in shards if shard.reads(account, name)] == [shards[0].owner(account, name)]
    assert {shard.owner(account, name) for shard in shards} == {shards[0].owner(account, name)}


@given(NAMES, NAMES, st.integers(1, 20))
def test_what_moves_moves_to_the_new_one(account: str, name: str, of: int) -> None:
    """With one shard more, a part stays or moves to the new shard."""
    before, after = Shard(0, of).owner(account, name).index, Shard(0, of + 1).owner(account, name).index
    assert after in {before, of}


@pytest.mark.parametrize("of", [2, 3, 4, 10])
def test_as_few_move_as_can(of: int) -> None:
    """An additional shard takes only its share of the parts."""
    before = [Shard(0, of - 1).owner("acme", key).index for key in KEYS]
    after = [Shard(0, of).owner("acme", key).index for key in KEYS]
    moved = sum(was != now for was, now in zip(before, after, strict=True))
    assert moved == pytest.approx(len(KEYS) / of, rel=0.1)


@pytest.mark.parametrize("of", [2, 3, 10])
def test_the_shares_are_even(of: int) -> None:
    """Shards have equal shares within a tenth."""
    counts = Counter(Shard(0, of).owner("acme", key).index for key in KEYS)
    assert sorted(counts) == list(range(of))
    assert max(counts.values()) < len(KEYS) / of * 1.1
    assert min(counts.values()) > len(KEYS) / of * 0.9


def test_accounts_differ() -> None:
    """Parts of the same name in different accounts are distributed over shards."""
    assert len({Shard(0, 3).owner(f"account{number}", "(groups)").index for number in range(20)}) == 3


def test_alone() -> None:
    """A single exporter reads all parts."""
    assert all(WHOLE.reads("acme", key) for key in KEYS[:100])


OWNERS = "1 1 2 2 1 2 2 0 1 2 2 1"


def test_owners_stay_over_versions() -> None:
    """The readers of parts never change between versions."""
    assert " ".join(str(Shard(0, 3).owner("acme", key).index) for key in KEYS[:12]) == OWNERS


@pytest.mark.processes
def test_owners_are_the_same_in_every_process() -> None:
    """The readers of parts do not depend on the hash seed of Python."""
    code = (
        "from cln_monitor.probes import Shard\n"
        "print(*(Shard(0, 3).owner('acme', f'key{number:05d}ABCDEFGH').index for number in range(12)))"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert seen == {OWNERS}
