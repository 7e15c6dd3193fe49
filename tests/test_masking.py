"""Masks of license keys."""

from __future__ import annotations

import pytest

from cln_monitor.masking import mask_key, masked, same_key
from tests.helpers.small_cln import KEY, UNLIMITED_KEY

MASK = "WsTs-8c7994d7"


@pytest.mark.parametrize("key", [KEY, "O", "", "Kéy|\n\ud800", "x" * 1000])
def test_a_mask_is_its_own_mask(key: str) -> None:
    """Masking a mask returns it unchanged."""
    mask = mask_key(key)
    assert masked(key) == masked(mask) == mask
    assert mask[:-9] == key[:4]


def test_two_names_of_one_key() -> None:
    """Two names mean the same key if each is the key or its mask."""
    assert mask_key(KEY) == MASK
    for name in (KEY, MASK):
        assert same_key(name, KEY)
        assert same_key(name, MASK)
        assert not same_key(name, UNLIMITED_KEY)
        assert not same_key(name, mask_key(UNLIMITED_KEY))
        assert not same_key(name, "WsTs-00000000")
    assert same_key("", "")
