"""Defines what a source of candidates is, what it works with, and how the app comes to know it."""

from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, Self

from pydantic import BaseModel, ConfigDict

from shared.clock import Clock
from shared.records.candidates import Candidate
from shared.storage.blobs import BlobStore
from shared.web.http.client import WebClient
from shared.web.wishes.host_wishes import HostWishes
from shared.web.wishes.respect import Respect


class SourceConfig(BaseModel):
    """One entry of the spec's `sources`; each source declares its own subclass with a literal `type`.

    Nothing is converted: true is not a number, "yes" is not a boolean. So a field that takes a JSON list as a tuple has
    to be `Annotated[tuple[str, ...], Strict(False)]`; the items of the list stay strict.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    searches: ClassVar[bool] = False
    """Whether the source searches by keyword and so needs labels."""

    gives: ClassVar[tuple[str, ...] | None] = None
    """The licences that its candidates can have, if they are known before the source is asked."""

    type: str

    def under(self, licenses: Collection[str]) -> Self | None:
        """Returns the configuration for a job that wants only these licences, or None if the source has none of them.

        The result never asks for more than this configuration does.
        """
        return self if self.gives is None or not set(licenses).isdisjoint(self.gives) else None


@dataclass(frozen=True, slots=True)
class Query:
    """One stream of candidates that a source can be asked for, such as one keyword of one label.

    `label` is the label of all its candidates. It is None if the candidates bring their own. `key` is unique among a
    source's queries and stable, because it is stored together with the cursor.
    """

    key: str
    label: str | None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Holds some candidates, and the cursor after them, which is None if the query has no more.

    `problems` are entries that could not become candidates, such as a line without a URL or a result without a
    picture. Each is one line for people. Problems are counted and shown, and do not stop the source.
    """

    candidates: tuple[Candidate, ...]
    cursor: str | None
    problems: tuple[str, ...] = ()


class Source(Protocol):
    """Yields candidates.

    Raises:
        Retryable: the service behind it is down or asks the app to wait (`RateLimited` has the time).
        Permanent: the source cannot work with this configuration. The text says why.
    """

    def queries(self, labels: Mapping[str, Sequence[str]]) -> Sequence[Query]:
        """Returns the queries for the spec's labels and their keywords."""
        ...

    def pages(self, query: Query, cursor: str | None) -> AsyncGenerator[Page]:
        """Yields the query's pages from the beginning, or after a page's cursor.

        It is lazy, and the order is stable.
        """
        ...


@dataclass(frozen=True, slots=True)
class SourceContext:
    """Holds what sources work with. `web` is guarded: no response can lead it into private networks.

    `wishes` are the process's, so a host's file that the crawler has fetched is not fetched again. `respect` and
    `formats` (those that the job's filters accept) are for sources that read pages.
    """

    web: WebClient
    blobs: BlobStore
    clock: Clock
    wishes: HostWishes
    respect: Respect = field(default_factory=Respect)
    formats: Collection[str] = ("jpeg", "png", "webp", "gif")


@dataclass(frozen=True, slots=True)
class SourceKind:
    """One kind of source: its configuration, how to make it, and the setting that it lacks.

    `missing` names a setting that the source needs and the app does not have. `most` is how many candidates one query
    of a configuration gives at most, or None if that is not known. Callers' specs cannot use an `internal` kind.
    """

    config: type[SourceConfig]
    make: Callable[[Any, SourceContext], Source]
    missing: Callable[[], str | None] = lambda: None
    internal: bool = False
    most: Callable[[Any], int | None] = lambda _: None
