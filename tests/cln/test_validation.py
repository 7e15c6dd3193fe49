"""Validation of arguments: accepted values, error texts, and that no text contains a value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cln_monitor.cln import ImunifyKey, InvalidArgumentError, IpLicense, KernelCareKey, mask_key, validation
from cln_monitor.masking import masked

from .asking import KEY, SECRET_KEY

TAKEN: list[tuple[Callable[[Any], object], Any, object]] = [
    (validation.note, "x" * 100, "x" * 100),
    (validation.note, " K\u00f6ln \U0001f680 & + ", " K\u00f6ln \U0001f680 & + "),
    (validation.new_note, "", ""),
    (validation.limit, 0, "0"),
    (validation.limit, 1_000_000, "1000000"),
    (validation.license_key, "WsTs821nSAtiastD", "WsTs821nSAtiastD"),
    (validation.license_key, "CELS-yUDxBd5ethmGO5d3hnAZEau0", "CELS-yUDxBd5ethmGO5d3hnAZEau0"),
    (validation.license_key, "abcd", "abcd"),
    (validation.license_key, "~" * 128, "~" * 128),
    (validation.monitoring_key, "aZ09" * 8, "aZ09" * 8),
    (validation.server_id, "1", "1"),
    (validation.server_id, "x" * 128, "x" * 128),
    (validation.server_ids, ("a", "b"), "a,b"),
    (validation.server_ids, iter(["a"]), "a"),
    (validation.server_ids, {"a": 1}, "a"),
    (validation.address, "192.0.2.1", "192.0.2.1"),
    (validation.address, "2001:0DB8::0001", "2001:db8::1"),
    (validation.cidrs, ["0.0.0.0/0"], "0.0.0.0/0"),
    (validation.cidrs, ["192.0.2.1/32", "2001:DB8:0::/48"], "192.0.2.1/32,2001:db8::/48"),
    (validation.product_code, "ELS CELS7+SLA", "ELS CELS7+SLA"),
    (validation.group_name, "\u0433\u0440\u0443\u043f\u043f\u0430 1", "\u0433\u0440\u0443\u043f\u043f\u0430 1"),
    (validation.description, "x" * 255, "x" * 255),
    (validation.month, "2000-01", "2000-01"),
    (validation.month, "2099-12", "2099-12"),
    (validation.awp_products, ["AWP_CDN", "X9"], "AWP_CDN,X9"),
    (validation.login, "me@example.net", "me@example.net"),
    (lambda value: validation.license_type("type", value), 99_999, "99999"),
    (lambda value: validation.bool_text("els_allowed", value), False, "false"),
    (lambda value: validation.url("api_url", value), "http://[::1]:8080/admin/api", "http://[::1]:8080/admin/api"),
    (lambda value: validation.seconds("timeout", value), 1, 1.0),
    (validation.product_code, "…", "…"),
    (validation.product_code, "Ü" * 32, "Ü" * 32),
    (validation.key_to_read, "WsTs821nSAtiastD", "WsTs821nSAtiastD"),
    (validation.key_to_read, KernelCareKey("a key/of CLN", None, None, "", None), "a key/of CLN"),
    (validation.key_to_read, ImunifyKey(mask_key(KEY), "", None, None), mask_key(KEY)),
    (validation.addresses, [], []),
    (validation.addresses, ("192.0.2.1", "2001:DB8:0::1"), ["192.0.2.1", "2001:db8::1"]),
    (validation.addresses, [IpLicense("2001:DB8::1", 1, True, None)], ["2001:DB8::1"]),
    (lambda value: validation.require_text("key", value), " any/thing? ", " any/thing? "),
]


@pytest.mark.parametrize(("check", "value", "sent"), TAKEN)
def test_taken(check: Callable[[Any], object], value: Any, sent: object) -> None:
    """A valid argument is sent unchanged, and an address in canonical form."""
    assert check(value) == sent


_NOTE = "expected 1 to 100 characters without control characters"
_KEY = "a license key has 4 to 128 printable ASCII characters, except spaces and / ? # & %"
_SERVER_ID = "expected 1 to 128 printable ASCII characters, except spaces and , / ? # & %"
_ELS_CODE = "expected 1 to 32 printable characters, except , / ? # & %"
_ADDRESS = "invalid IP address: use for example 192.0.2.1 or 2001:db8::1"
_URL = "expected http:// or https:// and a host, without spaces, ? and #"
_CIDR = "use for example 192.0.2.0/24 or 2001:db8::/32"

REFUSED: list[tuple[Callable[[Any], object], Any, str]] = [
    (validation.note, 7, f"note: is not a string; {_NOTE}"),
    (validation.note, "a\nb", f"note: contains control characters; {_NOTE}"),
    (validation.note, "x" * 101, f"note: has 101 characters; {_NOTE}"),
    (validation.note, "", f"note: is empty; {_NOTE}"),
    (validation.note, "   ", f"note: is empty; {_NOTE}"),
    (validation.limit, True, "limit: expected a whole number from 0 to 1000000"),
    (validation.license_key, "abc", f"key: invalid format; {_KEY}"),
    (validation.license_key, mask_key(KEY), "key: this is a masked key; the full key is required"),
    (
        validation.monitoring_key,
        "x" * 15,
        "key: invalid format; a monitoring key has 16 to 32 letters and digits",
    ),
    (
        validation.server_id,
        "a,b",
        f"server_id: invalid format; {_SERVER_ID}",
    ),
    (
        validation.server_ids,
        ["a", ""],
        f"server_ids[1]: invalid format; {_SERVER_ID}",
    ),
    (validation.server_ids, "a", "server_ids: expected a list of strings"),
    (validation.server_ids, [], "server_ids: is empty; at least one is required"),
    (validation.key_to_read, "a b/c", f"key: invalid format; {_KEY}"),
    (validation.key_to_read, mask_key(KEY), "key: this is a masked key; the full key is required"),
    (validation.key_to_read, None, f"key: invalid format; {_KEY}"),
    (validation.address, "1", f"ip: {_ADDRESS}"),
    (validation.addresses, ["192.0.2.1", "192.0.2"], f"addresses[1]: {_ADDRESS}"),
    (validation.addresses, ["fe80::1%eth0"], f"addresses[0]: {_ADDRESS}"),
    (validation.addresses, "192.0.2.1", "addresses: expected a list of strings"),
    (validation.cidrs, ["192.0.2.0"], f"cidrs[0]: expected an address, a slash and a prefix length; {_CIDR}"),
    (validation.cidrs, ["192.0.2.0/33"], f"cidrs[0]: invalid IP network; {_CIDR}"),
    (validation.cidrs, ["192.0.2.77/24"], "cidrs[0]: has host bits set; did you mean 192.0.2.0/24?"),
    (validation.cidrs, ["2001:db8::1/32"], "cidrs[0]: has host bits set; did you mean 2001:db8::/32?"),
    *(
        (validation.product_code, code, f"code: invalid format; {_ELS_CODE}")
        for code in (
            "",
            "  ",
            "a,b",
            "a/b",
            "a?b",
            "a#b",
            "a&b",
            "a%b",
            "a\nb",
            "a\u2028b",
            "\u202e",
            "\ud800",
            "x" * 33,
        )
    ),
    (
        lambda value: validation.bool_text("els_allowed", value),
        1,
        "els_allowed: expected True or False",
    ),
    (validation.month, "2023-13", "month: invalid format; expected yyyy-MM, from 2000-01 to 2099-12"),
    (
        validation.awp_products,
        ["awp"],
        "products[0]: invalid format; expected a code such as AWP_PREMIUM: 1 to 32 of A-Z, 0-9 and _",
    ),
    (validation.login, "me|1", "login: contains a |; expected the login of the account"),
    (
        lambda value: validation.url("api_url", value),
        "cln.cloudlinux.com/api",
        f"api_url: invalid format; {_URL}",
    ),
    (
        lambda value: validation.seconds("timeout", value),
        0,
        "timeout: expected seconds, more than 0 and at most 86400",
    ),
    (lambda value: validation.require_text("key", value), "", "key: expected a non-empty string"),
]


@pytest.mark.parametrize(("check", "value", "text"), REFUSED)
def test_refused(check: Callable[[Any], object], value: Any, text: str) -> None:
    """The error of an invalid argument has its name and what is expected."""
    with pytest.raises(InvalidArgumentError) as raised:
        check(value)
    assert str(raised.value) == text
    assert raised.value.argument == text.partition(":")[0].partition("[")[0]
    assert isinstance(raised.value, ValueError)


CHECKS = list(dict.fromkeys(check for check, _, _ in [*TAKEN, *REFUSED]))
ANYTHING = (
    st.text()
    | st.binary()
    | st.integers()
    | st.floats()
    | st.none()
    | st.booleans()
    | st.lists(st.text() | st.integers() | st.none(), max_size=3)
    | st.dictionaries(st.text(), st.text(), max_size=2)
    | st.from_regex(r"\A[0-9a-f.:]{1,12}/[0-9]{1,3}\Z").map(lambda text: [text])
)


@given(ANYTHING)
def test_anything(value: object) -> None:
    """Any value of an argument is accepted or raises InvalidArgumentError."""
    for check in CHECKS:
        try:
            check(value)
        except InvalidArgumentError as error:
            assert str(error).startswith(error.argument)  # noqa: PT017 # many may be taken as well


@pytest.mark.parametrize("secret", [SECRET_KEY, f"{KEY}/", f"{KEY}, {KEY}", f"{KEY}|", f" {KEY}"])
@pytest.mark.parametrize("check", CHECKS)
def test_no_value_shows(check: Callable[[Any], object], secret: str) -> None:
    """A misplaced key, also with a space, is in no error text."""
    for value in (secret, [secret]):
        try:
            check(value)
        except InvalidArgumentError as error:
            assert KEY not in repr(error) + str(error)  # noqa: PT017 # some take any text
            assert SECRET_KEY not in repr(error) + str(error)  # noqa: PT017 # some take any text


@given(st.from_regex(r"\A[A-Za-z0-9-]{4,40}\Z"))
def test_keys_and_masks(key: str) -> None:
    """A key is accepted, and its mask is refused."""
    if masked(key) != key:
        assert validation.license_key(key) == key
    with pytest.raises(InvalidArgumentError, match="this is a masked key"):
        validation.license_key(mask_key(key))
