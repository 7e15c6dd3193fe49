"""The plan of the probes that read the servers of each key."""

from __future__ import annotations

import pytest

from cln_monitor.probes import PROBES

from .conftest import Cln


@pytest.mark.parametrize("name", ["kernelcare", "imunify"])
def test_a_part_for_each_key(cln: Cln, name: str) -> None:
    """The keys are listed once, the servers of each asked for once, in the order of the list."""
    add = cln.account.add_kernelcare_key if name == "kernelcare" else cln.account.add_imunify_key
    for key in ("PLANNEDKEY000002", "PLANNEDKEY000001"):
        add(key).add_server()
    observation = cln.run(PROBES[name]).observation
    assert [part.name for part in observation.parts] == ["PLANNEDKEY000002", "PLANNEDKEY000001"]
    assert len(cln.asked()) == 3
    assert observation.all_cautions == []
