"""Every invalid argument exits with 2 and a reason, and nothing is sent."""

from __future__ import annotations

import pytest

from cln_monitor.masking import mask_key

from .account import ELS_KEY, IMUNIFY_KEY, KEY, NEW_ELS, OTHER_IMUNIFY_KEY, Cln
from .inside import ask

_KEYS_TO_CHANGE = (
    ("kernelcare", "keys", "delete", "{}"),
    ("kernelcare", "keys", "set-cidr", "{}", "192.0.2.0/24"),
    ("imunify", "keys", "update", "{}", "--limit", "1"),
    ("imunify", "keys", "remove", "{}"),
    ("imunify", "servers", "convert", "im-1", "{}"),
    ("els", "keys", "update", "{}", "--limit", "1"),
    ("els", "keys", "remove", "{}"),
)
_KEYS_TO_READ = (
    ("kernelcare", "servers", "list", "--key={}"),
    ("imunify", "servers", "list", "--key={}"),
    ("kernelcare", "patch-status", "--key={}"),
)
_LIMITS = (
    ("kernelcare", "keys", "create", "--limit={}"),
    ("imunify", "keys", "create", "--code", "AVP", "--limit={}"),
    ("imunify", "keys", "update", IMUNIFY_KEY, "--limit={}"),
    ("els", "keys", "create", "--code", "CELS", "--limit={}"),
    ("els", "keys", "update", ELS_KEY, "--limit={}"),
)
_NOTES = (
    ("kernelcare", "keys", "create", "--limit", "1", "--note={}"),
    ("imunify", "keys", "create", "--code", "AVP", "--limit", "1", "--note={}"),
    ("els", "keys", "create", "--code", "CELS", "--limit", "1", "--note={}"),
)
_NEW_NOTES = (
    ("imunify", "keys", "update", IMUNIFY_KEY, "--note={}"),
    ("els", "keys", "update", ELS_KEY, "--note={}"),
)
_IDS = (
    ("kernelcare", "servers", "remove", "{}"),
    ("imunify", "servers", "remove", "{}"),
    ("imunify", "servers", "convert", "{}", OTHER_IMUNIFY_KEY),
    ("els", "servers", "remove", "{}"),
    ("groups", "servers", "add", "web", "fresh", "{}"),
    ("groups", "servers", "remove", "web", "{}"),
)
_IPS = (
    ("ip-licenses", "register", "{}", "--type", "1"),
    ("ip-licenses", "convert", "{}", "--type", "41", "--type-to", "42"),
    ("ip-licenses", "remove", "{}"),
    ("ip-licenses", "update", "{}", "--els-allowed"),
)
_TYPES = (
    ("ip-licenses", "register", "192.0.2.1", "--type={}"),
    ("ip-licenses", "convert", "192.0.2.1", "--type={}", "--type-to", "42"),
    ("ip-licenses", "convert", "192.0.2.1", "--type", "41", "--type-to={}"),
    ("ip-licenses", "remove", "192.0.2.1", "--type={}"),
    ("ip-licenses", "update", "192.0.2.1", "--els-allowed", "--type={}"),
)
_GROUPS = (
    ("groups", "create", "{}"),
    ("groups", "servers", "add", "{}", "fresh"),
    ("groups", "servers", "remove", "{}", "fresh"),
)
_HOSTILE = ("a\nb", "\x1b[31mred", "nul\x00", "bell\x07", "right\u202eleft", "\u2028", "\udcff")

