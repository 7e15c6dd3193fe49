"""Arguments: what is taken, what is refused and in which words, and that no value ever shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cln_monitor.cln import ImunifyKey, InvalidArgumentError, IpLicense, KernelCareKey, arguments, mask_key
from cln_monitor.masking import masked

from .asking import KEY, SECRET_KEY

TAKEN: list[tuple[Callable[[Any], object], Any, object]] = [
    (arguments.note, "x" * 100, "x" * 100),
    (arguments.note, " K\u00f6ln \U0001f680 & + ", " K\u00f6ln \U0001f680 & + "),
    (arguments.new_note, "", ""),
    (arguments.limit, 0, "0"),
    (arguments.limit, 1_000_000, "1000000"),
    (arguments.license_key, "WsTs821nSAtiastD", "WsTs821nSAtiastD"),
    (arguments.license_key, "CELS-yUDxBd5ethmGO5d3hnAZEau0", "CELS-yUDxBd5ethmGO5d3hnAZEau0"),
    (arguments.license_key, "abcd", "abcd"),
    (arguments.license_key, "~" * 128, "~" * 128),
    (arguments.monitoring_key, "aZ09" * 8, "aZ09" * 8),
    (arguments.server_id, "1", "1"),
    (arguments.server_id, "x" * 128, "x" * 128),
    (arguments.server_ids, ("a", "b"), "a,b"),
    (arguments.server_ids, iter(["a"]), "a"),
    (arguments.server_ids, {"a": 1}, "a"),
    (arguments.address, "192.0.2.1", "192.0.2.1"),
    (arguments.address, "2001:0DB8::0001", "2001:db8::1"),
    (arguments.cidrs, ["0.0.0.0/0"], "0.0.0.0/0"),
    (arguments.cidrs, ["192.0.2.1/32", "2001:DB8:0::/48"], "192.0.2.1/32,2001:db8::/48"),
    (arguments.product_code, "ELS CELS7+SLA", "ELS CELS7+SLA"),
    (arguments.group_name, "\u0433\u0440\u0443\u043f\u043f\u0430 1", "\u0433\u0440\u0443\u043f\u043f\u0430 1"),
    (arguments.description, "x" * 255, "x" * 255),
    (arguments.month, "2000-01", "2000-01"),
    (arguments.month, "2099-12", "2099-12"),
    (arguments.awp_products, ["AWP_CDN", "X9"], "AWP_CDN,X9"),
    (arguments.login, "me@example.net", "me@example.net"),
    (lambda value: arguments.license_type("type", value), 99_999, "99999"),
    (lambda value: arguments.truth("els_allowed", value), False, "false"),
    (lambda value: arguments.url("api_url", value), "http://[::1]:8080/admin/api", "http://[::1]:8080/admin/api"),
    (lambda value: arguments.seconds("timeout", value), 1, 1.0),
    (arguments.product_code, "…", "…"),
    (arguments.product_code, "Ü" * 32, "Ü" * 32),
    (arguments.key_to_read, "WsTs821nSAtiastD", "WsTs821nSAtiastD"),
    (arguments.key_to_read, KernelCareKey("a key/of CLN", None, None, "", None), "a key/of CLN"),
    (arguments.key_to_read, ImunifyKey(mask_key(KEY), "", None, None), mask_key(KEY)),
    (arguments.addresses, [], []),
    (arguments.addresses, ("192.0.2.1", "2001:DB8:0::1"), ["192.0.2.1", "2001:db8::1"]),
    (arguments.addresses, [IpLicense("2001:DB8::1", 1, True, None)], ["2001:DB8::1"]),
    (lambda value: arguments.given("key", value), " any/thing? ", " any/thing? "),
]


@pytest.mark.parametrize(("check", "value", "sent"), TAKEN)
def test_taken(check: Callable[[Any], object], value: Any, sent: object) -> None:
    """What is right goes out as it is, addresses in their canonical spelling."""
    assert check(value) == sent


_NOTE = "it takes 1 to 100 characters, none of them a control character"
_KEY = "a licence key has 4 to 128 printable ASCII characters, no blank and none of / ? # & %"
_SERVER_ID = "it takes 1 to 128 printable ASCII characters, no blank and none of , / ? # & %"
_ELS_CODE = "it takes 1 to 32 printable characters, none of them , / ? # & %"
_ADDRESS = "is not an IP address; it takes one such as 192.0.2.1 or 2001:db8::1"
_URL = "it takes http:// or https:// and a host, with no blank and none of ? #"
_CIDR = "it takes a network with its prefix, such as 192.0.2.0/24 or 2001:db8::/32"

REFUSED: list[tuple[Callable[[Any], object], Any, str]] = [
    (arguments.note, 7, f"note: is not a text; {_NOTE}"),
    (arguments.note, "a\nb", f"note: has control characters in it; {_NOTE}"),
    (arguments.note, "x" * 101, f"note: has 101 characters; {_NOTE}"),
    (arguments.note, "", f"note: is empty; {_NOTE}"),
    (arguments.note, "   ", f"note: is empty; {_NOTE}"),
    (arguments.limit, True, "limit: is not a whole number within bounds; it takes 0 to 1000000"),
    (arguments.license_key, "abc", f"key: is not spelled as CLN takes it; {_KEY}"),
    (arguments.license_key, mask_key(KEY), "key: this is the mask of a key; CLN needs the key in full"),
    (
        arguments.monitoring_key,
        "x" * 15,
        "key: is not spelled as CLN takes it; a monitoring key has 16 to 32 letters and digits",
    ),
    (
        arguments.server_id,
        "a,b",
        f"server_id: is not spelled as CLN takes it; {_SERVER_ID}",
    ),
    (
        arguments.server_ids,
        ["a", ""],
        f"server_ids[1]: is not spelled as CLN takes it; {_SERVER_ID}",
    ),
    (arguments.server_ids, "a", "server_ids: is not a list; it takes a list of texts"),
    (arguments.server_ids, [], "server_ids: is empty; it takes at least one"),
    (arguments.key_to_read, "a b/c", f"key: is not spelled as CLN takes it; {_KEY}"),
    (arguments.key_to_read, mask_key(KEY), "key: this is the mask of a key; CLN needs the key in full"),
    (arguments.key_to_read, None, f"key: is not spelled as CLN takes it; {_KEY}"),
    (arguments.address, "1", f"ip: {_ADDRESS}"),
    (arguments.addresses, ["192.0.2.1", "192.0.2"], f"addresses[1]: {_ADDRESS}"),
    (arguments.addresses, ["fe80::1%eth0"], f"addresses[0]: {_ADDRESS}"),
    (arguments.addresses, "192.0.2.1", "addresses: is not a list; it takes a list of texts"),
    (arguments.cidrs, ["192.0.2.0"], f"cidrs[0]: is not an address, a slash and the digits of a prefix; {_CIDR}"),
    (arguments.cidrs, ["192.0.2.0/33"], f"cidrs[0]: is not an IP network; {_CIDR}"),
    (arguments.cidrs, ["192.0.2.77/24"], "cidrs[0]: has bits set beyond its prefix; is 192.0.2.0/24 meant?"),
    (arguments.cidrs, ["2001:db8::1/32"], "cidrs[0]: has bits set beyond its prefix; is 2001:db8::/32 meant?"),
    *(
        (arguments.product_code, code, f"code: is not spelled as CLN takes it; {_ELS_CODE}")
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
        lambda value: arguments.truth("els_allowed", value),
        1,
        "els_allowed: is neither True nor False; it takes one of them",
    ),
    (arguments.month, "2023-13", "month: is not spelled as CLN takes it; it takes yyyy-MM, from 2000-01 to 2099-12"),
    (
        arguments.awp_products,
        ["awp"],
        "products[0]: is not spelled as CLN takes it; it takes codes such as AWP_PREMIUM: 1 to 32 of A-Z, 0-9 and _",
    ),
    (arguments.login, "me|1", "login: has a | in it; it takes the login of the account"),
    (
        lambda value: arguments.url("api_url", value),
        "cln.cloudlinux.com/api",
        f"api_url: is not spelled as CLN takes it; {_URL}",
    ),
    (
        lambda value: arguments.seconds("timeout", value),
        0,
        "timeout: is no time; it takes seconds, more than 0 and at most 86400",
    ),
    (lambda value: arguments.given("key", value), "", "key: is not a text, or an empty one; it takes a text"),
]


@pytest.mark.parametrize(("check", "value", "text"), REFUSED)
def test_refused(check: Callable[[Any], object], value: Any, text: str) -> None:
    """What is wrong is told by the name of the argument, with what would be right."""
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
    """Whatever an argument is, it is taken or refused as a bad one."""
    for check in CHECKS:
        try:
            check(value)
        except InvalidArgumentError as error:
            assert str(error).startswith(error.argument)  # noqa: PT017 # many may be taken as well


@pytest.mark.parametrize("secret", [SECRET_KEY, f"{KEY}/", f"{KEY}, {KEY}", f"{KEY}|", f" {KEY}"])
@pytest.mark.parametrize("check", CHECKS)
def test_no_value_shows(check: Callable[[Any], object], secret: str) -> None:
    """A key in the wrong place, or with a blank beside it, is in no text of the error."""
    for value in (secret, [secret]):
        try:
            check(value)
        except InvalidArgumentError as error:
            assert KEY not in repr(error) + str(error)  # noqa: PT017 # some take any text
            assert SECRET_KEY not in repr(error) + str(error)  # noqa: PT017 # some take any text


@given(st.from_regex(r"\A[A-Za-z0-9-]{4,40}\Z"))
def test_keys_and_masks(key: str) -> None:
    """A key is taken, its mask is not."""
    if masked(key) != key:
        assert arguments.license_key(key) == key
    with pytest.raises(InvalidArgumentError, match="this is the mask of a key"):
        arguments.license_key(mask_key(key))
