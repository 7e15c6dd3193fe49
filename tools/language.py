"""``python -m tools.language [PATH…]``: the phrases that no text of the project may have, and what to write.

All tracked text is read: code with its comments, documentation, rules, dashboards, units and samples; of the tests the
docstrings. Names are read in code that is not a test. A phrase ends up here when an operator would not search for it.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

_ROOT = Path(__file__).parents[1]

PHRASES = {
    # Spelling and single words.
    r"licen[c]es?\b|licenced|licencing": "license",
    r"anew": "again",
    r"of ours": "our own, internal",
    r"nobody": "no one, none, not",
    r"anybody|somebody|everybody": "anyone, someone, everyone",
    r"whoever|whomever|whatever": "the noun: clients, the user, any value",
    r"hardly any(?:body|one|thing)?": "few, rarely",
    r"(?-i:is none|are none)": "is not a …",
    r"told|tells?": "reported, reports, returns, says",
    r"by itself|by themselves|by herself|by himself": "automatically, on its own",
    r"goes|go there": "is sent, is removed, works, fits",
    r"stands|stand": "is, is listed, means",
    r"is held to|are held to|hold to": "must, follows",
    r"folders?": "directory, directories",
    r"at one go|in one go": "at once, in one request",
    r"by and by": "gradually",
    r"all else|all there is|all that there is": "everything else, everything",
    # What was found in texts that people read.
    r"series a server": "per-server series",
    r"not to be trusted": "TLS certificate verification failed",
    r"an error of ours": "internal error; see the log, and please report it",
    r"shak(?:e|es|ing) hands": "during the TLS handshake",
    r"not an answer of CLN but": "unexpected response from CLN: …",
    r"left it no place": "timed out waiting for a free connection slot",
    r"is barred": "is blocked",
    r"without a word(?: of CLN)?": "empty response",
    r"whom to ask": "no account given",
    r"is no (?:duration|number|count|date|key|name|address|URL|ip|path|file|time)": "invalid duration, … is not a …",
    r"left aside": "ignored",
    r"planned": "rescheduled",
    r"allows something unusual|allows itself": "configuration warning",
    r"least level": "only log messages with the given severity or above",
    r"most scrapes answered": "maximum number of parallel scrape requests",
    r"most servers of": "maximum number of servers of",
    r"lets anybody": "whether TLS certificate verification is disabled",
    r"limit use over": "2 keys over 90% full",
    r"(?:was )?never read whole|read whole|reads? it whole": "read completely",
    r"what is known is shown": "showing partial data",
    r"done: (?:remove|create|update|rename|enable|disable|add|move)": "removed …, created …",
    r"things are wrong|needs? a look": "critical, warnings",
    r"watches what": "monitors",
    r"what hangs": "a hung exporter",
    r"its series go": "its series disappear",
    r"without resale|for resale": "without reseller access",
    r"that fail \(": "patch_status of acme is failing: refused",
    r"at its loudest": "with the highest verbosity",
    r"be they|be it": "whether … or …",
    r"as (?:ever|before it was)": "unchanged",
    r"hereafter|thereof|thereby|whereof|wherever": "plain words",
}
"""Regular expressions, and what to write instead."""

NAMES = {
    "hiding_keys": "register_secrets", "read_rows": "get_rows", "of_key": "key", "given": "the noun",
    "truth": "bool_text", "one_of": "choice", "while_doing": "add_context", "leave_open": "mark_uncertain",
    "request_left": "request_sent", "may_have_happened": "outcome_unknown", "Typer": "Validator",
    "Choice": "AccountSelection", "NotChosen": "SelectionError", "Sources": "ClientFactory", "exposure": "advice",
    "lacking": "parts_missing", "without_secrets": "redact_rows", "of_account": "per_account",
    "is_shared": "is_sharded", "lost": "expired_parts", "asks": "identity_digest", "made_from": "config_fingerprint",
    "told": "the noun", "tell": "to_json, report", "inherit": "adopt", "is_tried": "has_run", "former": "previous",
    "standing": "status_line, probe_grid", "beat": "heartbeat", "untried": "not_yet_run",
    "_asked_meanwhile": "_rerun_requested", "_plan_anew": "_reschedule", "_HEART": "_WATCHDOG",
    "trusts_anybody": "set_tls_verification", "sharing": "set_shard", "exchanged": "observe_request",
    "Guard": "AuthMiddleware", "_leave": "the verb", "settle": "the verb", "_PATIENCE": "_TIMEOUTS",
    "_TAKE": "_WRITE_STALL", "end_silent": "close_idle", "seen": "the noun", "some": "truncated", "words": "formatting",
    "digest": "summary", "leave": "exit_", "Need": "DataRequest", "findings": "problems", "Program": "Plugin",
    "Verdict": "CheckResult", "Figure": "Metric", "Aged": "ServerAge", "Use": "KeyUsage", "Unsaid": "UsageError",
    "Unreached": "NoResponseError", "Unusable": "CheckError", "NotUsable": "SnapshotError",
    "NotDiscovered": "DiscoveryError", "NotYaml": "YamlError", "gather": "concurrent", "rehearsal": "dry_run",
    "say": "eprint", "strikes": "faults", "strike": "inject", "Ledger": "SimulationState", "furnish": "populate_demo",
    "_Story": "_Scenario", "each": "the noun", "of": "the noun", "what": "the noun", "made": "the noun",
    "gone": "the noun", "worlds": "the noun",
}  # fmt: skip
"""Names of classes, functions, arguments and variables, and what is better."""

EXEMPT = {
    ("cln_monitor/simulator/simulator.py", "licences"): "a random seed: another text gives other demo fleets",
    ("dashboards/grafana/provisioning.yml", "folder"): "a key of Grafana",
}
"""Phrases that a file needs, by the file, and why."""

_SUFFIXES = {
    ".py",
    ".md",
    ".yml",
    ".yaml",
    ".json",
    ".html",
    ".js",
    ".css",
    ".toml",
    ".service",
    ".conf",
    ".cfg",
    ".txt",
}
_BARE = {"Makefile"}
_DATA = {"tools/language.py", "tests/tools/test_language.py", "tools/bench/RESULTS.md"}
_ANY_PHRASE = re.compile(
    "|".join(rf"(?P<p{number}>\b(?:{phrase})(?!\w))" for number, phrase in enumerate(PHRASES)), re.IGNORECASE
)
# Finds the same and sometimes more, in lower case, in a twentieth of the time of a search that ignores case.
_PERHAPS_A_PHRASE = re.compile(rf"\b(?:{'|'.join(PHRASES).lower()})(?!\w)")
_REPLACEMENTS = list(PHRASES.values())


class Finding(NamedTuple):
    """A phrase in a file, the ``line`` counted from 1, and what to write instead."""

    path: str
    line: int
    phrase: str
    instead: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.phrase!r}; write: {self.instead}"


def phrases_in(text: str) -> Iterator[tuple[int, str, str]]:
    """Return the line in ``text``, the phrase and what to write instead, for each phrase; it may be over two lines."""
    line = re.sub(r"\s", " ", text)
    start, lower = 0, line.lower()
    if len(lower) != len(line):  # a letter such as İ is two in lower case
        lower = "".join(letter.lower()[0] for letter in line)
    while perhaps := _PERHAPS_A_PHRASE.search(lower, start):
        start = perhaps.start() + 1
        if match := _ANY_PHRASE.match(line, perhaps.start()):
            start = match.end()
            yield text.count("\n", 0, match.start()) + 1, match[0], _REPLACEMENTS[int(str(match.lastgroup)[1:])]


def names_in(tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    """Return the line, the name and what is better, for each name that code defines."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.ClassDef() | ast.AsyncFunctionDef():
                name = node.name
            case ast.arg():
                name = node.arg
            case ast.Name(ctx=ast.Store()):
                name = node.id
            case ast.Attribute(ctx=ast.Store()):
                name = node.attr
            case _:
                continue
        if name in NAMES:
            yield node.lineno, name, NAMES[name]


