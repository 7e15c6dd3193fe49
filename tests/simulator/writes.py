"""Every call that changes something, with arguments for the account of `populate_account`."""

from cln_monitor.simulator import Account

WRITES: dict[tuple[str, str], dict[str, str]] = {
    ("POST", "/els/key/create.json"): {"productType": "CELS", "limit": "2", "note": "new"},
    ("PUT", "/els/key/update.json"): {"key": "CELS-1", "limit": "4", "note": "other"},
    ("DELETE", "/els/key/remove.json"): {"key": "CELS-1"},
    ("DELETE", "/els/srv/remove.json"): {"id": "12345"},
    ("GET", "/im/key/create.json"): {"code": "360_1", "limit": "2"},
    ("GET", "/im/key/update.json"): {"key": "IM1", "limit": "4"},
    ("GET", "/im/key/remove.json"): {"key": "IM1"},
    ("GET", "/im/srv/remove.json"): {"id": "i1"},
    ("GET", "/im/srv/convert.json"): {"id": "i1", "key": "IM2"},
    ("GET", "/ipl/register.json"): {"ip": "192.0.2.1", "type": "1"},
    ("GET", "/ipl/convert.json"): {"ip": "192.0.2.1", "type": "41", "type_to": "43"},
    ("GET", "/ipl/remove.json"): {"ip": "192.0.2.1", "type": "16"},
    ("GET", "/ipl/update.json"): {"ip": "192.0.2.1", "els_allowed": "true"},
    ("GET", "/kcare/key/create.json"): {"limit": "2", "note": "Key description"},
    ("GET", "/kcare/key/delete.json"): {"key": "K1"},
    ("GET", "/kcare/key/set_cidr.json"): {"key": "K1", "cidr": "192.0.2.0/24"},
    ("GET", "/kcare/srv/remove.json"): {"server_id": "k1"},
    ("POST", "/group/create.json"): {"name": "new", "description": "d"},
    ("PUT", "/group/servers/put.json"): {"name": "G", "server_ids": "k2"},
    ("DELETE", "/group/servers/remove.json"): {"name": "G", "server_ids": "k1,i1"},
    ("POST", "/v2/cl/keys"): {"productType": "CL", "limit": "2", "note": "web farm"},
    ("PATCH", "/v2/cl/keys"): {"key": "CLN-1", "limit": "3"},
    ("DELETE", "/v2/cl/keys"): {"key": "CLN-1"},
    ("DELETE", "/v2/cl/servers"): {"id": "40211"},
}


def populate_account(account: Account) -> None:
    """Add two keys of each product with servers, IP licenses, and a group."""
    first = account.add_kernelcare_key("K1")
    group = account.add_group("G", "description")
    group.add_server(first.add_server("k1"))
    first.add_server("k2")
    imunify = account.add_imunify_key("IM1", code="360_30")
    group.add_server(imunify.add_server("i1"))
    account.add_imunify_key("IM2", code="360_1")
    account.add_els_key("CELS-1", code="CELS").add_server("12345")
    account.add_cloudlinux_key("CLN-1", note="web farm").add_server("40211")
    account.add_ip_license("192.0.2.1", 16)
    account.add_ip_license("192.0.2.1", 41)
