import azure.functions as func
import pytest

from functions.http.edge.client_address import client_address, network_of


def address_in(header, hops=1):
    headers = {} if header is None else {"X-Forwarded-For": header}
    request = func.HttpRequest(method="GET", url="http://localhost/", headers=headers, body=b"")
    return client_address(request, hops)


@pytest.mark.parametrize(
    ("header", "address"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:50000", "203.0.113.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]:50000", "2001:db8::1"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_an_address_is_read_in_each_form_that_proxies_write(header, address):
    assert address_in(header) == address


def test_what_a_client_sends_itself_is_not_believed():
    assert address_in("198.51.100.1, 10.0.0.1, 203.0.113.7:443") == "203.0.113.7"
    assert address_in("198.51.100.1, 203.0.113.7, 192.0.2.1", hops=2) == "203.0.113.7"


@pytest.mark.parametrize("header", [None, "", "unknown", "_hidden", "203.0.113", "203.0.113.7, ", "a" * 9999])
def test_an_address_that_cannot_be_read_is_not_known(header):
    assert address_in(header) is None


def test_nothing_is_read_without_a_trusted_proxy_or_with_fewer_entries_than_proxies():
    assert address_in("203.0.113.7", hops=0) is None
    assert address_in("203.0.113.7", hops=2) is None


def test_the_addresses_of_a_customer_of_an_ipv6_provider_are_limited_together():
    assert network_of("2001:db8:1:2:3:4:5:6") == network_of("2001:db8:1:2::1") == "2001:db8:1:2::"
    assert network_of("2001:db8:1:3::1") != network_of("2001:db8:1:2::1")
    assert network_of("203.0.113.7") == "203.0.113.7"
