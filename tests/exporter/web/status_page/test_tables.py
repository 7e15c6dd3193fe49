"""The tables of the page."""

from __future__ import annotations

from cln_monitor.cln import ImunifyServer
from cln_monitor.exporter.web.status_page.tables import bills, groups, keys, licenses, patches, servers
from cln_monitor.probes.awp import AwpCount, AwpMonth
from cln_monitor.probes.groups import GroupMember, GroupState
from cln_monitor.probes.imunify import ImunifyKeyServers
from cln_monitor.probes.patch_status import PatchState
from tests.exporter.metrics.rendering import observed
from tests.helpers.clock import NOW

from .factories import DAY, HOUR, kernelcare, key, licensed, server, status_of


def test_servers() -> None:
    """Silent servers are sorted by silence; the bar is relative to the longest one."""
    imunify = observed({"i": ImunifyKeyServers("i", "AVP", 0, None, [ImunifyServer("9", "", None)])}, probe="imunify")
    table = servers(
        [
            status_of(kernelcare(key("a", server("1", HOUR), server("2", 4 * DAY), server("3", None, NOW - 2 * DAY)))),
            status_of(imunify),
        ],
        NOW,
    )
    assert [(row.server_id, row.ip, row.state, row.silent, row.moment, row.why, row.share) for row in table.rows] == [
        ("2", "192.0.2.1", "stale", "4d", "2024-04-26 15:26 UTC", "", 100.0),
        ("3", "192.0.2.1", "never", "2d, never checked in", "2024-04-28 15:26 UTC", "", 50.0),
        ("9", "no address", "info", "never checked in", "", "possibly new", 0.0),
    ]
    assert table.more == 0


def test_many_servers() -> None:
    """Twenty servers of all accounts are listed."""
    targets = [
        status_of(
            kernelcare(key("a", *[server(f"{name}{age}", age * DAY) for age in range(2, 42)]), account=name),
            account=name,
        )
        for name in ("x", "y")
    ]
    table = servers(targets, NOW)
    assert [row.server_id for row in table.rows[:3]] == ["x30", "y30", "x29"]
    assert (len(table.rows), table.more) == (20, 60)


def test_servers_that_are_gone() -> None:
    """Gone servers come after those that need attention."""
    gone_servers = [server(f"g{age}", age * DAY) for age in range(31, 131)]
    late = [server("s2", 2 * DAY), server("s3", 30 * DAY), server("n", None, NOW - 90 * DAY)]
    table = servers([status_of(kernelcare(key("a", *gone_servers, *late)))], NOW)
    assert [row.server_id for row in table.rows[:5]] == ["n", "s3", "s2", "g130", "g129"]
    assert [(row.state, row.why) for row in table.rows[1:4]] == [("stale", ""), ("stale", ""), ("info", "still billed")]
    assert (len(table.rows), table.more) == (20, 83)
    long = status_of(kernelcare(key("a", *gone_servers, *late)), stale_after=40.0 * DAY)
    table = servers([long], NOW)
    assert [row.server_id for row in table.rows[:3]] == ["n", "g130", "g129"]
    assert (len(table.rows), table.more) == (20, 90 + 1 - 20)


def test_keys() -> None:
    """Keys are sorted by fullness, then unlimited ones by servers."""
    two, one = [server(str(number), HOUR) for number in range(2)], [server("9", None)]
    table = keys(
        [
            status_of(
                kernelcare(key("free"), key("many", *two), key("half", *one, limit=2), key("full", *two, limit=2))
            ),
            status_of(kernelcare(key("dark", *one, limit=None, note="n" * 99), account="other"), account="other"),
        ],
        NOW,
    )
    assert [(row.key, row.used, row.limit, row.state, row.share, row.silent) for row in table.rows] == [
        ("full", "2", "2", "warning", 100.0, "none"),
        ("half", "1", "2", "ok", 50.0, "1 possibly new"),
        ("many", "2", "unlimited", "ok", None, "none"),
        ("dark", "1", "unknown", "ok", None, "1 possibly new"),
        ("free", "0", "unlimited", "ok", None, ""),
    ]
    assert len(table.rows[3].note) == 80
    assert keys([status_of(kernelcare(*[key(str(number)) for number in range(50)]))], NOW).more == 30


