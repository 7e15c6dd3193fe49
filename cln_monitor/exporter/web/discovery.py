"""Prometheus HTTP service discovery: the servers that CLN lists, as targets of other exporters.

After an error Prometheus keeps its previous list of targets; after an empty list it drops every target. A list is
therefore returned only if it is complete; otherwise the error says what is missing and why. A shard returns its part,
which may be empty: Prometheus merges the lists of all shards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple

import msgspec

from cln_monitor.config import reason_disabled, reason_not_configured
from cln_monitor.exporter.licenses import licenses_of
from cln_monitor.exporter.service import Service
from cln_monitor.probes import LICENSE_LIST, Ages, IpLicenseList, Observation, ProbeReport, is_address
from cln_monitor.source_kinds import EPORTAL, kind_of

from .discovery_lists import CompressedList, DiscoveryLists

DEFAULT_PORT = 9100  # of the node exporter
_BATCH = 2000  # target groups encoded at once, while no other thread can run
_META = "__meta_cln_"


class DiscoveryError(Exception):
    """The list cannot be returned; ``status`` is the HTTP status code, the text explains the reason."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Labels(msgspec.Struct, frozen=True, omit_defaults=True, gc=False, rename=lambda field: _META + field):
    """The labels of a server; empty labels are omitted, which is equivalent for Prometheus.

    ``product`` has the same value as in the metrics: the code of an Imunify, ELS or CloudLinux OS product,
    ``kernelcare``, or ``ip_licenses``; it is ``eportal`` for the servers of an ePortal, which are in a ``feed``.
    ``group`` is ``,a,b,`` for a server in the groups a and b. ``os`` is the operating system and kernel of a server
    with an IP license.
    """

    account: str
    product: str
    key: str = ""
    license: str = ""
    server_id: str = ""
    hostname: str = ""
    group: str = ""
    feed: str = ""
    os: str = ""


class _Source(NamedTuple):
    """The servers of an account, its groups if they are read, and the host names of its servers by ID or address."""

    observation: Observation[Any]
    groups: Observation[Any] | None
    host_names: Mapping[str, str]


class TargetGroup(msgspec.Struct, frozen=True, gc=False):
    """A target group with one server: its address with a port, and its labels."""

    targets: tuple[str]
    labels: Labels


Groups = Mapping[str, str]
"""The label ``group`` by server ID."""
_Found = Iterator[tuple[str, Labels]]


def _kernelcare(observation: Observation[Any], groups: Groups) -> _Found:
    for part in observation.parts:
        key = part.value.key
        for server in part.value.servers:
            group = groups.get(server.server_id, "")
            yield server.ip, Labels(observation.account, "kernelcare", key, server_id=server.server_id, group=group)


def _imunify(observation: Observation[Any], groups: Groups) -> _Found:
    for part in observation.parts:
        key, product = part.value.key, part.value.product
        for server in part.value.servers:
            group = groups.get(server.server_id, "")
            yield server.ip, Labels(observation.account, product, key, server_id=server.server_id, group=group)


def _of_products(observation: Observation[Any], _: Groups) -> _Found:
    for part in observation.parts:
        product = part.value.product
        for server in part.value.servers:
            labels = Labels(
                observation.account, product, server.key, server_id=server.server_id, hostname=server.hostname
            )
            yield server.ip, labels


def _ip_licenses(observation: Observation[Any], _: Groups) -> _Found:
    for license_ in licenses_of(observation):
        if license_.is_used:
            yield license_.ip, Labels(observation.account, "ip_licenses", license=license_.license, os=license_.os)


def _eportal(observation: Observation[Any], _: Groups) -> _Found:
    for part in observation.parts:
        for server in part.value.servers:
            ids = {"server_id": server.server_id, "hostname": server.hostname, "feed": server.feed}
            yield server.ip, Labels(observation.account, "eportal", server.key, **ids)


