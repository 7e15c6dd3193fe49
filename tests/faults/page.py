"""The tables of docs/faults.md, from what a run has seen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .cases import CASES
from .world import Figures


@dataclass
class Seen:
    """What came of a fault: the reason of each probe, the state of each plugin, and the ``words`` of one of them.

    ``longest`` is how many seconds the longest run of a probe took.
    """

    reasons: Mapping[str, str]
    states: Mapping[str, str]
    words: str
    longest: float
    figures: Figures
    seconds_to_recover: float = 0.0


def matrix_table(seen: Mapping[str, Seen]) -> str:
    """Return what each fault comes to."""
    rows = ["| CLN | probes | plugins | in log and plugins |", "| --- | --- | --- | --- |"]
    for name, case in CASES.items():
        of = seen[name]
        words = f"`{_without_particulars(of.words)}`" if of.words else "–"
        rows.append(f"| {case.title} | {_grouped(of.reasons)} | {_grouped(of.states)} | {words} |")
    return "\n".join(rows)


def figures_table(seen: Mapping[str, Seen]) -> str:
    """Return what each fault cost."""
    rows = [
        "| CLN | longest run | well again after | most memory | threads | open files |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, case in CASES.items():
        of, figures = seen[name], seen[name].figures
        rows.append(
            f"| {case.title} | {of.longest:.1f} s | {of.seconds_to_recover:.1f} s"
            f" | {figures.peak} MiB | {figures.threads} | {figures.files} |"
        )
    return "\n".join(rows)


def _grouped(outcomes: Mapping[str, str]) -> str:
    """Return the outcomes, the most frequent one as that of all others."""
    names: dict[str, list[str]] = {}
    for name, outcome in outcomes.items():
        names.setdefault(outcome or "ok", []).append(name.removeprefix("check_cln_"))
    if len(names) == 1:
        return f"all {next(iter(names))}"
    most, *rest = sorted(names, key=lambda outcome: -len(names[outcome]))
    return "; ".join([*(f"`{'`, `'.join(names[outcome])}` {outcome}" for outcome in rest), f"all others {most}"])


def _without_particulars(words: str) -> str:
    words = re.sub(r"(?:localhost|127\.0\.0\.1):\d+", "cln.example.net", words)
    words = re.sub(r"timed out after [\d.]+ s", "timed out after 15 s", words)
    words = re.sub(r"larger than \d+ MB", "larger than 64 MB", words)
    words = re.sub(r" \(and \d+ more missing\)", "", words)
    words = re.sub(r"\b3(?:599|600|601)\b", "3600", words)
    return words if len(words) < 200 else words[:200].rpartition(" ")[0] + " …"
