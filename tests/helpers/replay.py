"""A simulator that answers with the samples of the API document, regardless of its state."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal
from unittest import mock

from cln_monitor.simulator import Simulator, answers
from cln_monitor.simulator.answers import SimulatedAnswer

from .samples import SAMPLES, Sample

Style = Literal["enveloped", "bare"]
_NEVER_ENVELOPED = {"/cl/awp"}


@contextmanager
def replaying(simulator: Simulator, style: Style = "enveloped", place: int = 0) -> Iterator[None]:
    """Let ``simulator`` answer all calls with the samples, for any token and arguments.

    The document prints most data without the envelope that it describes: in the style ``enveloped`` all JSON has an
    envelope, in the style ``bare`` none has. ``/cl/awp`` never has one. ``place``, from 0, selects the sample of a call
    with several; a call with fewer samples uses its last one. Unknown calls and faults are not affected.
    """
    as_ever = simulator.answer

    def answer(
        method: str, path: str, query: Mapping[str, str], client_ip: str = "127.0.0.1", skew: float = 0.0
    ) -> SimulatedAnswer:
        template = _template(method, path)
        if template is None:
            return as_ever(method, path, query, client_ip, skew)
        samples = SAMPLES[method, template]
        sample = samples[min(place, len(samples) - 1)]
        if isinstance(sample, str):
            return answers.text(sample)
        if style == "bare" or template in _NEVER_ENVELOPED or template.startswith("/v2/"):
            return answers.bare(sample.data)
        return answers.bare(_enveloped(sample))

    with mock.patch.object(simulator, "answer", answer):
        yield


def _template(method: str, path: str) -> str | None:
    """Return the path of a call as in the document; a literal path takes precedence."""
    if (method, path) in SAMPLES:
        return path
    for sampled, template in SAMPLES:
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
        if sampled == method and re.fullmatch(pattern, path):
            return template
    return None


def _enveloped(sample: Sample) -> dict[str, object]:
    return {"message": sample.message, "type": None, "success": sample.success, "data": sample.data}