_FINDERS: dict[str, Callable[[Observation[Any], Groups], _Found]] = {
    "kernelcare": _kernelcare,
    "imunify": _imunify,
    "els": _of_products,
    "ip_licenses": _ip_licenses,
    "cloudlinux": _of_products,
    "eportal": _eportal,
}
DISCOVERED = tuple(_FINDERS)
"""The probes whose servers can be discovered, by their path below ``/sd/``."""
_GROUPED = ("kernelcare", "imunify")  # the products whose servers can be in groups


def discover(service: Service, lists: DiscoveryLists, probe: str, query: Sequence[tuple[str, str]]) -> CompressedList:
    """Return the JSON list of the servers of ``probe``, filtered by ``query``. Raises DiscoveryError.

    ``lists`` keeps it until the data change.
    """
    accounts, port = _parsed(query)
    if probe not in _FINDERS:
        raise DiscoveryError(404, f"unknown path; expected one of: {', '.join(f'/sd/{name}' for name in DISCOVERED)}")
    service.expire()
    now = service.monotonic()
    sources: list[_Source] = []
    for account in _chosen(service, probe, accounts):
        if service.reader_elsewhere(account, probe):
            continue
        observation, host_names = _complete(service, account, probe, now)
        if probe in _GROUPED and (reader := service.reader_elsewhere(account, "groups")):
            # Without the label, a relabeling rule that keeps the servers of a group would drop all of them.
            remedy = "use an exporter without shards for discovery, or set probes.groups.enabled: false"
            raise DiscoveryError(
                503, f"the groups of {account} are read by shard {reader}, not by this exporter; {remedy}"
            )
        grouped = probe in _GROUPED and service.find(account, "groups") is not None
        groups = _complete(service, account, "groups", now)[0] if grouped else None
        sources.append(_Source(observation, groups, host_names))
    # An observation is known by its token, so that its data are not kept; host names are replaced, not changed.
    tokens = [
        token
        for source in sources
        for token in (source.observation.token, source.groups and source.groups.token, source.host_names)
    ]
    return lists.get((probe, tuple(accounts), port), tokens, lambda: _made(probe, sources, port))


def _made(probe: str, sources: Sequence[_Source], port: int) -> Iterator[bytes]:
    """Return the JSON list in pieces. Raises DiscoveryError if the data are unusable."""
    found: list[_Found] = []
    for observation, groups, host_names in sources:
        if reason := _unusable(observation):
            raise DiscoveryError(503, f"{probe} of {observation.account} cannot be discovered: {reason}")
        servers = _FINDERS[probe](observation, {} if groups is None else group_labels(groups))
        found.append(_with_host_names(servers, host_names))
    return encoded(target_groups(chain.from_iterable(found), port))


def _with_host_names(found: _Found, host_names: Mapping[str, str]) -> _Found:
    """Yield the servers ``found``, with their ``host_names`` by server ID, or by address for IP licenses."""
    for ip, labels in found:
        host = host_names.get(labels.server_id or ip)
        yield ip, labels if host is None else msgspec.structs.replace(labels, hostname=host)


def _parsed(query: Sequence[tuple[str, str]]) -> tuple[list[str], int]:
    accounts: list[str] = []
    ports: list[str] = []
    for name, value in query:
        if name not in {"account", "port"}:
            raise DiscoveryError(400, "unknown parameter; expected account (repeatable) or port")
        (accounts if name == "account" else ports).append(value)
    port = ports[0] if ports else str(DEFAULT_PORT)
    if len(ports) > 1 or not (port.isascii() and port.isdecimal() and len(port) <= 5 and 0 < int(port) <= 65535):
        raise DiscoveryError(400, "invalid port; expected one number from 1 to 65535, such as port=9100")
    return list(dict.fromkeys(accounts)), int(port)


def _chosen(service: Service, probe: str, accounts: list[str]) -> list[str]:
    """Return the requested ``accounts``, by default all whose ``probe`` is enabled. Raises DiscoveryError."""
    if problem := reason_not_configured(service.config, probe, accounts):
        raise DiscoveryError(404, problem)
    known = service.config.names_of(kind_of(probe))
    on = [name for name in accounts or known if service.find(name, probe) or service.reader_elsewhere(name, probe)]
    off = [name for name in accounts if name not in on]
    if off or not on:
        names = f" of {', '.join(off)}" if off else ""
        raise DiscoveryError(404, reason_disabled(service.config, probe, off or known, names))
    return on


