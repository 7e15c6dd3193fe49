"""A key can be given in full, or by the mask that an alert shows."""

from __future__ import annotations

import pytest

from cln_monitor.masking import mask_key
from cln_monitor.simulator import Fault

from .account import CLOUDLINUX_KEY, ELS_KEY, IMUNIFY_KEY, KEY, OTHER_IMUNIFY_KEY, OTHER_KEY, Cln
from .inside import ask, ask_json

TWINS = ("Twin000000134787", "Twin000000151848")  # two keys of one mask

_CHANGES = [
    (f"kernelcare keys delete {mask_key(KEY)}", KEY),
    (f"kernelcare keys set-cidr {mask_key(KEY)} 192.0.2.0/24", KEY),
    (f"imunify keys update {mask_key(IMUNIFY_KEY)} --limit 3", IMUNIFY_KEY),
    (f"imunify keys remove {mask_key(IMUNIFY_KEY)}", IMUNIFY_KEY),
    (f"imunify servers convert im-1 {mask_key(OTHER_IMUNIFY_KEY)}", OTHER_IMUNIFY_KEY),
    (f"els keys update {mask_key(ELS_KEY)} --limit 3", ELS_KEY),
    (f"els keys remove {mask_key(ELS_KEY)}", ELS_KEY),
    (f"cloudlinux keys update {mask_key(CLOUDLINUX_KEY)} --limit 3", CLOUDLINUX_KEY),
    (f"cloudlinux keys remove {mask_key(CLOUDLINUX_KEY)}", CLOUDLINUX_KEY),
]
_READS = [
    ("kernelcare servers list --key", KEY, "/kcare/key/list.json"),
    ("kernelcare patch-status --key", KEY, "/kcare/key/list.json"),
    ("imunify servers list --key", IMUNIFY_KEY, "/im/key/list.json"),
]


@pytest.mark.parametrize(("typed", "key"), _CHANGES, ids=[typed for typed, _ in _CHANGES])
def test_a_change_by_mask(typed: str, key: str, cln: Cln) -> None:
    """A change by mask sends the key in full."""
    outcome = ask(cln, *typed.split(), "--yes")
    assert outcome.code == 0, outcome
    assert cln.sent()[-1][2]["key"] == key
    assert all(path.endswith(("list.json", "/v2/cl/keys")) for _, path, _ in cln.sent()[:-1])


@pytest.mark.parametrize(("typed", "key", "list_"), _READS, ids=[typed for typed, *_ in _READS])
def test_a_read_by_mask(typed: str, key: str, list_: str, cln: Cln) -> None:
    """A read by mask shows the same as by the key in full."""
    shown = ask_json(cln, *typed.split(), key)
    assert [path for _, path, _ in cln.sent()].count(list_) == 0
    assert ask_json(cln, *typed.split(), mask_key(key)) == shown


@pytest.mark.parametrize("command", [*[typed for typed, _ in _CHANGES], *[f"{typed} x" for typed, *_ in _READS]])
def test_a_mask_of_no_key(command: str, cln: Cln) -> None:
    """An unknown mask is a usage error that names the command which lists the keys."""
    words = [word if "-" not in word or len(word) != 13 else "NoOn-00000000" for word in command.split()]
    words = ["NoOn-00000000" if word == "x" else word for word in words]
    outcome = ask(cln, *words, *(["--yes"] if command in [typed for typed, _ in _CHANGES] else []))
    assert (outcome.code, outcome.out) == (2, "")
    group = words[0]
    assert outcome.err.endswith(f"with this name or mask; use clntool {group} keys list to show its keys\n")
    assert all(path.endswith(("key/list.json", "/v2/cl/keys")) for _, path, _ in cln.sent())
    assert {method for method, _, _ in cln.sent()} == {"GET"}


