"""The tables of docs/faults.md, from the results of a run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .cases import CASES
from .eportal_cases import EportalCase
from .eportal_effects import EportalEffects
from .world import Figures


@dataclass
class Result:
    """The result of a fault: the reason of each probe, the state of each plugin, and one of the messages (``words``).

    ``longest`` is the duration of the longest run of a probe, in seconds.
    """

    reasons: Mapping[str, str]
    states: Mapping[str, str]
    words: str
    longest: float
    figures: Figures
    seconds_to_recover: float = 0.0


def matrix_table(results: Mapping[str, Result]) -> str:
    """Return the table of the results of each fault."""
    rows = ["| CLN | probes | plugins | message in log and plugins |", "| --- | --- | --- | --- |"]
    for name, case in CASES.items():
        result = results[name]
        words = f"`{_without_particulars(result.words)}`" if result.words else "–"
        rows.append(f"| {case.title} | {_grouped(result.reasons)} | {_grouped(result.states)} | {words} |")
    return "\n".join(rows)


def eportal_table(source: str, cases: Mapping[str, EportalCase], effects: Mapping[str, EportalEffects]) -> str:
    """Return the table of the effects of each fault of a ``source``, the ePortal or the patch server."""
    rows = [
        f"| {source} | `eportal` | plugins | alert | message in log and plugins |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, case in cases.items():
        effect = effects[name]
        words = f"`{_without_particulars(effect.words)}`" if effect.words else "–"
        alert = f"`{case.alert}`" if case.alert else "–"
        states = _grouped(effect.states)
        rows.append(f"| {case.title} | {effect.reason or 'ok'} | {states} | {alert} | {words} |")
    return "\n".join(rows)


def figures_table(results: Mapping[str, Result]) -> str:
    """Return the table of the cost of each fault."""
    rows = [
        "| CLN | longest run | recovery time | peak memory | threads | open files |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, case in CASES.items():
        result, figures = results[name], results[name].figures
        rows.append(
            f"| {case.title} | {result.longest:.1f} s | {result.seconds_to_recover:.1f} s"
            f" | {figures.peak} MiB | {figures.threads} | {figures.files} |"
        )
    return "\n".join(rows)


def _grouped(outcomes: Mapping[str, str]) -> str:
    """Return the outcomes as a text, with the most frequent one as that of all others."""
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
    words = re.sub(r"/[0-9a-f]{12}…/\d+/", "/5f0c…/31/", words)
    return words if len(words) < 200 else words[:200].rpartition(" ")[0] + " …"
