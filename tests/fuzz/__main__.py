"""Fuzz a decoder, guided by coverage, and keep inputs that reach new code.

`python -m tests.fuzz DECODER [OPTION OF LIBFUZZER...]`; inputs that break a promise are written to files in the working
directory.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any


def main() -> None:
    """Run libFuzzer, which ends the process."""
    fuzzer: Any = import_module("atheris")  # only here, and not among what all tests install
    name, *options = sys.argv[1:]
    with fuzzer.instrument_imports(include=["cln_monitor"]):
        from .decoders import CORPUS, DECODERS  # noqa: PLC0415 # instrumented as it is imported
    fuzzer.Setup([sys.argv[0], str(CORPUS / name), "-max_len=1500", *options], DECODERS[name])
    fuzzer.Fuzz()


if __name__ == "__main__":
    main()
