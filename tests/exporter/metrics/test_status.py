"""Tests of the metrics of CLN's status."""

from __future__ import annotations

from cln_monitor.exporter.metrics.status import render
from cln_monitor.probes.status import StatusFlag, StatusSettings

from .rendering import observed, text_of


def test_flags() -> None:
    """Each flag has its value, and whether that is its good state."""
    flags = [StatusFlag("rhn_overloaded", value=True, good=False), StatusFlag("xmlrpc", value=True, good=True)]
    observation = observed({"flags": flags}, account="", probe="status")
    assert (
        text_of(render, observation, StatusSettings())
        == """\
cln_status_flag{api="cln.example.net",flag="rhn_overloaded"} 1
cln_status_flag{api="cln.example.net",flag="xmlrpc"} 1
cln_status_ok{api="cln.example.net",flag="rhn_overloaded"} 0
cln_status_ok{api="cln.example.net",flag="xmlrpc"} 1
"""
    )


def test_hostile_names() -> None:
    """Any name of a flag is escaped."""
    observation = observed({"flags": [StatusFlag('"\\', value=False, good=False)]}, account="", probe="status")
    assert (
        text_of(render, observation, StatusSettings())
        == r"""
cln_status_flag{api="cln.example.net",flag="\"\\"} 0
cln_status_ok{api="cln.example.net",flag="\"\\"} 0
""".lstrip()
    )


def test_without_data() -> None:
    """Without a part there are no series."""
    assert text_of(render, observed({}, account="", probe="status"), StatusSettings()) == ""