@pytest.mark.parametrize("command", ["kernelcare keys delete {} --yes", "servers list --key {}"])
def test_a_mask_of_two_keys(command: str, cln: Cln) -> None:
    """A mask of several keys is refused with their notes or descriptions; each key in full is accepted."""
    assert mask_key(TWINS[0]) == mask_key(TWINS[1])
    cln.account.add_kernelcare_key(TWINS[0], note='the "first"')
    cln.account.add_kernelcare_key(TWINS[1]).add_server("twin")
    outcome = ask(cln, *command.format(mask_key(TWINS[0])).split())
    assert (outcome.code, outcome.out) == (2, "")
    assert (
        "is the mask of 2 keys: 'the \"first\"', a key of KernelCare without a note, with 1 server; use" in outcome.err
    )
    assert [path for _, path, _ in cln.sent() if "delete" in path] == []
    assert ask(cln, *command.format(TWINS[1]).split()).code == 0


def test_a_mask_of_two_keys_of_cloudlinux_os(cln: Cln) -> None:
    """Keys of CloudLinux OS with the same mask are described by their number of servers."""
    for number, key in enumerate(TWINS):
        twin = cln.account.add_cloudlinux_key(key, limit=9)
        for server in range(number):
            twin.add_server(f"90{server}")
    outcome = ask(cln, "cloudlinux", "keys", "remove", mask_key(TWINS[0]), "--yes")
    assert outcome.code == 2
    named = [f"a key of CloudLinux OS without a note, with {number}" for number in ("0 servers", "1 server")]
    assert ", ".join(named) in outcome.err


def test_a_key_that_looks_like_a_mask(cln: Cln) -> None:
    """A key that looks like a mask is found as a key."""
    odd = "abcd-12345678"
    cln.account.add_kernelcare_key(odd).add_server("odd")
    assert [row["id"] for row in ask_json(cln, "servers", "list", "--key", odd)] == ["odd"]
    assert ask(cln, "kernelcare", "servers", "list", "--key", odd).code == 2  # CLN lists it, but it cannot be a key


def test_the_list_cannot_be_read(cln: Cln) -> None:
    """If the list of keys cannot be read, that error is reported, not a missing key."""
    cln.simulator.faults.add(Fault("html", "/kcare/key/list.json"))
    outcome = ask(cln, "kernelcare", "keys", "delete", mask_key(KEY), "--yes")
    assert outcome.code == 3
    assert outcome.err.startswith("clntool: reading /kcare/key/list.json at ")


def test_one_key_in_two_products(cln: Cln) -> None:
    """A key of two products shows the servers of both."""
    cln.account.imunify_keys[KEY] = cln.account.imunify_keys.pop(IMUNIFY_KEY)
    cln.account.imunify_keys[KEY].key = KEY
    rows = ask_json(cln, "servers", "list", "--key", KEY)
    assert {row["product"] for row in rows} == {"kernelcare", "imunify"}
    assert {row["key"] for row in ask_json(cln, "servers", "list", "--key", mask_key(OTHER_KEY))} == set()


def test_a_mask_in_another_case(cln: Cln) -> None:
    """The hex digits of a mask are accepted in either case; the characters of the key are not."""
    mask = mask_key(KEY)
    shouted = f"{mask[:5]}{mask[5:].upper()}"
    assert shouted != mask
    for command in (("servers", "list", "--key"), ("kernelcare", "servers", "list", "--key")):
        assert {row["key"] for row in ask_json(cln, *command, shouted)} == {KEY}
        assert ask(cln, *command, f"{mask[:4].swapcase()}{mask[4:]}").code == 2


@pytest.mark.parametrize("given", [KEY, mask_key(KEY)])
def test_a_key_of_another_product(given: str, cln: Cln) -> None:
    """A key of another product is reported as such, not as missing."""
    for command in ("servers list", "servers prune --never --yes"):
        outcome = ask(cln, *command.split(), "--product", "imunify", "--product", "els", "--key", given)
        assert (outcome.code, outcome.out) == (2, "")
        assert outcome.err.endswith(f"{mask_key(KEY)} is a key of KernelCare, not of Imunify or ELS\n")
    outcome = ask(cln, "imunify", "keys", "update", mask_key(KEY), "--limit", "3", "--yes")
    assert (outcome.code, outcome.err) == (2, f"clntool: {mask_key(KEY)} is a key of KernelCare, not of Imunify\n")
