import ipaddress
import socket

import aiohttp
import aiohttp.web
import pytest

from shared.errors import Permanent
from shared.web.addresses.guard import (
    NOT_PUBLIC,
    OF_THE_PLATFORM,
    ForbiddenAddressError,
    guarded_socket_factory,
    why_forbidden,
)
from shared.web.addresses.networks import is_public
from shared.web.http.aiohttp_client import AiohttpWebClient
from shared.web.http.client import WebRequest
from shared.web.http.session import SessionConfig, Sessions

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
    "0.1.2.3",
    "100.100.100.200",
    "169.254.0.1",
    "192.0.0.192",
    "198.18.0.1",
    "239.255.255.250",
    "fe80::a9fe:a9fe",
    "fec0::1",
    "fd00:ec2::254",
    "ff05::1",
    "100::1",
    "::ffff:0:7f00:1",
    "::ffff:0.0.0.0",
    "64:ff9b::a00:1",
    "64:ff9b:1::7f00:1",
    "64:ff9b:1::808:808",
    "64:ff9b:1:7f00:0:100:808:808",
    "2002:a9fe:a9fe::1",
    "2002:6440:1::",
    "2001:0:53aa:64c:0:0:80ff:fffe",
    "2001:0:808:808:0:0:f7f7:f7f7",
    "4000::1",
]
PUBLIC = [
    "1.1.1.1",
    "93.184.216.34",
    "2606:4700:4700::1111",
    "64:ff9b::101:101",
    "::ffff:8.8.8.8",
    "2002:808:808::1",
]


@pytest.mark.parametrize("address", FORBIDDEN)
def test_addresses_that_are_not_public_get_no_socket(address):
    assert not is_public(ipaddress.ip_address(address))
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with pytest.raises(ForbiddenAddressError):
        guarded_socket_factory(allow_private=False)((family, socket.SOCK_STREAM, 6, "", (address, 80)))


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_public(address):
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("spelling", ["127.1", "0x7f.1", "0x7f000001", "2130706433", "0177.0.0.1", "0"])
def test_the_guard_checks_the_address_that_an_odd_spelling_resolves_to(spelling):
    """The C library reads these spellings, and the guard checks the address that it returns."""
    make = guarded_socket_factory(allow_private=False)
    for info in socket.getaddrinfo(spelling, 80, type=socket.SOCK_STREAM):
        with pytest.raises(ForbiddenAddressError):
            make(info)


def test_an_address_with_a_zone_is_checked():
    info = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("fe80::1%lo", 80, 0, 1))
    with pytest.raises(ForbiddenAddressError):
        guarded_socket_factory(allow_private=False)(info)


def test_a_setting_allows_private_networks():
    info = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))
    with guarded_socket_factory(allow_private=True)(info) as made:
        assert not made.getblocking()


@pytest.mark.parametrize("why", [NOT_PUBLIC, OF_THE_PLATFORM])
def test_an_error_of_the_guard_is_recognised_inside_other_errors(why):
    wrapped = RuntimeError("connect")
    wrapped.__cause__ = ForbiddenAddressError(why)
    assert why_forbidden(wrapped) == why
    assert why_forbidden(OSError(f"Multiple exceptions: {ForbiddenAddressError(why)}")) == why
    assert why_forbidden(OSError("refused")) is None


class Resolver(aiohttp.abc.AbstractResolver):
    """Answers each query with the next of its answers."""

    def __init__(self, answers):
        self.answers = iter(answers)

    async def resolve(self, host, port=0, family=socket.AF_INET):
        return [
            {"hostname": host, "host": address, "port": port, "family": family, "proto": 0, "flags": 0}
            for address in next(self.answers)
        ]

    async def close(self):
        pass


@pytest.fixture
async def ask_by_name(monkeypatch):
    """Requests by name from a server on 127.0.0.1, which counts as public here. Connections and DNS are not cached."""
    monkeypatch.setattr("shared.web.addresses.guard.is_public", lambda address: str(address) == "127.0.0.1")

    async def serve(_):
        return aiohttp.web.Response(text="here", headers={"Connection": "close"})

    app = aiohttp.web.Application()
    app.router.add_get("/", serve)
    runner = aiohttp.web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    sessions = Sessions(SessionConfig("test"))

    async def ask(answers, times):
        connector = sessions.get().connector
        assert isinstance(connector, aiohttp.TCPConnector)
        connector._resolver, connector._use_dns_cache = Resolver(answers), False
        web = AiohttpWebClient(sessions)
        return [(await web.send(WebRequest(f"http://name.test:{port}/"))).body for _ in range(times)]

    yield ask
    await sessions.close()
    await runner.cleanup()


async def test_a_name_that_changes_to_a_private_address_gets_no_socket_there(ask_by_name):
    with pytest.raises(Permanent, match="not a public one"):
        await ask_by_name([["127.0.0.1"], ["10.0.0.1"]], times=2)


async def test_only_the_public_addresses_of_a_name_are_tried(ask_by_name):
    assert await ask_by_name([["10.0.0.1", "169.254.169.254", "127.0.0.1"]], times=1) == [b"here"]
    with pytest.raises(Permanent, match="never called"):
        await ask_by_name([["10.0.0.1", "169.254.169.254"]], times=1)
