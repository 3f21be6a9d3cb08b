"""Defines the storage account for the domain: blobs, tables and queues."""

from dataclasses import dataclass
from typing import Protocol

from shared.storage.blobs import BlockStore, LinkStore, TierStore
from shared.storage.entities import EntityStore
from shared.storage.queues import QueueSender


class Blobs(BlockStore, TierStore, LinkStore, Protocol):
    """Everything that blob storage can do."""


@dataclass(frozen=True, slots=True)
class Storage:
    """One storage account: its blobs, its tables and its queues."""

    blobs: Blobs
    entities: EntityStore
    queues: QueueSender