def _docstrings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node, clean=False)
            if text:
                yield node.body[0].lineno, text


def _not_exempt(name: str, found: Iterable[tuple[int, str, str]]) -> Iterator[tuple[int, str, str]]:
    return (entry for entry in found if (name, entry[1].lower()) not in EXEMPT)


def findings_in(path: Path, root: Path = _ROOT) -> list[Finding]:
    """Return what is to be changed in a file."""
    name, text = str(path.relative_to(root)), path.read_text()
    if path.suffix != ".py":
        return [Finding(name, *found) for found in _not_exempt(name, phrases_in(text))]
    tree = ast.parse(text)
    if name.startswith("tests/"):
        starts = _docstrings(tree)
        return [Finding(name, start + line - 1, *rest) for start, doc in starts for line, *rest in phrases_in(doc)]
    return [Finding(name, *found) for found in (*_not_exempt(name, phrases_in(text)), *names_in(tree))]


def files(root: Path = _ROOT) -> list[Path]:
    """Return the tracked files that are text of the project's own."""
    command = ["git", "-C", str(root), "ls-files", "-z"]
    tracked = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
    own = [Path(name) for name in tracked if name]
    return [root / path for path in own if (path.suffix in _SUFFIXES or path.name in _BARE) and not _is_data(path)]


def _is_data(path: Path) -> bool:
    """Return whether a file holds inputs of tests, locked versions, or the phrases themselves."""
    is_input = path.parts[0] == "tests" and path.suffix != ".py" and path.parts[1] != "golden"
    return is_input or path.name.startswith("requirements") or str(path) in _DATA


def main(arguments: list[str]) -> int:
    """Print what is to be changed in the tracked files, or those below the paths given; return the exit code."""
    wanted = [Path(argument).resolve() for argument in arguments] or [_ROOT]
    chosen = [path for path in files() if any(path.is_relative_to(place) for place in wanted)]
    found = [finding for path in chosen if path.exists() for finding in findings_in(path)]
    for finding in found:
        print(finding)  # noqa: T201 # what it is run for
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
