"""The CRC-32 of joined texts from those of the texts; zlib has this, but Python does not offer it."""

from __future__ import annotations

from functools import lru_cache

_POLYNOMIAL = 0xEDB88320  # of gzip (RFC 1952, section 8), bits reversed
_ONE = 1 << 31


def combine(first: int, second: int, size: int) -> int:
    """Return the CRC-32 of two joined texts from that of each; ``size`` is that of the second in bytes."""
    return _multiply(_shift(size), first) ^ second


def _multiply(one: int, other: int) -> int:
    """Return the product of two polynomials over GF(2) modulo that of the CRC."""
    product, bit = 0, _ONE
    while bit:
        if one & bit:
            product ^= other
        bit >>= 1
        other = other >> 1 ^ _POLYNOMIAL if other & 1 else other >> 1
    return product


@lru_cache(maxsize=4096)
def _shift(size: int) -> int:
    """Return the factor by which ``size`` bytes after a text change its checksum: x to the power of 8 * size."""
    power, factor = _ONE >> 8, _ONE
    while size:
        if size & 1:
            factor = _multiply(power, factor)
        power = _multiply(power, power)
        size >>= 1
    return factor
