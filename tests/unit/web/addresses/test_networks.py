"""Which addresses are public and which are never called, by IANA's registries, also for IPv4 embedded in IPv6."""

import ipaddress
import socket

import pytest

from shared.web.addresses.guard import (
    NOT_PUBLIC,
    OF_THE_PLATFORM,
    ForbiddenAddressError,
    guarded_socket_factory,
)
from shared.web.addresses.networks import is_public

# the IANA registries of special-purpose addresses: the first and last address of what is not globally reachable
SPECIAL = [
    ("0.0.0.0", "0.255.255.255"),
    ("10.0.0.0", "10.255.255.255"),
    ("100.64.0.0", "100.127.255.255"),
    ("127.0.0.0", "127.255.255.255"),
    ("169.254.0.0", "169.254.255.255"),
    ("172.16.0.0", "172.31.255.255"),
    ("192.0.0.0", "192.0.0.8"),
    ("192.0.0.11", "192.0.0.255"),
    ("192.0.2.0", "192.0.2.255"),
    ("192.88.99.0", "192.88.99.255"),
    ("192.168.0.0", "192.168.255.255"),
    ("198.18.0.0", "198.19.255.255"),
    ("198.51.100.0", "198.51.100.255"),
    ("203.0.113.0", "203.0.113.255"),
    ("224.0.0.0", "239.255.255.255"),
    ("240.0.0.0", "255.255.255.255"),
    ("::", "::1"),
    ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff"),
    ("100::", "100::ffff:ffff:ffff:ffff"),
    ("100:0:0:1::", "100:0:0:1:ffff:ffff:ffff:ffff"),
    ("2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff"),
    ("2001:10::", "2001:1f:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
]
BESIDE = [
    "1.0.0.0",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "169.253.255.255",
    "192.0.0.9",
    "192.88.98.255",
    "192.88.100.0",
    "2001:4:112::1",
    "2001:20::1",
    "2001:30::1",
    "2001:200::1",
    "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
    "2620:4f:8000::1",
    "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "2606:4700:4700::1111",
]
METADATA = ["169.254.169.254", "169.254.170.2", "168.63.129.16", "100.100.100.200", "192.0.0.192"]
OWN = ["169.254.0.23", "fe80::1", "fd00:ec2::254", "fd20:ce::254", "fd00:c1::a9fe:a9fe", "fd00:42::42"]


def ways_to_carry(address: str) -> list[str]:
    """Returns the IPv6 addresses that embed an IPv4 address: all standard forms, and some with a network's prefix."""
    number = int(ipaddress.IPv4Address(address))
    high, low = number >> 16, number & 0xFFFF
    local = 0x0064_FF9B_0001 << 80
    middle = [
        local | (high << 64) | (low << 40),
        local | (number >> 24 << 64) | ((number & 0xFFFFFF) << 32),
        local | (number << 24),
    ]
    return [
        f"::{high:x}:{low:x}",
        f"::ffff:{high:x}:{low:x}",
        f"::ffff:0:{high:x}:{low:x}",
        f"64:ff9b::{high:x}:{low:x}",
        f"64:ff9b:1::{high:x}:{low:x}",
        f"64:ff9b:1:ffff::{high:x}:{low:x}",
        *(str(ipaddress.IPv6Address(found)) for found in middle),
        f"2002:{high:x}:{low:x}::1",
        f"2001:0:{high:x}:{low:x}:0:1234:f7f7:f7f7",
        f"2001:0:808:808:0:1234:{high ^ 0xFFFF:x}:{low ^ 0xFFFF:x}",
        f"fe80::5efe:{high:x}:{low:x}",
        f"fd12:3456::5efe:{high:x}:{low:x}",
        f"2606:4700::200:5efe:{high:x}:{low:x}",
        f"fd12:3456:0:0:0:0:{high:x}:{low:x}",
    ]


def refusal(address: str, *, allow_private: bool) -> str | None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    where = (family, socket.SOCK_STREAM, 6, "", (address, 80))
    try:
        guarded_socket_factory(allow_private=allow_private)(where).close()
    except ForbiddenAddressError as error:
        return error.strerror
    return None


@pytest.mark.parametrize(("first", "last"), SPECIAL)
def test_no_address_of_a_special_network_is_public(first, last):
    numbers = [int(ipaddress.ip_address(address)) for address in (first, last)]
    middle = type(ipaddress.ip_address(first))(sum(numbers) // 2)
    for address in (ipaddress.ip_address(first), middle, ipaddress.ip_address(last)):
        assert not is_public(address), address


@pytest.mark.parametrize("address", BESIDE)
def test_addresses_next_to_special_networks_and_exceptions_inside_are_public(address):
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", [*METADATA, *OWN])
def test_metadata_services_of_clouds_are_never_called_and_the_error_names_no_setting(address):
    for allow_private in (False, True):
        assert refusal(address, allow_private=allow_private) == OF_THE_PLATFORM
    assert "CRAWL_" not in OF_THE_PLATFORM


@pytest.mark.parametrize("address", METADATA)
def test_a_metadata_address_embedded_in_ipv6_is_never_called(address):
    for spelling in ways_to_carry(address):
        assert refusal(spelling, allow_private=True) == OF_THE_PLATFORM, spelling
        assert refusal(spelling, allow_private=False) == OF_THE_PLATFORM, spelling


@pytest.mark.parametrize("address", ["10.0.0.1", "127.0.0.1", "192.168.1.1", "100.64.0.1"])
def test_a_private_address_embedded_in_ipv6_is_not_public(address):
    for spelling in [address, *ways_to_carry(address)]:
        assert not is_public(ipaddress.ip_address(spelling)), spelling


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.2.3", "100.64.0.1", "::1", "fd12::1", "64:ff9b::a00:1"]
)
def test_the_refusal_of_a_private_address_names_the_setting_that_allows_it(address):
    assert refusal(address, allow_private=False) == NOT_PUBLIC
    assert "CRAWL_ALLOW_PRIVATE_NETWORKS" in NOT_PUBLIC
    assert refusal(address, allow_private=True) is None
