"""Product names by code."""

from __future__ import annotations

import pytest

from cln_monitor.cln import CLOUDLINUX_PRODUCTS, ELS_CODES, IMUNIFY_CODES
from cln_monitor.probes import PROBES, PRODUCT_NAMES, product_name, product_title
from cln_monitor.probes.product_names import named_code


@pytest.mark.parametrize(
    ("probe", "code", "name"),
    [
        ("imunify", "360_30", "Imunify360 up to 30 users"),
        ("imunify", "360_UN", "Imunify360 unlimited"),
        ("els", "CELS", "CentOS 6 ELS"),
        ("els", "UELS18_SLA", "Ubuntu 18 ELS with SLA"),
        ("els", "ELS_FOR_CENTOS7", "Extended Support for CentOS 7 Standard"),
        ("cloudlinux", "CLS", "CloudLinux OS Solo"),
        ("awp", "AWP_CDN", "AccelerateWP CDN"),
        ("imunify", "360_9000", "360_9000"),
        ("imunify", "CELS", "CELS"),
        ("kernelcare", "360_30", "360_30"),
        ("els", "", ""),
    ],
)
def test_names(probe: str, code: str, name: str) -> None:
    """A known code is replaced by a name, and an unknown one is unchanged."""
    assert product_name(probe, code) == name


def test_each_documented_code_has_a_name() -> None:
    """Every documented code has a name."""
    assert PRODUCT_NAMES.keys() <= PROBES.keys()
    for probe, codes in (("imunify", IMUNIFY_CODES), ("els", ELS_CODES), ("cloudlinux", CLOUDLINUX_PRODUCTS)):
        assert [code for code in codes if product_name(probe, code) == code] == []


@pytest.mark.parametrize(
    ("probe", "code", "named", "title"),
    [
        ("els", "CELS", "ELS CELS", "CentOS 6 ELS"),
        ("els", "ELS CELS7", "ELS CELS7", "Extended Support for CentOS 7 Standard"),
        ("els", "ELS_FOR_RHEL7", "ELS_FOR_RHEL7", "ELS_FOR_RHEL7"),
        ("els", "UELS20", "ELS UELS20", "ELS UELS20"),
        ("imunify", "360_9000", "Imunify 360_9000", "Imunify 360_9000"),
        ("imunify", "", "Imunify", "Imunify"),
        ("kernelcare", "kc", "kc", "kc"),
    ],
)
def test_codes_with_their_family(probe: str, code: str, named: str, title: str) -> None:
    """A code follows the name of its family, unless it begins with it; a title is a name where there is one."""
    assert (named_code(probe, code), product_title(probe, code)) == (named, title)