def _complete(service: Service, account: str, probe: str, now: float) -> tuple[Observation[Any], Mapping[str, str]]:
    """Return the complete observation, and the host names of its servers. Raises DiscoveryError."""
    target = service.find(account, probe)
    if target is None:  # a reload has just removed it
        raise DiscoveryError(503, f"{probe} of {account} is no longer configured")
    view = target.report(now)
    missing = missing_data(view)
    if missing is not None or view.observation is None:
        raise DiscoveryError(503, f"{probe} of {account} is incomplete: {missing}")
    return view.observation, view.host_names


def _unusable(observation: Observation[Any]) -> str:
    """Return why the data are unusable, empty if they are usable.

    A single row without an address is unexpected, and omitted. If all rows have none, the API has changed, and an
    incomplete list must not be returned.
    """
    kind = kind_of(observation.probe)
    source = kind.server
    lists = [(part.name, _servers_of(part.value)) for part in observation.parts]
    for name, servers in lists:
        if len(servers) > 1 and not any(is_address(server.ip) for server in servers):
            part = "" if kind is EPORTAL else f" of {name}"
            return f"{source} reports no address for any of the {len(servers)} servers{part}"
    all_servers = [server for _, servers in lists for server in servers]
    if all_servers and not any(is_address(server.ip) for server in all_servers):
        return f"{source} reports no address for any server"
    if observation.probe == "ip_licenses" and all_servers:
        licenses = licenses_of(observation)
        if all(license_.registered is None and not license_.is_used for license_ in licenses):
            return "CLN does not report for any IP license whether it is used"
    return ""


def _servers_of(value: Any) -> Sequence[Any]:
    field = "licenses" if isinstance(value, IpLicenseList) else "servers"
    return list(getattr(value, field))


def missing_data(view: ProbeReport) -> str | None:
    """Return what is missing in the list of ``view``, or None if it is complete."""
    observation, ages = view.observation, view.ages or Ages()
    if observation is None:
        return f"first poll: {view.first_poll}" if view.first_poll else "no data yet"
    gaps = [gap for gap in view.missing if gap.name and not gap.is_kept and _matters(view, gap.name)]
    if gaps:
        others = f" and {len(gaps) - 1} more" if len(gaps) > 1 else ""
        return f"no data of {gaps[0].name}{others}; {gaps[0].text}"
    age = ages.last_run if observation.list_known else ages.last_success
    if age is None or (not observation.parts and age > view.max_age):
        return next((gap.text for gap in view.missing if not gap.name), "the data have expired")
    return None


def _matters(view: ProbeReport, part: str) -> bool:
    return view.probe != "ip_licenses" or part == LICENSE_LIST  # discovery does not need check-ins


def group_labels(observation: Observation[Any]) -> Groups:
    """Return the label ``group`` of each server that is in a group, by server ID."""
    labels: dict[str, str] = {}
    for group in sorted((part.value for part in observation.parts), key=lambda group: str(group.group)):
        alone = f",{group.group},"
        for member in group.servers:
            before = labels.get(member.server_id)
            labels[member.server_id] = alone if before is None else before + alone[1:]
    return labels


def target_groups(found: Iterable[tuple[str, Labels]], port: int) -> Iterator[TargetGroup]:
    """Yield a target group for each server with a valid address; others cannot be scraped."""
    for ip, labels in found:
        host = _host(ip)
        if host:
            yield TargetGroup((f"{host}:{port}",), labels)


def _host(ip: str) -> str:
    if not is_address(ip):
        return ""
    return f"[{ip}]" if ":" in ip else ip


def encoded(groups: Iterator[TargetGroup]) -> Iterator[bytes]:
    """Yield the JSON array of ``groups``, in pieces."""
    encoder = msgspec.json.Encoder()
    start = b"["
    while batch := list(islice(groups, _BATCH)):
        yield start + encoder.encode(batch)[1:-1]
        start = b","
    yield b"[]" if start == b"[" else b"]"
