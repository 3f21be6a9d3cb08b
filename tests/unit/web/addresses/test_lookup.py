"""The check of a host when a URL comes in, before it is ever called."""

import asyncio
import socket
import threading

import pytest

from shared.web.addresses import lookup
from shared.web.addresses.guard import NOT_PUBLIC, OF_THE_PLATFORM
from shared.web.addresses.lookup import HostLookup

PUBLIC = "93.184.215.14"


def looking(*addresses, allow_private=False):
    async def resolve(host):
        assert host == "hooks.example"
        return addresses

    return HostLookup(allow_private=allow_private, resolve=resolve)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "10.0.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "0.0.0.0",
        "[::1]",
        "[fc00::1]",
        "[::ffff:10.0.0.1]",
    ],
)
async def test_a_private_address_in_the_url_is_refused_without_a_look_up(host):
    assert await looking().why_refused(f"https://{host}/hook") == NOT_PUBLIC
    assert await looking(allow_private=True).why_refused(f"https://{host}/hook") is None


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "168.63.129.16", "[fe80::1]", "[::ffff:169.254.169.254]"]
)
async def test_an_address_of_the_platform_is_always_refused(host):
    for allow_private in (False, True):
        checked = looking(allow_private=allow_private)
        assert await checked.why_refused(f"http://{host}/latest/meta-data") == OF_THE_PLATFORM


async def test_a_public_address_is_accepted():
    assert await looking().why_refused(f"https://{PUBLIC}/hook") is None
    assert await looking(PUBLIC).why_refused("https://hooks.example/hook") is None


@pytest.mark.parametrize(
    ("addresses", "why"),
    [
        (("10.0.0.1",), NOT_PUBLIC),
        ((PUBLIC, "10.0.0.1"), NOT_PUBLIC),
        (("::1", PUBLIC), NOT_PUBLIC),
        (("fe80::1%eth0",), OF_THE_PLATFORM),
        ((PUBLIC, "169.254.169.254"), OF_THE_PLATFORM),
    ],
)
async def test_a_name_is_refused_if_one_of_its_addresses_is(addresses, why):
    assert await looking(*addresses).why_refused("https://hooks.example/hook") == why


@pytest.mark.parametrize("error", [socket.gaierror("unknown"), OSError("no network"), UnicodeError("label")])
async def test_a_name_that_cannot_be_looked_up_is_accepted(error):
    async def resolve(_host):
        raise error

    checked = HostLookup(allow_private=False, resolve=resolve)
    assert await checked.why_refused("https://hooks.example/hook") is None


async def test_a_look_up_that_takes_too_long_is_given_up(monkeypatch):
    monkeypatch.setattr(lookup, "_TIMEOUT_SECONDS", 0.01)

    async def resolve(_host):
        await asyncio.Event().wait()
        return []

    checked = HostLookup(allow_private=False, resolve=resolve)
    assert await checked.why_refused("https://hooks.example/hook") is None


async def test_name_servers_that_hang_keep_no_other_thread_busy(monkeypatch):
    released = threading.Event()
    monkeypatch.setattr(lookup, "_TIMEOUT_SECONDS", 0.05)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: released.wait())
    checked = HostLookup(allow_private=False)
    urls = [f"https://{number}.example/hook" for number in range(40)]
    try:
        assert await asyncio.gather(*map(checked.why_refused, urls)) == [None] * 40
        assert await asyncio.wait_for(asyncio.to_thread(lambda: 1), 20) == 1
    finally:
        released.set()


async def test_the_resolver_of_the_machine_knows_loopback(monkeypatch):
    monkeypatch.setattr(lookup, "_TIMEOUT_SECONDS", 60.0)
    assert await HostLookup(allow_private=False).why_refused("http://localhost/hook") == NOT_PUBLIC
    assert await HostLookup(allow_private=True).why_refused("http://localhost/hook") is None


@pytest.mark.parametrize("url", ["ftp://hooks.example/", "https://user:x@hooks.example/", "no URL"])
async def test_what_is_no_url_that_can_be_called_is_refused(url):
    assert await looking().why_refused(url) is not None
