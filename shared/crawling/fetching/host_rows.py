"""Divides the requests that a host gets at a time among the processes of the app.

Each host that several processes may ask has a row:

    table hosts   partition {shard}   {host}   claims       for each process: its places, how many it wants, and until
                                                            when they are its own
                                               rest_until   until when the host rests (Retry-After)
                                               next_at      before when a host with a Crawl-delay gets no request

Times are in seconds since 1970. A place is one request at a time. A process renews its claim while it uses the host.
The claim of a process that died ends by itself. The clocks of processes may differ by a few seconds (see `Terms`).
"""

import json
import zlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final, Self

from pydantic import TypeAdapter

from shared.clock import Clock, Deadline
from shared.errors import Changed
from shared.storage.compare_and_swap import compare_and_swap
from shared.storage.entities import Change, Delete, Entity, EntityStore, Insert, Replace, Value
from shared.storage.gathered_changes import GatheredChanges

TABLE: Final = "hosts"
_MOST_CLAIMS = 100
# few, so that claims on many hosts are sent by few calls; a partition takes 2,000 changes a second
_SHARDS = 4
# how long a change waits for those of other hosts; a new claim keeps downloads waiting
_GATHER_NEW_SECONDS = 0.02
_GATHER_SECONDS = 0.1
_claims = TypeAdapter(dict[str, tuple[int, int, float]])


@dataclass(frozen=True, slots=True)
class Claim:
    """The places that a process has until a moment, and how many it wants."""

    places: int
    wanted: int
    until: float


@dataclass(frozen=True, slots=True)
class Terms:
    """How long a claim lasts in the row, in seconds. Its process uses it for `margin` less, as clocks differ.

    If there are fewer places than processes, other processes have them after each `turn`.
    """

    claim: float = 30.0
    margin: float = 5.0
    turn: float = 30.0


