"""The service is told how fast a blob should leave the Archive tier, and says while it is on its way."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from shared.errors import Conflict
from shared.storage.azure.account import StorageAccount
from shared.storage.azure.blobs import AzureBlobs
from shared.storage.blobs import Priority, Tier

_PENDING = "rehydrate-pending-to-cool"
_LIST = f"""<?xml version="1.0" encoding="utf-8"?>
<EnumerationResults ServiceEndpoint="http://127.0.0.1/" ContainerName="c"><Blobs><Blob><Name>a</Name><Properties>
<Creation-Time>Thu, 01 Jan 2026 00:00:00 GMT</Creation-Time><Last-Modified>Thu, 01 Jan 2026 00:00:00 GMT</Last-Modified>
<Etag>0x1</Etag><Content-Length>1</Content-Length><BlobType>BlockBlob</BlobType><AccessTier>Archive</AccessTier>
<ArchiveStatus>{_PENDING}</ArchiveStatus><RehydratePriority>High</RehydratePriority></Properties></Blob></Blobs>
<NextMarker /></EnumerationResults>"""


@dataclass(slots=True)
class Service:
    """A blob service whose blob `a` is being rehydrated to the Cool tier. It records the headers of changes."""

    changes: list[tuple[str | None, str | None]] = field(default_factory=list)
    refuses: bool = False

    async def answer(self, request: web.Request) -> web.Response:
        if request.method == "PUT":
            sent = request.headers
            self.changes.append((sent.get("x-ms-access-tier"), sent.get("x-ms-rehydrate-priority")))
            if self.refuses:
                return web.Response(status=409, headers={"x-ms-error-code": "BlobBeingRehydrated"})
            return web.Response(status=202)
        if request.method == "GET":
            return web.Response(text=_LIST, content_type="application/xml")
        headers = {
            "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT",
            "x-ms-creation-time": "Thu, 01 Jan 2026 00:00:00 GMT",
            "ETag": "0x1",
            "x-ms-blob-type": "BlockBlob",
            "x-ms-access-tier": "Archive",
            "x-ms-archive-status": _PENDING,
            "x-ms-rehydrate-priority": "High",
        }
        return web.Response(headers=headers, body=b"x")


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
async def blobs(service: Service) -> AsyncIterator[AzureBlobs]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", service.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    [(_, port)] = runner.addresses
    connection = (
        f"DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;BlobEndpoint=http://127.0.0.1:{port}/a"
    )
    store = AzureBlobs(StorageAccount(connection), "c")
    yield store
    await store.close()
    await runner.cleanup()


async def test_the_priority_is_sent_with_the_tier(blobs: AzureBlobs, service: Service) -> None:
    await blobs.set_tier("a", Tier.HOT, priority=Priority.HIGH)
    await blobs.set_tier("a", Tier.COLD)
    assert service.changes == [("Hot", "High"), ("Cold", "Standard")]


async def test_a_blob_on_its_way_says_where_it_goes_and_how_fast(blobs: AzureBlobs) -> None:
    info = await blobs.info("a")
    assert info is not None
    assert (info.tier, info.rehydrating_to, info.priority) == (Tier.ARCHIVE, Tier.COOL, Priority.HIGH)
    [listed] = [info async for info in blobs.list("")]
    assert (listed.tier, listed.rehydrating_to, listed.priority) == (Tier.ARCHIVE, Tier.COOL, Priority.HIGH)


async def test_a_blob_on_its_way_to_another_tier_is_a_conflict(blobs: AzureBlobs, service: Service) -> None:
    service.refuses = True
    with pytest.raises(Conflict, match="being rehydrated"):
        await blobs.set_tier("a", Tier.HOT)
