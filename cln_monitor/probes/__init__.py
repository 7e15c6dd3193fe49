"""What monitoring asks of CLN: a module a probe, each turning calls of the client into an immutable observation."""

from .caution import Caution, is_address, phrases_of
from .observation import Failure, Gap, Missing, Observation, Part
from .probe import Probe, ProbeContext
from .registry import PROBES
from .report import FORMAT, Ages, ProbeReport
from .runner import Run, run_probe
from .settings import CheckinSettings, Duration, ProbeSettings
from .shard import WHOLE, Shard

__all__ = [
    "FORMAT",
    "PROBES",
    "WHOLE",
    "Ages",
    "Caution",
    "CheckinSettings",
    "Duration",
    "Failure",
    "Gap",
    "Missing",
    "Observation",
    "Part",
    "Probe",
    "ProbeContext",
    "ProbeReport",
    "ProbeSettings",
    "Run",
    "Shard",
    "is_address",
    "phrases_of",
    "run_probe",
]
