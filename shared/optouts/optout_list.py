"""Stores the opt-outs in the table `optouts`, and tells all processes of the app about changes.

    partition all    {id}     an opt-out
                     {mark}   its place in the list, newest first
    partition ~head  head     the version of the list, which each change replaces

A process reads the version once in a while, and the list only if the version is another one.
"""

import math
from dataclasses import dataclass, field
from datetime import datetime

from shared.clock import Clock
from shared.errors import AlreadyExists, Changed, Conflict, NotFound
from shared.ids import Ids
from shared.optouts.matcher import NO_OPTOUTS, OptOutMatcher
from shared.optouts.optout import OptOut, OptOutKind
from shared.storage.cells import as_datetime
from shared.storage.entities import Delete, Entity, EntityStore, Insert, Put, Value
from shared.storage.newest_first import Listing, Span, mark, newest_first, place_of, unmark

MOST_OPTOUTS = 100_000
_TABLE = "optouts"
_ALL = "all"
_HEAD = "~head"
_MARK = "~"
_FRESH_SECONDS = 30.0


@dataclass(slots=True)
class _Known:
    version: str | None = None
    matcher: OptOutMatcher = NO_OPTOUTS
    until: float = 0.0
    read_at: float = -math.inf


@dataclass(frozen=True, slots=True)
class OptOutList:
    """The opt-outs of the app. Every method may be repeated, and run at the same time."""

    entities: EntityStore
    clock: Clock
    ids: Ids
    _known: _Known = field(default_factory=_Known)

    async def add(self, optout: OptOut) -> OptOut:
        """Adds the opt-out, and returns the one that is stored: an earlier one that names the same stays as it is.

        Raises:
            Conflict: there are too many opt-outs, or the earlier one is about fewer pictures, because its distance is
                smaller.
        """
        stored = await self.get(optout.id)
        if stored is None:
            # a list of some seconds ago is exact enough here, and to read it again for each of many calls takes long
            recent = self.clock.monotonic() - self._known.read_at < _FRESH_SECONDS
            matcher = self._known.matcher if recent else await self.fresh()
            counts = (matcher.urls, matcher.hosts, matcher.sha256, matcher.perceptual_hashes)
            if sum(map(len, counts)) >= MOST_OPTOUTS:
                raise Conflict(f"There are {MOST_OPTOUTS:,} opt-outs already; opt out whole hosts instead.")
            values: dict[str, Value] = {
                "kind": str(optout.kind),
                "value": optout.value,
                "distance": optout.distance,
                "created_at": optout.created_at,
                "created_by": optout.created_by,
            }
            listed = mark(_ALL, place_of(optout.id, optout.created_at))
            try:
                await self.entities.apply(_TABLE, _ALL, [Insert(Entity(_ALL, optout.id, values)), listed])
            except AlreadyExists:
                # another call has added it at the same time
                stored = await self.get(optout.id)
        # also for one that is stored: the call that added it may have died before this
        await self._announce()
        if stored is not None and stored.distance < optout.distance:
            raise Conflict(
                f"There is an opt-out of this hash with the distance {stored.distance}; remove {stored.id} first."
            )
        return stored or optout

    async def remove(self, optout_id: str) -> OptOut:
        """Removes the opt-out, and returns what it was. Images that were left out do not come back by themselves.

        Raises:
            NotFound: there is no such opt-out.
        """
        try:
            optout = await self.require(optout_id)
            place = place_of(optout.id, optout.created_at)
            await self.entities.apply(_TABLE, _ALL, [Delete(optout.id), unmark(place)])
        except Changed:
            raise _unknown(optout_id) from None
        finally:
            # also if there is none: the call that removed it may have died before this
            await self._announce()
        return optout

    async def get(self, optout_id: str) -> OptOut | None:
        """Returns the opt-out, or None if there is none with this id."""
        entity = await self.entities.get(_TABLE, _ALL, optout_id)
        return _optout(entity) if entity is not None else None

    async def require(self, optout_id: str) -> OptOut:
        """Returns the opt-out.

        Raises:
            NotFound: there is none with this id.
        """
        optout = await self.get(optout_id)
        if optout is None:
            raise _unknown(optout_id)
        return optout

    async def page(self, after: str, size: int) -> Listing[OptOut]:
        """Returns up to `size` opt-outs after the place `after`, newest first."""
        return await newest_first(self.entities, _TABLE, _ALL, _optout, Span(after, size=size))

    async def current(self) -> OptOutMatcher:
        """Returns the matcher of the opt-outs, as they were at most half a minute ago.

        Raises:
            Unavailable: storage did not answer.
        """
        if self.clock.monotonic() < self._known.until:
            return self._known.matcher
        return await self.fresh()

    async def fresh(self) -> OptOutMatcher:
        """Returns the matcher of the opt-outs as they are now.

        Raises:
            Unavailable: storage did not answer.
        """
        begun = self.clock.monotonic()
        head = await self.entities.get(_TABLE, _HEAD, "head")
        version = str(head.values["version"]) if head is not None else ""
        if version != self._known.version:
            found = [_optout(entity) async for entity in self.entities.query(_TABLE, _ALL, before=_MARK)]
            # the version was read before the list, so a change in between is read again
            self._known.version, self._known.matcher = version, OptOutMatcher.of(found)
        self._known.read_at, self._known.until = begun, begun + _FRESH_SECONDS
        return self._known.matcher

    async def _announce(self) -> None:
        await self.entities.apply(_TABLE, _HEAD, [Put(Entity(_HEAD, "head", {"version": self.ids.nonce()}))])
        self._known.until = 0.0


def new_optout(kind: OptOutKind, value: str, distance: int, made: tuple[datetime, str]) -> OptOut:
    """Returns an opt-out of a value in normal form. `made` says when, and the id of the user who made it."""
    moment, user_id = made
    return OptOut(kind, value, distance if kind is OptOutKind.PERCEPTUAL_HASH else 0, moment, user_id)


def _optout(entity: Entity) -> OptOut:
    values = entity.values
    return OptOut(
        OptOutKind(str(values["kind"])),
        str(values["value"]),
        int(str(values["distance"])),
        as_datetime(values["created_at"]),
        str(values["created_by"]),
    )


def _unknown(optout_id: str) -> NotFound:
    return NotFound(f"There is no opt-out {optout_id}.")