@dataclass(frozen=True, slots=True)
class Need:
    """What a process needs of a host.

    It wants `wanted` places, and must keep those that it `holds`, because requests are under way in them. All processes
    together get `limit` places. The host gets no request before `next_at`, and none before `rest_until`. If it asks for
    pauses, they have `delay_seconds`.
    """

    wanted: int
    holds: int
    limit: int
    rest_until: float = 0.0
    next_at: float = 0.0
    delay_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class HostRow:
    """The state of a host. `etag` is empty if the host has no row."""

    claims: Mapping[str, Claim] = field(default_factory=dict)
    rest_until: float = 0.0
    next_at: float = 0.0
    etag: str = ""

    @classmethod
    def of(cls, entity: Entity | None) -> "HostRow":
        """Returns the state in a row, or that of a host without a row.

        A row that cannot be read counts as empty, so the next claim replaces it.
        """
        if entity is None:
            return cls()
        try:
            claims = _claims.validate_json(str(entity.values["claims"]))
            rest_until, next_at = (float(str(entity.values[name])) for name in ("rest_until", "next_at"))
        except (ValueError, KeyError):
            return cls(etag=entity.etag)
        return cls(
            {process: Claim(*claim) for process, claim in claims.items()}, rest_until, next_at, entity.etag
        )

    def entity(self, host: str) -> Entity:
        """Returns the host's row."""
        claims = {
            process: (claim.places, claim.wanted, claim.until) for process, claim in self.claims.items()
        }
        values: dict[str, Value] = {
            "claims": json.dumps(claims),
            "rest_until": self.rest_until,
            "next_at": self.next_at,
        }
        return Entity(shard_of(host), host, values, self.etag)

    def is_over(self, now: float) -> bool:
        """Returns whether the row says nothing that counts now."""
        times = [self.rest_until, self.next_at, *(claim.until for claim in self.claims.values())]
        return max(times) <= now

    def claimed(self, process: str, need: Need, now: float, terms: Terms) -> "HostRow":
        """Returns the row after a process has made or renewed its claim.

        The process gets its fair share as far as it is free, and no less than it holds. If a hundred other processes
        have claims already, it gets none.
        """
        live = {other: claim for other, claim in self.claims.items() if claim.until > now}
        next_at = max(self.next_at, need.next_at)
        if need.delay_seconds and len(live) < len(self.claims):
            # A process died. Its last request was before its claim ended.
            ended = max(claim.until for claim in self.claims.values() if claim.until <= now)
            next_at = max(next_at, ended + need.delay_seconds)
        row = replace(self, claims=live, rest_until=max(self.rest_until, need.rest_until), next_at=next_at)
        if process not in live and len(live) >= _MOST_CLAIMS:
            return row
        free = need.limit - sum(claim.places for other, claim in live.items() if other != process)
        places = max(need.holds, min(row.fair_share(process, need, now, terms), free))
        mine = Claim(places, need.wanted, now + terms.claim)
        return replace(row, claims={**live, process: mine})

    def fair_share(self, process: str, need: Need, now: float, terms: Terms) -> int:
        """Returns how many places the process should have: places are given out one by one until no process wants more.

        Another process is the first after each `turn`, so that each gets a place at some time if there are too few.
        """
        wanted = {other: claim.wanted for other, claim in self.claims.items()} | {process: need.wanted}
        names = list(wanted)
        first = int(now // terms.turn) % len(names)
        order = names[first:] + names[:first]
        shares = dict.fromkeys(order, 0)
        left = min(need.limit, sum(wanted.values()))
        while left > 0:
            for name in order:
                if left > 0 and shares[name] < wanted[name]:
                    shares[name] += 1
                    left -= 1
        return shares[process]

    def released(self, process: str, next_at: float) -> "HostRow":
        """Returns the row without the claim of a process."""
        claims = {other: claim for other, claim in self.claims.items() if other != process}
        return replace(self, claims=claims, next_at=max(self.next_at, next_at))


@dataclass(frozen=True, slots=True)
class HostRows:
    """The rows of all hosts, as a process with this name changes them. Every method may be repeated.

    With `gathered`, claims on several hosts that are made at almost the same time are sent together.
    """

    entities: EntityStore
    clock: Clock
    process: str
    terms: Terms = Terms()
    gathered: GatheredChanges | None = None

    @classmethod
    def gathering(cls, entities: EntityStore, clock: Clock, process: str) -> Self:
        """Returns rows that send the claims on several hosts together."""
        return cls(entities, clock, process, gathered=GatheredChanges(entities))

    async def claim(self, host: str, need: Need, known: HostRow | None) -> HostRow:
        """Makes or renews this process's claim; returns the new row. `known` is the row as it was written last.

        Without `known`, it first tries to create the row. Most hosts have none, so this saves reading it.

        Raises:
            Unavailable: storage did not answer, or other processes change the row all the time.
        """

        async def change(row: HostRow) -> HostRow:
            return await self._write(host, row.claimed(self.process, need, self._now, self.terms))

        return await self._swap(host, change, known or HostRow())

    async def release(self, host: str, next_at: float, known: HostRow | None) -> None:
        """Ends this process's claim, and deletes a row that has become useless.

        Raises:
            Unavailable: storage did not answer, or other processes change the row all the time.
        """

        async def change(row: HostRow) -> HostRow:
            if self.process not in row.claims:
                return row
            left = row.released(self.process, next_at)
            if not left.is_over(self._now):
                return await self._write(host, left)
            await self._apply(left, host, Delete(host, left.etag), _GATHER_SECONDS)
            return HostRow()

        await self._swap(host, change, known)

    async def erase_useless(self, deadline: Deadline) -> bool:
        """Deletes rows that nobody needs because their processes died; returns whether there was time for all.

        Raises:
            Unavailable: storage did not answer.
        """
        for shard in range(_SHARDS):
            async for entity in self.entities.query(TABLE, f"{shard:02}"):
                if deadline.passed:
                    return False
                row = HostRow.of(entity)
                if row.is_over(self._now):
                    # another process may use the host by now
                    with suppress(Changed):
                        await self.entities.apply(TABLE, entity.partition, [Delete(entity.row, row.etag)])
        return True

    async def _swap(
        self, host: str, change: Callable[[HostRow], Awaitable[HostRow]], known: HostRow | None
    ) -> HostRow:
        async def read() -> HostRow:
            return HostRow.of(await self.entities.get(TABLE, shard_of(host), host))

        return await compare_and_swap(read, change, busy=f"The limits of {host} are busy.", known=known)

    async def _write(self, host: str, row: HostRow) -> HostRow:
        entity = row.entity(host)
        if not row.etag:
            return replace(row, etag=await self._apply(row, host, Insert(entity), _GATHER_NEW_SECONDS))
        return replace(row, etag=await self._apply(row, host, Replace(entity), _GATHER_SECONDS))

    async def _apply(self, row: HostRow, host: str, change: Change, gather_seconds: float) -> str:
        """Makes a change that leads to the row; returns the new etag. Others that use the host need not wait for it."""
        if self.gathered is not None and row.claims.keys() <= {self.process}:
            return await self.gathered.apply(TABLE, shard_of(host), change, gather_seconds)
        [etag] = await self.entities.apply(TABLE, shard_of(host), [change])
        return etag

    @property
    def _now(self) -> float:
        return self.clock.now().timestamp()


def shard_of(host: str) -> str:
    """Returns the partition of a host's row. Hosts are spread over four, so that none is busy with all of them."""
    return f"{zlib.crc32(host.encode()) % _SHARDS:02}"