CHANGES = [
    *((command, key) for command in _KEYS_TO_CHANGE for key in ("", "a b", "a/b", "k?y=", "kö", "abc")),
    *((command, limit) for command in _LIMITS for limit in ("-1", "x", "1.5", "true", "1_0", "", "1000001", "9" * 30)),
    *((command, note) for command in _NOTES for note in ("", "  ", "x" * 101, *_HOSTILE)),
    *((command, note) for command in _NEW_NOTES for note in ("x" * 101, *_HOSTILE)),
    *((command, id_) for command in _IDS for id_ in ("", "a b", "a,b", "a/b", "x" * 129)),
    *((command, ip) for command in _IPS for ip in ("", "192.0.2", "192.0.2.1/32", "192.0.2.256", "::1%eth0", "x")),
    *((command, type_) for command in _TYPES for type_ in ("0", "-1", "abc", "1.0", "100000", "")),
    *((command, name) for command in _GROUPS for name in ("", "  ", "x" * 101, *_HOSTILE)),
    *(
        (("kernelcare", "keys", "set-cidr", KEY, "192.0.2.0/24", "{}"), cidr)
        for cidr in ("", "192.0.2.0", "192.0.2.1/24", "192.0.2.0/33", "192.0.2.0/x", "192.0.2/24", "2001:db8::/129",
                     "192.0.2.0/24|192.0.3.0/24", "192.0.2.0/255.255.255.0")
    ),
    *(
        (("kernelcare", "monitoring-key", "register", "{}"), key)
        for key in ("", "x" * 15, "x" * 33, "M0nitor Key 00001", "M\u00f6nitoringkey01", mask_key(KEY))
    ),
    *((("imunify", "keys", "create", "--limit", "1", "--code={}"), code) for code in ("", "a/b", "x" * 33)),
    *((("els", "keys", "create", "--limit", "1", "--code={}"), code) for code in ("", "cels", "NEWER", "AVP")),
    (("imunify", "keys", "update", "{}"), IMUNIFY_KEY),
    (("els", "keys", "update", "{}"), ELS_KEY),
    (("ip-licenses", "convert", "192.0.2.1", "--type", "41", "--type-to={}"), "41"),
    (("groups", "create", "new", "--description={}"), "x" * 256),
]  # fmt: skip
READS = [
    *((("awp", "usage", "--month={}"), month) for month in ("", "2023-13", "2023-1", "2023", "23-12", "2023-12-01")),
    *((("awp", "usage", "--month", "2023-12", "--product={}"), product) for product in ("", "awp", "A,B")),
    *((("ip-licenses", command, "{}"), ip) for command in ("availability", "check") for ip in ("", "192.0.2", "::%1")),
    *((("ip-licenses", "servers", "192.0.2.1", "{}"), ip) for ip in ("", "192.0.2", "192.0.2.1,192.0.2.2", "::%1")),
    *((("groups", "servers", "list", "{}"), name) for name in ("", "  ", "x" * 101, *_HOSTILE)),
    *((command, key) for command in _KEYS_TO_READ for key in ("", "a b", "a/b", "k?y=", "k\u00f6", "abc")),
    *(
        (("els", noun, "list", "--code={}"), code)
        for noun in ("keys", "servers")
        for code in ("", "a/b", "CELS,OELS", "x" * 33, *_HOSTILE)
    ),
]


def _filled(command: tuple[str, ...], value: str) -> list[str]:
    return [part.replace("{}", value) for part in command]


@pytest.mark.unmeasured
def test_what_changes(cln: Cln) -> None:
    """Invalid arguments of changes are refused with --yes, without it, and in dry runs."""
    for number, (command, value) in enumerate(CHANGES):
        for more in [("--yes",), (), ("--dry-run",)][: 1 if number % 5 else 3]:
            outcome = ask(cln, *_filled(command, value), *more)
            assert (outcome.code, outcome.out) == (2, ""), (command, value, outcome)
            assert outcome.err.startswith("clntool: ")
            assert outcome.err.count("\n") == 1
            assert outcome.err[:-1].isprintable(), (command, value, outcome)
            assert "--yes" not in outcome.err
    assert cln.sent() == []


@pytest.mark.unmeasured
def test_what_reads(cln: Cln) -> None:
    """Invalid arguments of reads are refused."""
    for command, value in READS:
        outcome = ask(cln, *_filled(command, value))
        assert (outcome.code, outcome.out) == (2, ""), (command, value, outcome)
        assert outcome.err.startswith("clntool: ")
        assert outcome.err.count("\n") == 1
        assert outcome.err[:-1].isprintable(), (command, value, outcome)
    assert cln.sent() == []


def test_els_code_of_the_configuration(cln: Cln) -> None:
    """An undocumented ELS code is accepted if it is configured; otherwise the error says so."""
    outcome = ask(cln, "els", "keys", "create", "--code", NEW_ELS, "--limit", "1", "--dry-run")
    assert (outcome.code, outcome.err) == (0, "")
    assert "code=RHEL9+ELS%2B" in outcome.out
    outcome = ask(cln, "els", "keys", "create", "--code", "NEWER", "--limit", "1", "--yes")
    assert outcome.err.endswith("; add newer codes to probes.els.products\n")


def test_the_longest_there_may_be(cln: Cln) -> None:
    """Values at their limits are accepted; an empty note removes the note of a key."""
    for command, value in (
        (_NOTES[0], "ク" * 100),
        (_NOTES[1], "[red]x[/red] | 'y'"),
        (_NEW_NOTES[0], ""),
        (_LIMITS[0], "1000000"),
        (_LIMITS[3], "0"),
        (_GROUPS[0], "x" * 100),
        (_TYPES[0], "99999"),
    ):
        outcome = ask(cln, *_filled(command, value), "--dry-run")
        assert outcome.code == 0, outcome
    assert cln.sent() == []
