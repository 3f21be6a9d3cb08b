"""Stores lists of URLs for users who have an API key and no access to storage.

A list comes in the body of a call, or its owner stores it with a link that creates one blob. Storage takes any size
over a link, so a list is measured before a spec may use it.
"""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from shared.clock import Deadline
from shared.errors import Conflict, FieldError, InvalidRequest, NotFound, Permanent
from shared.ids import ID_PATTERN
from shared.jobs.spec.spec import JobSpec
from shared.jobs.submission.uploaded_list import (
    COMES_WITHIN,
    MOST_BYTES,
    AddedList,
    ListLimits,
    NewList,
    UploadedList,
    key_of,
    lists_in,
    lists_prefix,
    row_of,
)
from shared.records.blob_names import INPUTS, UPLOADED
from shared.runtime import Runtime
from shared.sources.lists.config import UrlsConfig
from shared.storage.blobs import BlobInfo, Tier
from shared.storage.compare_and_swap import compare_and_swap
from shared.storage.entities import Entity, Insert, Replace
from shared.storage.newest_first import Listing, place_of
from shared.storage.storage import Storage
from shared.telemetry import signals
from shared.users.caller import ADMIN

LINK_SECONDS: Final = 900
"""How long a link to store a list works."""
_TABLE = "lists"
# what a link stores for a list that was deleted is found by the runs of two nights
_SETTLES_WITHIN = timedelta(days=2)
_BLOB = re.compile(rf"{INPUTS}({ID_PATTERN})/{UPLOADED}({ID_PATTERN})\.[a-z.]+")


