"""Blobs on Azure Storage."""

import base64
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import cast, override

from azure.storage.blob import (
    BlobBlock,
    BlobProperties,
    ContentSettings,
    RehydratePriority,
    StandardBlobTier,
)
from azure.storage.blob.aio import BlobClient, BlobServiceClient

from shared.clock import Clock, SystemClock
from shared.errors import AlreadyExists, Conflict, NotFound
from shared.storage.azure.account import StorageAccount, creating, translated
from shared.storage.azure.links import AzureLinks
from shared.storage.azure.transport import client_options
from shared.storage.blobs import BlobAttributes, BlobInfo, Link, Priority, Tier
from shared.storage.storage import Blobs

_PIECE_BYTES = 4 << 20
# a request takes the service as long as some megabytes of its body do, so requests should be large
_REQUEST_BYTES = 16 << 20
# a body is received in pieces of this size; with the SDK's default of 4 KiB there are 256 for each MiB
_RECEIVE_BYTES = 256 << 10


class AzureBlobs(Blobs):
    """BlobStore, BlockStore, TierStore and LinkStore over one container, which is created on the first write."""

    def __init__(
        self,
        account: StorageAccount,
        container: str,
        clock: Clock | None = None,
        *,
        certificates: str | None = None,
    ) -> None:
        """Connects at the first call. `certificates` is a file of authorities to trust in place of the system's."""
        options = client_options(
            connection_verify=certificates or True,
            max_single_put_size=64 << 20,
            max_single_get_size=_REQUEST_BYTES,
            max_chunk_get_size=_REQUEST_BYTES,
            connection_data_block_size=_RECEIVE_BYTES,
        )
        if account.connection_string:
            self._service = BlobServiceClient.from_connection_string(account.connection_string, **options)
        else:
            self._service = BlobServiceClient(account.blob_uri or "", account.credential, **options)
        self._container = self._service.get_container_client(container)
        self._links = AzureLinks(self._service, self._container, clock or SystemClock())

    @override
    async def put(
        self, name: str, data: bytes, attributes: BlobAttributes | None = None, *, overwrite: bool = True
    ) -> None:
        wanted = attributes or BlobAttributes()

        async def upload() -> None:
            with translated(f"The blob {name}"):
                await self._blob(name).upload_blob(
                    data,
                    length=len(data),
                    overwrite=overwrite,
                    content_settings=ContentSettings(content_type=wanted.content_type),
                    metadata=dict(wanted.metadata),
                    tags=dict(wanted.tags) or None,
                    standard_blob_tier=_sdk_tier(wanted.tier),
                )

        await creating(upload, self._container.create_container, "The container")

    @override
    async def get(self, name: str, *, offset: int = 0, length: int | None = None) -> bytes:
        answers = [answer async for answer in self._answers(name, offset, length)]
        return answers[0] if len(answers) == 1 else b"".join(answers)

    @override
    async def stream(self, name: str, *, offset: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        async for answer in self._answers(name, offset, length):
            for at in range(0, len(answer), _PIECE_BYTES):
                yield answer[at : at + _PIECE_BYTES]

    @override
    async def info(self, name: str) -> BlobInfo | None:
        try:
            with translated(f"The blob {name}"):
                return _info(await self._blob(name).get_blob_properties())
        except NotFound:
            return None

    @override
    async def list(self, prefix: str) -> AsyncIterator[BlobInfo]:
        try:
            with translated("The container"):
                async for properties in self._container.list_blobs(
                    name_starts_with=prefix, include=["metadata"], results_per_page=1000
                ):
                    yield _info(properties)
        except NotFound:
            return

    @override
    async def delete(self, name: str) -> None:
        try:
            with translated(f"The blob {name}"):
                await self._blob(name).delete_blob(delete_snapshots="include")
        except NotFound:
            return

    @override
    async def stage(self, name: str, number: int, data: bytes | memoryview) -> None:
        async def stage_block() -> None:
            with translated(f"The blob {name}"):
                await self._blob(name).stage_block(_block_id(number), cast("bytes", data), length=len(data))

        await creating(stage_block, self._container.create_container, "The container")

    @override
    async def staged(self, name: str) -> Mapping[int, int]:
        try:
            with translated(f"The blob {name}"):
                _, uncommitted = await self._blob(name).get_block_list("uncommitted")
        except NotFound:
            return {}
        return dict(sorted((_block_number(block.id), block.size) for block in uncommitted))

    @override
    async def commit(self, name: str, numbers: Sequence[int], attributes: BlobAttributes) -> None:
        try:
            with translated(f"The blob {name}"):
                await self._blob(name).commit_block_list(
                    [BlobBlock(block_id=_block_id(number)) for number in numbers],
                    content_settings=ContentSettings(content_type=attributes.content_type),
                    metadata=dict(attributes.metadata),
                    tags=dict(attributes.tags) or None,
                    standard_blob_tier=_sdk_tier(attributes.tier),
                )
        except NotFound:
            raise Conflict(f"No block of the blob {name} is staged.") from None

    @override
    async def set_tier(self, name: str, tier: Tier, *, priority: Priority = Priority.STANDARD) -> None:
        # the service ignores the priority unless the blob is in the Archive tier
        wanted = RehydratePriority.HIGH if priority is Priority.HIGH else RehydratePriority.STANDARD
        with translated(f"The blob {name}"):
            await self._blob(name).set_standard_blob_tier(
                _sdk_tier(tier) or StandardBlobTier.HOT, rehydrate_priority=wanted
            )

    @override
    async def find(self, tags: Mapping[str, str]) -> AsyncIterator[str]:
        wanted = " AND ".join(f"\"{key}\"='{value.replace("'", "''")}'" for key, value in tags.items())
        try:
            with translated("The container"):
                async for found in self._container.find_blobs_by_tags(wanted):
                    yield found["name"]
        except NotFound:
            return

    @override
    async def sign(self, name: str, *, lifetime_seconds: float, filename: str) -> Link:
        """See `LinkStore.sign`. The link is signed with the account's key if there is one, or with a delegation key."""
        return await self._links.reading(name, lifetime_seconds, filename)

    @override
    async def sign_upload(self, name: str, *, lifetime_seconds: float) -> Link:
        """See `LinkStore.sign_upload`."""
        # a link makes no container
        with contextlib.suppress(AlreadyExists), translated("The container"):
            await self._container.create_container()
        return await self._links.creating(name, lifetime_seconds)

    async def ping(self) -> None:
        """Sends the service a small request.

        Raises:
            Unavailable: it does not answer.
        """
        with translated("The blob service"):
            await self._container.exists()

    async def close(self) -> None:
        """Closes the connections."""
        await self._links.close()
        await self._service.close()

    def _blob(self, name: str) -> BlobClient:
        return self._container.get_blob_client(name)

    async def _answers(self, name: str, offset: int, length: int | None) -> AsyncIterator[bytes]:
        """Yields the bytes in one piece per request."""
        if length == 0:
            return
        with translated(f"The blob {name}"):
            try:
                download = await self._blob(name).download_blob(
                    offset=offset if offset or length else None, length=length
                )
            except Exception as error:
                if getattr(error, "status_code", None) == 416:
                    # the range begins after the end of the blob
                    return
                raise
            async for answer in download.chunks():
                yield answer


def _block_id(number: int) -> str:
    """All block ids of a blob must have the same length. The SDK encodes them as base64."""
    return f"{number:020}"


def _block_number(block_id: str) -> int:
    return int(block_id if block_id.isdigit() else base64.b64decode(block_id))


def _sdk_tier(tier: Tier | None) -> StandardBlobTier | None:
    return StandardBlobTier(tier.capitalize()) if tier is not None else None


def _info(properties: BlobProperties) -> BlobInfo:
    status = str(properties.archive_status or "")
    target = status.removeprefix("rehydrate-pending-to-")
    tier = str(properties.blob_tier or "").lower()
    priority = str(properties.rehydrate_priority or "").lower()
    return BlobInfo(
        name=str(properties.name),
        size_bytes=properties.size,
        etag=str(properties.etag),
        created_at=properties.creation_time,
        modified_at=properties.last_modified,
        tier=Tier(tier) if tier in set(Tier) else None,
        rehydrating_to=Tier(target) if target in set(Tier) else None,
        priority=Priority(priority) if priority in set(Priority) else None,
        metadata=dict(properties.metadata or {}),
    )
