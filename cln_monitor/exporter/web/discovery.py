"""Prometheus HTTP service discovery: the servers that CLN knows, as targets of whatever else watches them.

Prometheus keeps the list it has when it gets an error, and drops every target when it gets an empty one. So a list is
given only when it is known to be whole; whatever is missing is an error that says what and why. A shard gives its part,
which may be empty: Prometheus puts the lists of all shards together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec

from cln_monitor.exporter.licenses import licenses_of
from cln_monitor.exporter.service import Service
from cln_monitor.probes import LICENSE_LIST, Ages, IpLicenseList, Observation, ProbeReport, is_address

DEFAULT_PORT = 9100  # of the node exporter
_AT_A_TIME = 2000  # target groups encoded in one go, which nothing else can interrupt
_META = "__meta_cln_"


class DiscoveryError(Exception):
    """There is no list to give: the HTTP ``status`` says why to Prometheus, the text to a person."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Labels(msgspec.Struct, frozen=True, omit_defaults=True, gc=False, rename=lambda field: _META + field):
    """The labels of a server; those that are empty are left out, which is the same to Prometheus.

    ``product`` is the value that the metrics have: the code of an Imunify or ELS product, ``kernelcare`` or
    ``ip_licenses``. ``group`` is ``,a,b,`` of a server that is in the groups a and b.
    """

    account: str
    product: str
    key: str = ""
    license: str = ""
    server_id: str = ""
    hostname: str = ""
    group: str = ""


class TargetGroup(msgspec.Struct, frozen=True, gc=False):
    """One server: its address with a port, and its labels."""

    targets: tuple[str]
    labels: Labels


Groups = Mapping[str, str]
"""The label ``group`` of servers by their id."""
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


def _els(observation: Observation[Any], _: Groups) -> _Found:
    for part in observation.parts:
        product = part.value.product
        for server in part.value.servers:
            labels = Labels(
                observation.account, product, server.key, server_id=server.server_id, hostname=server.hostname
            )
            yield server.ip, labels


def _ip_licenses(observation: Observation[Any], _: Groups) -> _Found:
    for each in licenses_of(observation):
        if each.is_used:
            yield each.ip, Labels(observation.account, "ip_licenses", license=each.license)


_FINDERS: dict[str, Callable[[Observation[Any], Groups], _Found]] = {
    "kernelcare": _kernelcare,
    "imunify": _imunify,
    "els": _els,
    "ip_licenses": _ip_licenses,
}
DISCOVERED = tuple(_FINDERS)
"""The probes whose servers can be discovered, as the paths below ``/sd/`` name them."""
_GROUPED = ("kernelcare", "imunify")  # the products that groups are of


def discover(service: Service, probe: str, query: Sequence[tuple[str, str]]) -> list[bytes]:
    """Return the JSON for the servers of ``probe``, in pieces, as ``query`` asks. Raises DiscoveryError."""
    accounts, port = _asked(query)
    if probe not in _FINDERS:
        raise DiscoveryError(
            404, f"nothing is discovered here; there are: {', '.join(f'/sd/{name}' for name in DISCOVERED)}"
        )
    service.expire()
    now = service.monotonic()
    chosen = _chosen(service, probe, accounts)
    found: list[_Found] = []
    for account in chosen:
        if service.reader_elsewhere(account, probe):
            continue
        observation = _whole(service, account, probe, now)
        if probe in _GROUPED and (reader := service.reader_elsewhere(account, "groups")):
            # Without their label a rule that keeps the servers of a group would drop all of them.
            what_to_do = "discover servers from an exporter without shards, or set enabled: false below probes, groups"
            raise DiscoveryError(503, f"the groups of {account} are read by the shard {reader}, not here; {what_to_do}")
        grouped = probe in _GROUPED and service.find(account, "groups") is not None
        groups = group_labels(_whole(service, account, "groups", now)) if grouped else {}
        found.append(_FINDERS[probe](observation, groups))
    return encoded(target_groups((each for of_account in found for each in of_account), port))


def _asked(query: Sequence[tuple[str, str]]) -> tuple[list[str], int]:
    accounts: list[str] = []
    ports: list[str] = []
    for name, value in query:
        if name not in {"account", "port"}:
            raise DiscoveryError(400, "unknown parameter; there are account, which can be given again, and port")
        (accounts if name == "account" else ports).append(value)
    port = ports[0] if ports else str(DEFAULT_PORT)
    if len(ports) > 1 or not (port.isascii() and port.isdecimal() and len(port) <= 5 and 0 < int(port) <= 65535):
        raise DiscoveryError(400, "port: expected one number from 1 to 65535, such as port=9100")
    return list(dict.fromkeys(accounts)), int(port)