class UploadedLists:
    """The lists of all users. Every method may be repeated, and called at the same time."""

    def __init__(self, storage: Storage, runtime: Runtime, limits: ListLimits) -> None:
        self._blobs = storage.blobs
        self._entities = storage.entities
        self._clock = runtime.clock
        self._ids = runtime.ids
        self._telemetry = runtime.telemetry
        self._limits = limits

    async def add(self, user_id: str, new: NewList) -> AddedList:
        """Stores a list, or makes a link to store it.

        Raises:
            Conflict: the key was used for another list.
            QuotaExceeded: the user has as many lists, or as many bytes, as allowed.
        """
        digest = await asyncio.to_thread(new.digest)
        key = hashlib.sha256(new.key.encode()).hexdigest() if new.key is not None else ""

        async def change(entity: Entity | None) -> tuple[UploadedList, bool]:
            now = self._clock.now()
            lists = await self._current(user_id, entity)
            again = next((each for each in _without_deleted(lists) if key and each.key == key), None)
            if again is not None:
                if again.content != digest:
                    raise Conflict("The Idempotency-Key was used for another list.")
                return again, True
            size = None if new.data is None else len(new.data)
            self._limits.check_room(lists, size, now)
            made = UploadedList(
                self._ids.job_id(), new.name, new.ending, now, size or 0, key, digest, by_link=size is None
            )
            await self._write(user_id, [*lists, made], entity)
            return made, False

        found, replayed = await self._change(user_id, change)
        blob = found.blob(user_id)
        if new.data is not None:
            if not found.is_stored:
                await self._blobs.put(blob, new.data)
            return AddedList(replace(found, is_stored=True), None, replayed)
        link = None
        if not found.is_stored:
            link = await self._blobs.sign_upload(blob, lifetime_seconds=LINK_SECONDS)
        return AddedList(found, link, replayed)

    async def page(self, user_id: str, after: str = "", size: int = 100) -> Listing[UploadedList]:
        """Returns up to `size` of the user's lists after the place `after`, newest first."""
        lists = _without_deleted(await self._current(user_id, await self._row(user_id)))
        places = sorted((place_of(each.id, each.created_at), each) for each in lists)
        following = [(place, each) for place, each in places if place > after]
        more = following[size - 1][0] if len(following) > size else None
        return Listing([each for _, each in following[:size]], more)

    async def require(self, user_id: str, list_id: str) -> UploadedList:
        """Returns a list.

        Raises:
            NotFound: this user has no such list.
        """
        lists = _without_deleted(await self._current(user_id, await self._row(user_id)))
        found = next((each for each in lists if each.id == list_id), None)
        if found is None:
            raise NotFound(f"There is no list {list_id}.")
        return found

    async def delete(self, user_id: str, list_id: str) -> UploadedList:
        """Deletes a list; returns what it was. What its link stores after that is deleted as soon as it is seen.

        Raises:
            NotFound: this user has no such list.
        """
        found = await self.require(user_id, list_id)
        # the row comes last, so that a call that dies can be repeated
        await self._blobs.delete(found.blob(user_id))
        await self._forget(user_id, list_id)
        return found

    async def check(self, user_id: str, spec: JobSpec) -> None:
        """Checks the uploaded lists that a user's spec names.

        Raises:
            InvalidRequest: a list is not there yet, too large, or in the Archive tier. The error names each source.
        """
        wrong = []
        for number, (name, owner, list_id) in _named_in(spec, user_id):
            known = await self._listed(owner, list_id)
            info = await self._blobs.info(name) if known else None
            if info is None:
                rule = "is not there: it is not uploaded, or deleted"
                wrong.append(FieldError(f"sources.{number}.blob", rule))
            elif info.size_bytes > MOST_BYTES:
                rule = f"has {info.size_bytes:,} bytes; it must have at most {MOST_BYTES:,}"
                wrong.append(FieldError(f"sources.{number}.blob", rule))
            elif info.tier is Tier.ARCHIVE:
                rule = "was uploaded to the Archive tier, where it cannot be read; upload it again to another tier"
                wrong.append(FieldError(f"sources.{number}.blob", rule))
        if wrong:
            raise InvalidRequest("The job's spec names lists that cannot be read.", tuple(wrong))

    async def note_use(self, user_id: str, spec: JobSpec) -> None:
        """Notes that the uploaded lists that a user's spec names are used today."""
        for _, (_, owner, list_id) in _named_in(spec, user_id):
            await self._note_use(owner, list_id)

    async def delete_unused(self, deadline: Deadline) -> int:
        """Deletes lists that no spec has named for long, until the deadline passes; returns how many.

        What no list may be is deleted at once, as by `delete_unwanted`. Damaged data of a user does not stop the rest.
        """
        now, deleted = self._clock.now(), 0
        before = self._unused_before()
        async for info in self._blobs.list(INPUTS):
            if deadline.passed:
                break
            # rows are read for new and old blobs only, so that a run gets through the blobs of many users
            is_settled = before <= info.modified_at < now - _SETTLES_WITHIN
            if not is_settled or info.size_bytes > MOST_BYTES:
                deleted += await self._delete_if_unwanted(info)
        return deleted

    async def delete_unwanted(self, user_id: str) -> None:
        """Deletes what links have stored and no list may be: blobs that are too large, or whose lists are deleted."""
        async for info in self._blobs.list(lists_prefix(user_id)):
            await self._delete_if_unwanted(info)

    async def _delete_if_unwanted(self, info: BlobInfo) -> bool:
        named = _BLOB.fullmatch(info.name)
        if named is None:
            return False
        try:
            found = await self._listed(named[1], named[2])
            last_use = max(found.used_at or found.created_at, info.modified_at) if found else None
            if last_use is not None and last_use >= self._unused_before() and info.size_bytes <= MOST_BYTES:
                return False
            await self._blobs.delete(info.name)
            await self._forget(named[1], named[2])
        except (Permanent, Conflict) as error:
            # such as damaged data, or a blob that the holder of a link still copies
            signals.failure(self._telemetry, error, operation="delete_unused_lists", user_id=named[1])
            return False
        return True

    def _unused_before(self) -> datetime:
        return self._clock.now() - timedelta(days=self._limits.unused_days)

    async def erase(self, user_id: str) -> None:
        """Deletes the row of a user whose blobs are deleted."""
        await self._entities.erase(_TABLE, user_id)

    async def _current(self, user_id: str, entity: Entity | None) -> Sequence[UploadedList]:
        """Returns the lists of a row that are there or may still come, with the sizes of their blobs.

        Lists that were deleted are among them while their links may still be used. Blobs that these have stored are
        deleted, and so are those that are too large.
        """
        lists = lists_in(entity)
        prefix = lists_prefix(user_id)
        blobs = {info.name: info async for info in self._blobs.list(prefix)} if lists else {}
        found = []
        for each in lists:
            info = blobs.get(each.blob(user_id))
            if info is None:
                if self._clock.now() - (each.deleted_at or each.created_at) < COMES_WITHIN:
                    found.append(replace(each, is_stored=False))
            elif each.deleted_at is None and info.size_bytes <= MOST_BYTES:
                found.append(replace(each, is_stored=True, size_bytes=info.size_bytes))
            else:
                await self._blobs.delete(info.name)
                found += await self._forget(user_id, each.id)
        return found

    async def _note_use(self, user_id: str, list_id: str) -> None:
        """Notes the use of a list at most once a day."""
        now = self._clock.now()

        async def note(entity: Entity | None) -> None:
            lists = lists_in(entity)
            changed = [
                replace(each, used_at=now)
                if each.id == list_id and (each.used_at is None or now - each.used_at > timedelta(days=1))
                else each
                for each in lists
            ]
            if tuple(changed) != lists:
                await self._write(user_id, changed, entity)

        await self._change(user_id, note)

    async def _forget(self, user_id: str, list_id: str) -> Sequence[UploadedList]:
        """Takes a list whose blob is deleted out of the row; returns what has to stay of it."""
        now = self._clock.now()

        async def forget(entity: Entity | None) -> Sequence[UploadedList]:
            lists = lists_in(entity)
            rest = [left for each in lists if each.id == list_id for left in each.deleted(now)]
            changed = [*(each for each in lists if each.id != list_id), *rest]
            if set(changed) != set(lists):
                await self._write(user_id, changed, entity)
            return rest

        return await self._change(user_id, forget)

    async def _listed(self, user_id: str, list_id: str) -> UploadedList | None:
        """Returns the list of this id as its row has it, or None if there is none or it is deleted."""
        lists = _without_deleted(lists_in(await self._row(user_id)))
        return next((each for each in lists if each.id == list_id), None)

    async def _row(self, user_id: str) -> Entity | None:
        return await self._entities.get(_TABLE, *key_of(user_id))

    async def _write(self, user_id: str, lists: Sequence[UploadedList], entity: Entity | None) -> None:
        row = row_of(user_id, lists, entity.etag if entity else "")
        await self._entities.apply(_TABLE, user_id, [Replace(row) if entity else Insert(row)])

    async def _change[Result](
        self, user_id: str, change: Callable[[Entity | None], Awaitable[Result]]
    ) -> Result:
        busy = "The row of the user's lists is too busy."
        return await compare_and_swap(lambda: self._row(user_id), change, busy=busy)


def _without_deleted(lists: Sequence[UploadedList]) -> Sequence[UploadedList]:
    """Returns the lists that are not deleted."""
    return [each for each in lists if each.deleted_at is None]


def _named_in(spec: JobSpec, user_id: str) -> Iterator[tuple[int, tuple[str, str, str]]]:
    """Yields the uploaded lists that a user's spec names: the number of the source, and the blob, its owner and its id.

    The administrator may name the lists of all users.
    """
    for number, config in enumerate(spec.sources):
        named = _BLOB.fullmatch(config.blob or "") if isinstance(config, UrlsConfig) else None
        if named is not None and user_id in {named[1], ADMIN}:
            yield number, (named[0], named[1], named[2])
