"""Answers out of the API document, whatever the state."""

from dataclasses import dataclass

from . import answers
from .answers import SimulatedAnswer
from .samples import SAMPLES, Sample

STYLES = ("enveloped", "bare")
_NEVER_ENVELOPED = {"/cl/awp"}


@dataclass(frozen=True, slots=True)
class Replay:
    """The document answers all calls: its samples go out as they stand, whatever token and arguments are sent.

    The document shows most data without the envelope that it promises: in the style `enveloped` all JSON has
    one, in the style `bare` none has. `/cl/awp` never has one. `sample` is the place, from 0, of the one to
    send where a call has several; a call that has fewer sends its last.

    Raises ValueError for another style, and for a `sample` below 0.
    """

    style: str = "enveloped"
    sample: int = 0

    def __post_init__(self) -> None:
        if self.style not in STYLES:
            raise ValueError(f"replay style {self.style!r}: must be one of {', '.join(STYLES)}")
        if not _is_place(self.sample):
            raise ValueError(f"replay sample {self.sample!r}: must be a place in a list, from 0")

    def answer(self, method: str, path: str) -> SimulatedAnswer:
        """The answer to a call, whose path is that of its route."""
        samples = SAMPLES[method, path]
        sample = samples[min(self.sample, len(samples) - 1)]
        if isinstance(sample, str):
            return answers.text(sample)
        if self.style == "bare" or path in _NEVER_ENVELOPED:
            return answers.bare(sample.data)
        return answers.bare(_enveloped(sample))


def _is_place(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _enveloped(sample: Sample) -> dict[str, object]:
    return {"message": sample.message, "type": None, "success": sample.success, "data": sample.data}