def test_the_silent_servers_of_keys() -> None:
    """Gone and superseded servers of a key are not silent, and a disabled key has no silent servers."""
    old, again = server("1", 2 * DAY, ip="192.0.2.9"), server("2", HOUR, NOW - DAY, ip="192.0.2.9")
    servers = [old, again, server("3", 40 * DAY), server("4", 2 * DAY), server("5", None, NOW - 2 * DAY)]
    servers += [server("6", None, NOW - HOUR), server("7", None)]
    off = key("off", server("8", 2 * DAY), server("9", 90 * DAY), limit=2, enabled=False)
    rows = keys([status_of(kernelcare(off, key("a", *servers, limit=100)))], NOW).rows
    assert [(row.key, row.silent, row.state, row.is_disabled) for row in rows] == [
        ("a", "1 silent, 1 never checked in, 1 possibly new, 1 gone, 1 superseded", "ok", False),
        ("off", "", "info", True),
    ]


def test_the_same_key_in_two_accounts() -> None:
    """The same key in two accounts has two rows with separate numbers."""
    one, two = kernelcare(key("a", server("1", 2 * DAY))), kernelcare(key("a", server("1", HOUR)), account="other")
    rows = keys([status_of(one), status_of(two, account="other")], NOW).rows
    assert [(row.account, row.silent) for row in rows] == [("acme", "1 silent"), ("other", "none")]


def test_patches() -> None:
    """Each account has one bar, with good kernels first and unknown states under their own name."""
    counts = {"inactive": 1, "odd": 1, "uptodate": 6, "outofdate": 2}
    state = PatchState("reseller", "", ok=False, counts=counts, hosts=[])
    none = PatchState("reseller", "", ok=True, counts={"uptodate": 0}, hosts=[])
    table = patches(
        [
            status_of(observed({"": state}, probe="patch_status")),
            status_of(observed({"": none}, probe="patch_status", account="empty"), account="empty"),
            status_of(probe="patch_status"),
        ]
    )
    ((row),) = table.rows
    assert (row.account, row.total) == ("acme", "10 servers")
    assert row.pieces == (
        ("uptodate", "up to date", "6", 0.0, 60.0),
        ("outofdate", "out of date", "2", 60.0, 20.0),
        ("inactive", "inactive", "1", 80.0, 10.0),
        ("inactive", "odd", "1", 90.0, 10.0),
    )


def test_licenses() -> None:
    """License types are sorted by unused licenses."""
    used, unused = ("CloudLinux OS", True, HOUR), ("CloudLinux OS", False, None)
    rows = licenses([status_of(licensed(*[("KernelCare", True, HOUR)] * 3, used, unused, used, used))]).rows
    assert [(row.license, row.used, row.unused, row.has_unused, row.share) for row in rows] == [
        ("CloudLinux OS", "3", "1", True, 75.0),
        ("KernelCare", "3", "0", False, 100.0),
    ]


def test_groups_and_bills() -> None:
    """Groups and bills are listed."""
    members = [GroupMember("1", "KERNELCARE")]
    table = groups([status_of(observed({"b": GroupState("b", []), "a": GroupState("a", members)}, probe="groups"))])
    assert [(row.group, row.servers) for row in table.rows] == [("a", "1"), ("b", "0")]
    month = AwpMonth("2024-04", [AwpCount("AWP_CDN", "50 GB", 1200)])
    ((row),) = bills([status_of(observed({"2024-04": month}, probe="awp"))]).rows
    assert (row.product, row.limit, row.month, row.billable) == ("AccelerateWP CDN", "50 GB", "2024-04", "1\u202f200")
