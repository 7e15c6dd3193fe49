"""The description of a patch is read in all its spellings, and what cannot be read is counted."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cln_monitor.cln import BadAnswerError
from cln_monitor.patches import LivePatch
from cln_monitor.patches.live_patch import parse_patch_info

KERNEL = "5f0c" * 10
HEAD = "OS: almalinux8\nkernel: kernel-4.18.0-553.el8\ntime: 2026-11-02 03:10:44\nuname: 4.18.0-553.90.1.el8\n"
SAMPLE = f"{HEAD}\nkpatch-name: el8/fix-a.patch\nkpatch-cve: CVE-2026-11111 CVE-2026-22222\nkpatch-cvss: 7.8\n"


def test_sample() -> None:
    """The known sample is read; its time without a zone is in UTC."""
    assert parse_patch_info(KERNEL, 31, SAMPLE) == LivePatch(
        KERNEL,
        31,
        ("CVE-2026-11111", "CVE-2026-22222"),
        built_at=datetime(2026, 11, 2, 3, 10, 44, tzinfo=UTC).timestamp(),
        effective_kernel="4.18.0-553.90.1.el8",
    )


@pytest.mark.parametrize(
    ("values", "cves", "unread"),
    [
        (["CVE-2026-1111"], ["CVE-2026-1111"], 0),
        (["CVE-2026-2222,CVE-2026-1111"], ["CVE-2026-1111", "CVE-2026-2222"], 0),
        (["CVE-2026-1111, CVE-2026-2222;  CVE-2026-3333"], ["CVE-2026-1111", "CVE-2026-2222", "CVE-2026-3333"], 0),
        (["cve-2026-1111"], ["CVE-2026-1111"], 0),
        (["N/A"], [], 0),
        (["n/a"], [], 0),
        ([""], [], 0),
        (["N/A", "CVE-2026-1111", "N/A", "CVE-2026-1111"], ["CVE-2026-1111"], 0),
        (["CVE-2026-1111\n  CVE-2026-2222"], ["CVE-2026-1111", "CVE-2026-2222"], 0),
        (["CVE-2026-XXXX"], [], 1),
        (["CVE-2026-111"], [], 1),
        (["CVE-2026-1111 see the advisory", "CVE-2026-٣٣٣٣", "CVE-2026-2222"], ["CVE-2026-1111", "CVE-2026-2222"], 2),
    ],
)
def test_cves(values: list[str], cves: list[str], unread: int) -> None:
    """Several CVEs on a line, N/A, small letters and repetitions are read; a fix with any other word is counted."""
    blocks = [f"kpatch-name: {number}.patch\nkpatch-cve: {value}\n" for number, value in enumerate(values)]
    patch = parse_patch_info(KERNEL, 31, "\n".join([HEAD, *blocks]))
    assert (list(patch.cves), patch.unread) == (cves, unread)


def test_fix_without_cves() -> None:
    """A fix whose line of CVEs is missing is not one without CVEs."""
    assert parse_patch_info(KERNEL, 31, f"{SAMPLE}\nkpatch-name: el8/fix-b.patch\nkpatch-cvss: 5\n").unread == 1


def test_fix_without_cves_beside_one_with_two_lines() -> None:
    """Two lines of CVEs of one fix do not make up for another fix, which has none."""
    text = f"{SAMPLE}kpatch-cve: CVE-2026-33333\n\nkpatch-name: el8/fix-b.patch\nkpatch-cvss: 5\n"
    patch = parse_patch_info(KERNEL, 31, text)
    assert (patch.cves, patch.unread) == (("CVE-2026-11111", "CVE-2026-22222", "CVE-2026-33333"), 1)


def test_fixes_without_blank_lines() -> None:
    """A name begins a fix also without a blank line before it."""
    assert parse_patch_info(KERNEL, 31, f"{SAMPLE}kpatch-name: b\nkpatch-name: c\nkpatch-cve: N/A\n").unread == 1


def test_cve_with_a_text_on_a_line_of_its_own() -> None:
    """A line that begins with a CVE id continues the list, and is not a field with that name."""
    patch = parse_patch_info(KERNEL, 31, f"{HEAD}\nkpatch-cve: CVE-2026-11111\nCVE-2026-22222: use after free\n")
    assert (patch.cves, patch.unread) == (("CVE-2026-11111",), 1)


def test_other_spellings_of_fields() -> None:
    """Line ends of DOS, capitals, blanks, unknown fields, and fields of a fix named as the head's do not matter."""
    text = SAMPLE.replace("kpatch-cve", "KPATCH-CVE ").replace("\n", "\r\n") + "time: 2020-01-01 00:00:00\r\nnew: 1\r\n"
    assert parse_patch_info(KERNEL, 31, text) == parse_patch_info(KERNEL, 31, SAMPLE)


def test_head_is_optional() -> None:
    """A patch whose time or kernel is missing or cannot be read is known all the same."""
    patch = parse_patch_info(KERNEL, 31, "time: soon\n\nkpatch-cve: CVE-2026-1111\n")
    assert patch == LivePatch(KERNEL, 31, ("CVE-2026-1111",))


@pytest.mark.parametrize("text", ["", HEAD, "<html>kpatch</html>", "33\n", "kpatch-name: x\n\nkpatch-cvss: 7.8\n"])
def test_no_cves_at_all(text: str) -> None:
    """A text without a line of CVEs is not the description of a patch that fixes none."""
    with pytest.raises(BadAnswerError, match="unexpected response from the patch server: no kpatch-cve"):
        parse_patch_info(KERNEL, 31, text)


@pytest.mark.parametrize("end", ["\n\nkpatch-na", "\nkpatch-name", "kpatch-name: el8/fix-b.patch\nkpatch-c"])
def test_cut_off_within_a_name(end: str) -> None:
    """A text that ends within the name of a field lacks the fixes after it."""
    with pytest.raises(BadAnswerError, match="unexpected response from the patch server: it ends within a field"):
        parse_patch_info(KERNEL, 31, f"{SAMPLE}{end}")


def test_cut_off() -> None:
    """A text that ends within a CVE could name another one, which is not fixed."""
    with pytest.raises(BadAnswerError, match="it ends within kpatch-cve"):
        parse_patch_info(KERNEL, 31, SAMPLE[: SAMPLE.index("22222") + 4])


@pytest.mark.unmeasured
@given(st.text())
def test_any_text(text: str) -> None:
    """Any text is a patch or a bad answer, and never names a CVE that it does not contain."""
    try:
        patch = parse_patch_info(KERNEL, 31, text)
    except BadAnswerError:
        return
    assert all(cve in text.upper() for cve in patch.cves)