def _chosen(service: Service, probe: str, accounts: list[str]) -> list[str]:
    """Return the accounts that are asked about, by default each whose ``probe`` is on."""
    known = [account.name for account in service.config.accounts]
    if not set(accounts) <= set(known):
        raise DiscoveryError(404, f"no such account; there are: {', '.join(known)}")
    on = [name for name in accounts or known if service.find(name, probe) or service.reader_elsewhere(name, probe)]
    off = [name for name in accounts if name not in on]
    if off or not on:
        of = f" for {', '.join(off)}" if off else ""
        raise DiscoveryError(404, f"the probe {probe} is off{of}: set enabled: true below probes, {probe}")
    return on


def _whole(service: Service, account: str, probe: str, now: float) -> Observation[Any]:
    target = service.find(account, probe)
    if target is None:  # a reload has just taken it away
        raise DiscoveryError(503, f"{probe} of {account} is not there any more")
    view = target.report(now)
    lacking = what_is_missing(view)
    if lacking is not None or view.observation is None:
        raise DiscoveryError(503, f"{probe} of {account} is not known whole: {lacking}")
    if why := _unusable(view.observation):
        raise DiscoveryError(503, f"{probe} of {account} cannot be listed: {why}")
    return view.observation


def _unusable(observation: Observation[Any]) -> str:
    """Return why a list that would leave out servers is no list: CLN tells them in another way than it did.

    A single row without an address is odd, and left out; all of them are a change of the API.
    """
    if observation.probe not in DISCOVERED:
        return ""
    lists = [(part.name, _servers_of(part.value)) for part in observation.parts]
    for name, servers in lists:
        if len(servers) > 1 and not any(is_address(server.ip) for server in servers):
            return f"CLN tells no address of any of the {len(servers)} servers of {name}"
    every = [server for _, servers in lists for server in servers]
    if every and not any(is_address(server.ip) for server in every):
        return "CLN tells no address of any server"
    if observation.probe == "ip_licenses" and every:
        licenses = licenses_of(observation)
        if all(each.registered is None and not each.is_used for each in licenses):
            return "CLN does not tell of any IP license whether it is used"
    return ""


def _servers_of(value: Any) -> Sequence[Any]:
    held = "licenses" if isinstance(value, IpLicenseList) else "servers"
    return list(getattr(value, held))


def what_is_missing(view: ProbeReport) -> str | None:
    """Return in words what of the list that ``view`` holds is not known, or None when it is whole."""
    seen, ages = view.observation, view.ages or Ages()
    if seen is None:
        return "it has not been read yet"
    lost = [gap for gap in view.missing if gap.name and not gap.is_kept and _matters(view, gap.name)]
    if lost:
        others = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
        return f"there are no data of {lost[0].name}{others}; {lost[0].text}"
    since_whole = ages.last_run if seen.list_known else ages.last_success
    if since_whole is None or (not seen.parts and since_whole > view.max_age):
        return next((gap.text for gap in view.missing if not gap.name), "what was read is too old")
    return None


def _matters(view: ProbeReport, part: str) -> bool:
    return view.probe != "ip_licenses" or part == LICENSE_LIST  # when a server checked in is nothing to discover it by


def group_labels(observation: Observation[Any]) -> Groups:
    """Return the label of each server that is in a group, by its id."""
    labels: dict[str, str] = {}
    for group in sorted((part.value for part in observation.parts), key=lambda group: str(group.group)):
        alone = f",{group.group},"
        for member in group.servers:
            before = labels.get(member.server_id)
            labels[member.server_id] = alone if before is None else before + alone[1:]
    return labels


def target_groups(found: Iterable[tuple[str, Labels]], port: int) -> Iterator[TargetGroup]:
    """Yield a group for each server whose address is one; whatever else CLN tells cannot be asked for metrics."""
    for ip, labels in found:
        host = _host(ip)
        if host:
            yield TargetGroup((f"{host}:{port}",), labels)


def _host(ip: str) -> str:
    if not is_address(ip):
        return ""
    return f"[{ip}]" if ":" in ip else ip


def encoded(groups: Iterator[TargetGroup]) -> list[bytes]:
    """Return the JSON of ``groups``, in pieces."""
    encoder = msgspec.json.Encoder()
    pieces = [b"["]
    while some := list(islice(groups, _AT_A_TIME)):
        if len(pieces) > 1:
            pieces.append(b",")
        pieces.append(encoder.encode(some)[1:-1])
    return [*pieces, b"]"]
