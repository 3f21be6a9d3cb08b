"""What a source of candidates is, what it works with, and how the app comes to know it."""

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
    """Whether the source is asked by keyword, so that it is of no use without labels."""

    gives: ClassVar[tuple[str, ...] | None] = None
    """The licences that its candidates can have, where it is known before it is asked."""

    type: str

    def under(self, licenses: Collection[str]) -> Self | None:
        """What to ask where only these licences are wanted: never for more than before; None where for nothing."""
        return self if self.gives is None or not set(licenses).isdisjoint(self.gives) else None


@dataclass(frozen=True, slots=True)
class Query:
    """One stream of candidates that a source can be asked for, such as one keyword of one label.

    `label` is the label that all of its candidates get, or None where the candidates bring their own. `key` tells
    a source's queries apart, and is stable: it is stored together with the cursor.
    """

    key: str
    label: str | None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Some candidates, and the cursor after them: None where the query has no more.

    `problems` are entries that could not become candidates (a line without a URL, a result without a picture),
    each one line for people; they are counted and shown, and stop nothing.
    """

    candidates: tuple[Candidate, ...]
    cursor: str | None
    problems: tuple[str, ...] = ()


class Source(Protocol):
    """Where candidates come from.

    Raises:
        Retryable: the service behind it is down or asks to wait (`RateLimited` says for how long).
        Permanent: it will not work with this configuration; the text says why.
    """

    def queries(self, labels: Mapping[str, Sequence[str]]) -> Sequence[Query]:
        """What to ask for, given the spec's labels and their keywords."""
        ...

    def pages(self, query: Query, cursor: str | None) -> AsyncGenerator[Page]:
        """The query's pages from the beginning, or on from a page's cursor; lazily, in a stable order."""
        ...


@dataclass(frozen=True, slots=True)
class SourceContext:
    """What sources work with. `web` is guarded: no answer can lead it into private networks.

    `wishes` are the process's: what the crawler has fetched of a host's files is not fetched again. `respect` and
    `formats`, those that the job's filters take, are for sources that read pages.
    """

    web: WebClient
    blobs: BlobStore
    clock: Clock
    wishes: HostWishes
    respect: Respect = field(default_factory=Respect)
    formats: Collection[str] = ("jpeg", "png", "webp", "gif")


@dataclass(frozen=True, slots=True)
class SourceKind:
    """One kind of source: its configuration, how to make it, and what of the settings it cannot do without.

    `missing` names the setting that is needed and not there. An `internal` kind is not for callers' specs.
    """

    config: type[SourceConfig]
    make: Callable[[Any, SourceContext], Source]
    missing: Callable[[], str | None] = lambda: None
    internal: bool = False
