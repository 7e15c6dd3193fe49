"""The authorization token of the API document."""

from __future__ import annotations

import re

import pytest

from cln_monitor.cln.caller import make_token


def test_token_of_a_known_secret() -> None:
    """The digest is the SHA-1 of secret key and timestamp, as computed by sha1sum."""
    # printf s3cret1401189361 | sha1sum
    assert make_token("customer_login", "s3cret", 1401189361) == (
        "customer_login|1401189361|8bc22fc89a4595f87dfd94dd56912b6c13d1bd7d"
    )


def test_token_looks_like_the_sample() -> None:
    """A token is login, seconds and 40 hex digits, separated by bars, as in the document's sample."""
    sample = "customer_login|1401189361|97e17a41ea904e0ca2bf03c7c36dee2492ba89cd"
    shape = re.compile(r"customer_login\|1401189361\|[0-9a-f]{40}")
    assert shape.fullmatch(sample)
    assert shape.fullmatch(make_token("customer_login", "any", 1401189361))


@pytest.mark.parametrize("now", [1401189361.0, 1401189361.4, 1401189361.999])
def test_timestamp_is_in_whole_seconds(now: float) -> None:
    """The timestamp has no fractions, in the token and in the digest."""
    assert make_token("login", "s3cret", now) == make_token("login", "s3cret", 1401189361)


@pytest.mark.parametrize(
    ("secret_key", "digest"),
    [
        ("schlüssel", "97d6fa5ae53219813b29248e42098b45a6c69581"),
        ("schl\udcfcssel", "eb798d71ba877cd6100a73e04529347582e221d6"),
    ],
    ids=["UTF-8", "bytes that are no UTF-8, from the environment"],
)
def test_secret_keys_are_bytes(secret_key: str, digest: str) -> None:
    """A non-ASCII secret key is signed as UTF-8 bytes."""
    assert make_token("login", secret_key, 1401189361) == f"login|1401189361|{digest}"
