"""Accepts requests to move a dataset to another tier. `shared.lifecycle.moves.follow` carries them out.

A request is stored first, and then a message is sent. If the process dies in between, or the message is lost, the same
request again or the nightly run sends another one.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from shared.datasets.catalog import Catalog
from shared.datasets.dataset import Dataset
from shared.datasets.downloads import in_archive_tier
from shared.datasets.files import archived_files, files_that_move, stored_files
from shared.datasets.keeping import Move, Rehydration
from shared.errors import Conflict, NotFound
from shared.lifecycle.messages import TaskSender
from shared.lifecycle.moves.task import first_task
from shared.runtime import Runtime
from shared.storage.blobs import BlobStore, Priority, Tier

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class WantedRehydration:
    """The tier that a dataset should leave the Archive tier for, how fast, and how many days it should stay online."""

    tier: Tier
    priority: Priority
    keep_days: int


class MoveRequests:
    """Accepts requests. Each may be repeated, also at the same time."""

    def __init__(
        self, catalog: Catalog, blobs: BlobStore, sender: TaskSender, runtime: Runtime, *, link_seconds: float
    ) -> None:
        self._catalog = catalog
        self._blobs = blobs
        self._sender = sender
        self._clock = runtime.clock
        self._ids = runtime.ids
        self._links_work_for = timedelta(seconds=link_seconds)

    async def rehydrate(self, user_id: str, dataset_id: str, wanted: WantedRehydration) -> Dataset:
        """Brings a dataset back online, or keeps it online for longer; returns it as it is recorded then.

        If it is on its way already, the higher priority and the longer time count.

        Raises:
            NotFound: this user has no such dataset.
            Conflict: it is on its way to another tier.
        """
        dataset = await self._catalog.require(user_id, dataset_id)
        is_archived = bool(archived_files(await stored_files(self._blobs, dataset)))
        now, chain = self._clock.now(), self._ids.nonce()

        def ask(stored: Dataset) -> Dataset:
            keeping, running = stored.keeping, stored.keeping.rehydration
            _check_no_move(stored)
            if running is not None and running.tier is not wanted.tier:
                raise Conflict(
                    f"The dataset is on its way to the {running.tier.capitalize()} tier; another one can be chosen "
                    "once it is there."
                )
            is_online = not is_archived and stored.tier is not Tier.ARCHIVE
            if is_online and (running is None or running.ready_at is not None):
                until = now + wanted.keep_days * _DAY
                ready = replace(running, chain=chain) if running else None
                until = max(until, keeping.online_until or until)
                return replace(stored, keeping=replace(keeping, online_until=until, rehydration=ready))
            begun = running or Rehydration(wanted.tier, wanted.priority, now, wanted.keep_days)
            rehydration = replace(
                begun,
                priority=Priority.HIGH if wanted.priority is Priority.HIGH else begun.priority,
                keep_days=max(wanted.keep_days, begun.keep_days),
                chain=chain,
            )
            return replace(stored, keeping=replace(keeping, rehydration=rehydration))

        return await self._send(await self._catalog.keep(user_id, dataset_id, ask))

    async def move(
        self, user_id: str, dataset_id: str, tier: Tier, *, even_if_in_use: bool = False
    ) -> Dataset:
        """Moves a dataset to a tier; returns it as it is recorded then. Nothing happens if it is there already.

        Raises:
            NotFound: this user has no such dataset.
            Conflict: it is on its way to another tier, it must be rehydrated, or it should move to the Archive tier
                while links to its files may work or while it was to stay online. `even_if_in_use` allows the latter.
        """
        dataset = await self._catalog.require(user_id, dataset_id)
        files = files_that_move(await stored_files(self._blobs, dataset))
        is_archived, is_there = bool(archived_files(files)), all(info.tier is tier for info in files)
        now, chain = self._clock.now(), self._ids.nonce()

        def ask(stored: Dataset) -> Dataset:
            if stored.keeping.rehydration is not None:
                raise Conflict(
                    "The dataset is on its way out of the Archive tier; it can move once it is online."
                )
            if stored.keeping.move is None or stored.keeping.move.tier is not tier:
                _check_no_move(stored)
            if tier is not Tier.ARCHIVE and (is_archived or stored.tier is Tier.ARCHIVE):
                raise Conflict(in_archive_tier(dataset_id))
            if stored.tier is tier and is_there and stored.keeping.move is None:
                return stored
            keeping = stored.keeping
            if tier is Tier.ARCHIVE:
                if not even_if_in_use:
                    self._check_unused(stored)
                keeping = replace(keeping, online_until=None)
            begun = keeping.move or Move(tier, now)
            return replace(stored, keeping=replace(keeping, move=replace(begun, chain=chain)))

        return await self._send(await self._catalog.keep(user_id, dataset_id, ask))

    async def resume(self, dataset: Dataset) -> bool:
        """Sends the message of a dataset's rehydration or move again, if there is one; returns whether there was.

        It is for the nightly run, in case the message was lost. An earlier message has no effect any more.
        """
        if dataset.keeping.chain is None:
            return False
        chain = self._ids.nonce()

        def renew(stored: Dataset) -> Dataset:
            keeping = stored.keeping
            rehydration = replace(keeping.rehydration, chain=chain) if keeping.rehydration else None
            move = replace(keeping.move, chain=chain) if keeping.move else None
            return replace(stored, keeping=replace(keeping, rehydration=rehydration, move=move))

        try:
            await self._send(await self._catalog.keep(dataset.user_id, dataset.id, renew))
        except NotFound:
            return False
        return True

    async def _send(self, dataset: Dataset) -> Dataset:
        task = first_task(dataset)
        if task is not None:
            await self._sender.send(task)
        return dataset

    def _check_unused(self, dataset: Dataset) -> None:
        now, keeping = self._clock.now(), dataset.keeping
        if keeping.online_until is not None and keeping.online_until > now:
            raise Conflict(
                f"The dataset was to stay online until {keeping.online_until:%Y-%m-%dT%H:%M:%SZ}. "
                "To archive it nevertheless, send even_if_in_use."
            )
        if keeping.last_download_at is None:
            return
        # the time of a download is recorded once a day, so the last links may be a day younger
        work_until = keeping.last_download_at + _DAY + self._links_work_for
        if work_until > now:
            raise Conflict(
                f"Links to the dataset's files may work until {work_until:%Y-%m-%dT%H:%M:%SZ}. "
                "To archive it nevertheless, send even_if_in_use."
            )


def _check_no_move(dataset: Dataset) -> None:
    move = dataset.keeping.move
    if move is not None:
        raise Conflict(
            f"The dataset is on its way to the {move.tier.capitalize()} tier; ask again once it is there."
        )
