import ipaddress
import socket

import pytest

from shared.errors import InvalidRequest
from shared.web.guard import ForbiddenAddressError, guarded_socket_factory, is_public
from shared.web.urls import address_key, parse_url

FORBIDDEN = [
    "127.0.0.1",
    "127.8.9.1",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "168.63.129.16",
    "224.0.0.1",
    "255.255.255.255",
    "240.0.0.1",
    "192.0.2.1",
    "::",
    "::1",
    "fe80::1",
    "fc00::1",
    "ff02::1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2001:db8::1",
    "::7f00:1",
]
PUBLIC = ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "64:ff9b::101:101", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("address", FORBIDDEN)
def test_addresses_that_are_not_public_get_no_socket(address):
    assert not is_public(ipaddress.ip_address(address))
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with pytest.raises(ForbiddenAddressError):
        guarded_socket_factory(allow_private=False)((family, socket.SOCK_STREAM, 6, "", (address, 80)))


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_public(address):
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "ftp://a/b",
        "file:///etc/passwd",
        "http://",
        "http:///x",
        "http://u:p@a/",
        "http://a/\r\nX: y",
        "javascript:alert(1)",
        "http://[::1",
        "http://a:99999/",
        "http://" + "a" * 9000,
    ],
)
def test_what_is_no_fetchable_url_is_refused(text):
    with pytest.raises(InvalidRequest):
        parse_url(text)
    assert address_key(text) == text


def test_spellings_of_one_address_have_one_key():
    same = {
        address_key(u)
        for u in ("http://Example.com/a#x", "http://example.com:80/a", " http://EXAMPLE.com/a ")
    }
    assert same == {"http://example.com/a"}
    assert address_key("http://bücher.example/ü") == "http://xn--bcher-kva.example/%C3%BC"
    assert address_key("http://a/x?n=1") != address_key("http://a/x?n=2")
