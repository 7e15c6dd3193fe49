"""Results for the tests of sinks, with texts that have broken receivers."""

from __future__ import annotations

from cln_monitor.feed.result import FeedResult

FIRST = "WARNING - 7 of 93 servers silent; oldest web12 (4d)"
LONG = f"{FIRST}\n203.0.113.28: 120d; key Über¦“x”\nC:\\new \\\\ 中文 \U0001f600"
ITEMS = [
    "servers=93;;;0",
    "stale=7;;;0",
    "oldest_checkin=345600s;86400;;0",
    "limit_usage=93%;90;100;0",
    "'key a=b'=1;10:20;@1:2",
]
PERFDATA = " ".join(ITEMS)
NINE_KB = "CRITICAL - many\n" + "\n".join(f"203.0.113.{number}: silent for {number}d; é" for number in range(260))


def result(
    service: str = "kernelcare", output: str = LONG, perfdata: str = PERFDATA, *, host: str = "acme", state: int = 1
) -> FeedResult:
    """Return a result of a service."""
    return FeedResult(host, service, state, output, perfdata, "check_cln_kernelcare")
