"""Blobs whose links are signed in both ways: with the account's key, and with a user delegation key."""

import ssl
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import aiohttp
import pytest

from playground.azurite import Azurite
from shared.storage.azure.account import StorageAccount
from shared.storage.azure.blobs import AzureBlobs
from tests.contract.links.azurite_with_identities import LoopbackIdentity, SecureAzurite, secure_azurite


@dataclass(frozen=True)
class Linked:
    """A store of blobs, and the way to open its links without any credential. `root` is the URL of the account."""

    blobs: AzureBlobs
    root: str
    container: str
    session: aiohttp.ClientSession
    trust: ssl.SSLContext | None


@pytest.fixture(scope="session")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureAzurite]:
    with secure_azurite(tmp_path_factory.mktemp("secure")) as running:
        yield running


@pytest.fixture
def identity() -> LoopbackIdentity:
    return LoopbackIdentity()


@pytest.fixture(params=["account key", "identity"])
async def linked(request: pytest.FixtureRequest, identity: LoopbackIdentity) -> AsyncIterator[Linked]:
    container = f"t{uuid.uuid4().hex[:16]}"
    trust: ssl.SSLContext | None = None
    if request.param == "identity":
        secure: SecureAzurite = request.getfixturevalue("secure")
        account = StorageAccount(blob_uri=secure.blob_uri, credential=identity)
        blobs = AzureBlobs(account, container, certificates=str(secure.certificate))
        root, trust = secure.blob_uri, secure.trust
    else:
        azurite: Azurite = request.getfixturevalue("azurite")
        blobs = AzureBlobs(StorageAccount(azurite.connection_string), container)
        root = f"http://127.0.0.1:{azurite.ports.blob}/devstoreaccount1"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust or True)) as session:
        yield Linked(blobs, root, container, session, trust)
    await blobs.close()
