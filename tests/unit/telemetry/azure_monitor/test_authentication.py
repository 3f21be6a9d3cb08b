"""Items that are sent with an identity: the token is renewed, and is sent over TLS only."""

import time
from types import SimpleNamespace

import pytest

from tests.unit.crawling.fetching.hostile import server_tls, write_certificate
from tests.unit.telemetry.ingestion import ingestion_server, until, with_headers


class Credential:
    def __init__(self, *lifetimes):
        self.lifetimes = [*lifetimes]
        self.scopes = []
        self.failures = 0

    def get_token(self, scope):
        if self.failures:
            self.failures -= 1
            raise RuntimeError("no identity yet")
        self.scopes.append(scope)
        lifetime = self.lifetimes.pop(0) if self.lifetimes else 3600
        return SimpleNamespace(token=f"t{len(self.scopes)}", expires_on=int(time.time() + lifetime))


@pytest.fixture
async def secure(tmp_path, monkeypatch):
    certificate = write_certificate(tmp_path, "localhost")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    async with ingestion_server(tls=server_tls(certificate)) as server:
        server.url = server.url.replace("127.0.0.1", "localhost")
        yield server


async def test_a_token_is_sent_and_kept_until_it_expires(secure, client):
    credential = Credential(3600)
    telemetry = client(secure.url, make_credential=lambda: credential)
    for number in (1, 2):
        telemetry.event("e", {}, always=True)
        await secure.arrived(number)
    assert credential.scopes == ["https://monitor.azure.com//.default"]
    assert [request["authorization"] for request in secure.requests] == ["Bearer t1", "Bearer t1"]


async def test_a_token_that_expires_soon_or_is_refused_is_renewed(secure, client):
    credential = Credential(60, 3600)
    secure.answers = [200, 401]
    telemetry = client(secure.url, make_credential=lambda: credential)
    telemetry.event("e", {}, always=True)
    await secure.arrived(1)
    telemetry.event("e", {}, always=True)
    await secure.arrived(2)
    assert [request["authorization"] for request in secure.requests] == [
        "Bearer t1",
        "Bearer t2",
        "Bearer t3",
    ]


async def test_an_identity_that_is_not_there_yet_is_tried_again(secure, client):
    credential = Credential()
    credential.failures = 2
    telemetry = client(secure.url, make_credential=lambda: credential)
    telemetry.event("e", {}, always=True)
    await secure.arrived(1)
    assert telemetry.state().dropped == 0


async def test_no_token_goes_over_a_bare_connection(ingestion, secure, client):
    credential = Credential()
    bare = client(ingestion.url, make_credential=lambda: credential)
    bare.event("e", {}, always=True)
    await until(lambda: bare.state().problem is not None)
    assert "https only" in bare.state().problem
    secure.answers = [with_headers(308, Location=ingestion.url)]
    redirected = client(secure.url, make_credential=lambda: credential)
    redirected.event("e", {}, always=True)
    await until(lambda: not redirected.state().backlog)
    assert redirected.state().dropped == 1
    assert not ingestion.requests
