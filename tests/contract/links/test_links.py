"""What links can do: those of the account's key, and those of a user delegation key, on Azurite."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from azure.storage.blob._shared_access_signature import BlobSharedAccessSignature

from playground.azurite import _KEY
from shared.errors import NotConfigured
from shared.settings import Settings
from shared.storage.azure.account import StorageAccount
from shared.storage.azure.blobs import AzureBlobs
from shared.storage.azure.links import account_of
from shared.storage.azure.signature import VERSION, Grant
from shared.wiring import App
from tests.contract.test_blob_stores import AWKWARD
from tests.identity_server import identity_server

DATA = bytes(range(256))


@pytest.mark.parametrize("name", AWKWARD)
async def test_a_link_reads_its_blob_whatever_its_name_is(linked, name):
    await linked.blobs.put(name, DATA)
    link = await linked.blobs.sign(name, lifetime_seconds=60, filename="pets.zip")
    async with linked.session.get(link.url) as answer:
        assert answer.status == 200
        assert await answer.read() == DATA


async def test_a_link_answers_head_and_ranges(linked):
    await linked.blobs.put("a", DATA)
    link = await linked.blobs.sign("a", lifetime_seconds=60, filename="a.zip")
    async with linked.session.head(link.url) as answer:
        assert (answer.status, answer.headers["Content-Length"]) == (200, "256")
    async with linked.session.get(link.url, headers={"Range": "bytes=3-6"}) as answer:
        assert (answer.status, await answer.read()) == (206, DATA[3:7])


async def test_a_browser_saves_the_file_under_a_readable_name(linked):
    await linked.blobs.put("a", DATA)
    link = await linked.blobs.sign("a", lifetime_seconds=60, filename="Katzen & Hünde 日本.zip")
    async with linked.session.get(link.url) as answer:
        assert answer.content_disposition is not None
        assert answer.content_disposition.type == "attachment"
        assert answer.content_disposition.filename == "Katzen & Hünde 日本.zip"


async def test_a_link_of_an_identity_has_no_key_of_the_account(linked, identity):
    await linked.blobs.put("a", DATA)
    link = await linked.blobs.sign("a", lifetime_seconds=60, filename="a.zip")
    query = parse_qs(urlsplit(link.url).query)
    delegated = {"skoid", "sktid", "skt", "ske", "sks", "skv"}
    assert delegated & query.keys() == (delegated if identity.tokens else set())
    assert query["sp"] == ["r"]
    assert query["sr"] == ["b"]
    assert "spr" not in query  # loopback
    started = datetime.fromisoformat(query["st"][0])
    assert timedelta(minutes=14) < datetime.now(UTC) - started < timedelta(minutes=16)
    assert datetime.fromisoformat(query["se"][0]) == link.expires_at


async def test_a_link_of_seven_days_ends_before_its_key(linked):
    await linked.blobs.put("a", DATA)
    link = await linked.blobs.sign("a", lifetime_seconds=604_800, filename="a.zip")
    query = parse_qs(urlsplit(link.url).query)
    assert link.expires_at > datetime.now(UTC) + timedelta(days=6, hours=22)
    if "ske" in query:
        assert query["se"][0] <= query["ske"][0]
    async with linked.session.get(link.url) as answer:
        assert answer.status == 200


async def test_an_upload_link_creates_its_blob_once(linked):
    link = await linked.blobs.sign_upload("inputs/me/list.csv", lifetime_seconds=60)
    kind = {"x-ms-blob-type": "BlockBlob"}
    async with linked.session.put(link.url, data=b"url\n", headers=kind) as answer:
        assert answer.status == 201
    async with linked.session.put(link.url, data=b"other", headers=kind) as answer:
        assert answer.status == 403
    async with linked.session.get(link.url) as answer:
        assert answer.status == 403
    assert await linked.blobs.get("inputs/me/list.csv") == b"url\n"


@pytest.mark.parametrize(
    ("url", "account"),
    [
        ("https://mine.blob.core.windows.net/box/a", "mine"),
        ("https://mine.blob.core.chinacloudapi.cn/box/a", "mine"),
        ("https://mine.z6.blob.storage.azure.net/box/a", "mine"),
        ("http://127.0.0.1:10000/devstoreaccount1/box/a", "devstoreaccount1"),
        ("http://localhost:10000/devstoreaccount1/box/a", "devstoreaccount1"),
    ],
)
def test_a_link_is_signed_for_the_account_in_its_address(url, account):
    assert account_of(url) == account


@pytest.mark.parametrize(
    ("section", "client_id"),
    [
        ({"storage_credential": "managedidentity", "storage_client_id": "mine"}, "mine"),
        ({"storage_client_id": "mine"}, "mine"),
        ({}, "of-the-process"),
    ],
)
async def test_user_assigned_identities_sign_links(monkeypatch, secure, identity, section, client_id):
    """The setting of the connection names the identity, or else AZURE_CLIENT_ID."""
    monkeypatch.delenv("AzureWebJobsStorage", raising=False)
    token = (await identity.get_token("https://storage.azure.com/.default")).token
    uri = dict.fromkeys(("blob_service_uri", "queue_service_uri", "table_service_uri"), secure.blob_uri)
    async with identity_server(monkeypatch, token) as asked:
        app = App(Settings(**uri, **section))
        blobs = AzureBlobs(app.account, "box", certificates=str(secure.certificate))
        await blobs.put("a", DATA)
        link = await blobs.sign("a", lifetime_seconds=60, filename="a.zip")
        await blobs.close()
        await app.credential.close()
    assert set(asked) == {client_id}
    async with (
        aiohttp.ClientSession() as session,
        session.get(link.url, ssl=secure.trust) as answer,
    ):
        assert await answer.read() == DATA


async def test_the_error_names_the_role_that_an_identity_lacks(secure, identity):
    identity.refused = True
    blobs = AzureBlobs(
        StorageAccount(blob_uri=secure.blob_uri, credential=identity),
        "box",
        certificates=str(secure.certificate),
    )
    with pytest.raises(
        NotConfigured, match="needs the role Storage Blob Data Owner or Storage Blob Delegator"
    ):
        await blobs.sign("a", lifetime_seconds=60, filename="a.zip")
    await blobs.close()


def test_off_loopback_the_protocol_is_part_of_the_signature():
    now = datetime(2026, 1, 1, tzinfo=UTC)
    grant = Grant("acc", "box", "a b/ü.zip", "r", now, now, https_only=True, content_disposition="attachment")
    assert "spr=https&" in grant.signed_by_account(_KEY)


def test_the_signature_of_an_account_key_is_that_of_microsofts_library():
    """The library signs in its newest version, unless it is told another one."""
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    theirs = BlobSharedAccessSignature("acc", _KEY)
    theirs.x_ms_version = VERSION
    disposition = "attachment; filename=\"a b.zip\"; filename*=UTF-8''a%20b.zip"
    expected = theirs.generate_blob(
        "box",
        "a b/ü.zip",
        permission="r",
        expiry=end,
        start=start,
        protocol="https",
        content_disposition=disposition,
    )
    ours = Grant("acc", "box", "a b/ü.zip", "r", start, end, https_only=True, content_disposition=disposition)
    assert parse_qs(ours.signed_by_account(_KEY)) == parse_qs(expected)
