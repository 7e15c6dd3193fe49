"""``python -m tools.bench.feed_rounds CONFIG ROUNDS``: rounds of the feed one after another, and what they cost.

It prints JSON: the CPU seconds of a round, its results, those delivered in all rounds, and the resident memory in MB
after a tenth of the rounds and at the end.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from cln_monitor.feed.config import load_config
from cln_monitor.feed.feeder import Feeder

from .processes import resident

_WARM_UP = 2  # rounds: the second one requests reports in the form that the first one needed


def main() -> None:
    """Run the rounds, without the pauses between them."""
    file, rounds = Path(sys.argv[1]), int(sys.argv[2])
    feeder = Feeder(lambda: load_config(file))
    for _ in range(_WARM_UP):
        _round(feeder)
    memory, results, started = [], 0, time.process_time()
    for number in range(rounds):
        results = _round(feeder)
        if number in {rounds // 10, rounds - 1}:
            memory.append(resident(os.getpid()))
    cpu = (time.process_time() - started) / rounds
    delivered = feeder.metrics.registry.get_sample_value(
        "cln_feed_results_total", {"sink": "nagios", "result": "delivered"}
    )
    print(json.dumps({"cpu": cpu, "results": results, "delivered": delivered, "memory": memory}))  # noqa: T201 # for feed


def _round(feeder: Feeder) -> int:
    results = feeder.run_round()
    for courier in feeder.couriers.values():
        while courier.wait() == 0:
            courier.deliver()
    return len(results)


if __name__ == "__main__":
    main()
