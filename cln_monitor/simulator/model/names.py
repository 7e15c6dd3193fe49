"""Generated names that look real: hosts, addresses, license keys, ids.

Hosts and addresses are functions of a number, so that no two servers of a simulator share one by accident. Addresses
are in the ranges reserved for documentation (RFC 5737, RFC 3849), for benchmarks (RFC 2544) and, in very large fleets,
in the shared address space (RFC 6598).
"""

import string
from ipaddress import IPv4Address, IPv6Address
from random import Random

_ROLES = ("web", "db", "mail", "app", "node", "backup", "shared", "build")
_SITES = ("fra1.example.net", "ams2.example.net", "nyc3.example.com", "sgp1.example.org", "lon1.example.com")
_ALNUM = string.ascii_letters + string.digits
_SMALL_POOLS = tuple(int(IPv4Address(first)) for first in ("192.0.2.0", "198.51.100.0", "203.0.113.0"))
_SMALL_SIZE = 254 * len(_SMALL_POOLS)
_BENCHMARK_POOL = int(IPv4Address("198.18.0.0"))
_BENCHMARK_SIZE = 1 << 17
_SHARED_POOL = int(IPv4Address("100.64.0.0"))
_SHARED_SIZE = 1 << 22
_DOCUMENTATION_V6 = int(IPv6Address("2001:db8::"))
_V6_EVERY = 11


def hostname(number: int) -> str:
    """Return the host name of server `number`, such as `web12.fra1.example.net`."""
    turn, role = divmod(number, len(_ROLES))
    turn, site = divmod(turn, len(_SITES))
    return f"{_ROLES[role]}{turn + 1}.{_SITES[site]}"


def address(number: int) -> str:
    """Return the address of server `number`: one in eleven is IPv6."""
    turn, kind = divmod(number, _V6_EVERY)
    if kind == _V6_EVERY - 1:
        return str(IPv6Address(_DOCUMENTATION_V6 + ((turn % 0xFFFF + 1) << 80) + turn + 1))
    number -= turn
    if number < _SMALL_SIZE:
        turn, pool = divmod(number, len(_SMALL_POOLS))
        return str(IPv4Address(_SMALL_POOLS[pool] + turn + 1))
    number -= _SMALL_SIZE
    if number < _BENCHMARK_SIZE:
        return str(IPv4Address(_BENCHMARK_POOL + number))
    number -= _BENCHMARK_SIZE
    return str(IPv4Address(_SHARED_POOL + number % _SHARED_SIZE))


def private_address(number: int) -> str:
    """Return the address of server `number` within a company (RFC 1918)."""
    return str(IPv4Address(int(IPv4Address("10.0.0.0")) + 256 + number))


def kernelcare_name(random: Random) -> str:
    """Return a KernelCare key or server id: 16 letters and digits, as `WsTs821nSAtiastD` in the API document."""
    return "".join(random.choices(_ALNUM, k=16))


def imunify_key(random: Random, code: str) -> str:
    """Return an Imunify key of the product `code`, similar to `IM1SOMENONSENCETEXT` and `IMUNOTHERKEY`."""
    product = code.rpartition("_")[2]
    return f"IM{product}" + "".join(random.choices(string.ascii_uppercase + string.digits, k=16))


def imunify_server_id(random: Random) -> str:
    """Return an Imunify server id: 32 hexadecimal digits."""
    return f"{random.getrandbits(128):032x}"


def els_key(random: Random, code: str) -> str:
    """Return an ELS key of the product `code`, similar to `CELS-yUDxBd5ethmGO5d3hnAZEau0`."""
    product = "".join(letter for letter in code if letter in _ALNUM)
    return f"{product}-" + "".join(random.choices(_ALNUM, k=24))


def cloudlinux_key(random: Random) -> str:
    """Return a CloudLinux OS key, similar to `CLN7aa…` in the samples."""
    return "CLN" + "".join(random.choices(_ALNUM, k=21))


def cloudlinux_server_id(random: Random) -> str:
    """Return the id of a server with CloudLinux OS: a number of six digits."""
    return str(random.randrange(10**5, 10**6))


def els_server_id(random: Random) -> str:
    """Return an ELS server id: a number of nine digits."""
    return str(random.randrange(10**8, 10**9))
