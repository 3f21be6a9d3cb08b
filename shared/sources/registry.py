"""The sources there are. A new one is a file and a line here, or an entry point of a package of its own."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol, get_args

from pydantic import BaseModel, ValidationInfo, field_validator

from shared.clock import Clock
from shared.errors import FieldError, InvalidRequest
from shared.sources.lists.urls import Urls, UrlsConfig
from shared.sources.search.brave import BRAVE, Brave, BraveConfig
from shared.sources.search.flickr import FLICKR, Flickr, FlickrConfig
from shared.sources.search.json_api import ApiAccess
from shared.sources.search.openverse import Openverse, OpenverseAccess, OpenverseConfig
from shared.sources.search.pexels import PEXELS, Pexels, PexelsConfig
from shared.sources.search.pixabay import PIXABAY, Pixabay, PixabayConfig
from shared.sources.search.wikimedia import WIKIMEDIA, Wikimedia, WikimediaConfig
from shared.sources.source import Source, SourceConfig
from shared.sources.stored.blobs import Blobs, BlobsConfig
from shared.sources.stored.datasets import DatasetConfig, Datasets
from shared.sources.website.config import WebsiteConfig
from shared.sources.website.source import Website
from shared.storage.blobs import BlobStore
from shared.web.http.client import WebClient
from shared.web.wishes.respect import Respect

_GROUP = "pixcrawler.sources"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """Where the services are and the keys for them, out of the app's settings."""

    openverse: OpenverseAccess = field(default_factory=OpenverseAccess)
    wikimedia: ApiAccess = WIKIMEDIA
    flickr: ApiAccess = FLICKR
    pexels: ApiAccess = PEXELS
    pixabay: ApiAccess = PIXABAY
    brave: ApiAccess = BRAVE


@dataclass(frozen=True, slots=True)
class SourceContext:
    """What sources work with. `web` is guarded: no answer can lead it into private networks.

    `respect` and `formats`, those that the job's filters take, are for sources that read pages.
    """

    web: WebClient
    blobs: BlobStore
    settings: SourceSettings
    clock: Clock
    respect: Respect = field(default_factory=Respect)
    formats: Collection[str] = ("jpeg", "png", "webp", "gif")


@dataclass(frozen=True, slots=True)
class SourceKind:
    """One kind of source: its configuration, how to make it, and what of the settings it cannot do without.

    `missing` names the setting that is needed and not there. An `internal` kind is not for callers' specs.
    """

    config: type[SourceConfig]
    make: Callable[[Any, SourceContext], Source]
    missing: Callable[[SourceSettings], str | None] = lambda _: None
    internal: bool = False


class _Access(Protocol):
    @property
    def missing(self) -> str | None: ...


def _service[C: SourceConfig, A: _Access](
    config: type[C], make: Callable[[C, A, WebClient, Clock], Source], access: Callable[[SourceSettings], A]
) -> SourceKind:
    """A source that asks a service, with the access to it that stands in the settings."""
    return SourceKind(
        config,
        lambda config, context: make(config, access(context.settings), context.web, context.clock),
        lambda settings: access(settings).missing,
    )


_KINDS: dict[str, SourceKind] = {
    "openverse": _service(OpenverseConfig, Openverse, lambda settings: settings.openverse),
    "wikimedia": _service(WikimediaConfig, Wikimedia, lambda settings: settings.wikimedia),
    "flickr": _service(FlickrConfig, Flickr, lambda settings: settings.flickr),
    "pexels": _service(PexelsConfig, Pexels, lambda settings: settings.pexels),
    "pixabay": SourceKind(
        PixabayConfig,
        lambda config, context: Pixabay(
            config, context.settings.pixabay, context.web, context.clock, context.blobs
        ),
        lambda settings: settings.pixabay.missing,
    ),
    "brave": _service(BraveConfig, Brave, lambda settings: settings.brave),
    "urls": SourceKind(UrlsConfig, lambda config, context: Urls(config, context.blobs)),
    "website": SourceKind(
        WebsiteConfig,
        lambda config, context: Website(config, context.web, context.respect, context.clock, context.formats),
    ),
    "dataset": SourceKind(DatasetConfig, lambda config, context: Datasets(config, context.blobs)),
    "blobs": SourceKind(BlobsConfig, lambda config, _: Blobs(config), internal=True),
}


def parse_source(raw: Mapping[str, object], *, internal: bool = False) -> SourceConfig:
    """The configuration of a source out of a spec; what is `internal` comes from the app itself.

    Raises:
        ValidationError: there is no such type, or its fields are wrong.
    """
    kinds = {name: kind for name, kind in _all_kinds().items() if internal or not kind.internal}
    name = _Named.model_validate({"type": raw.get("type")}, context={"known": kinds}).type
    return kinds[name].config.model_validate(raw, context={"internal": internal})


class _Named(BaseModel):
    type: Any

    @field_validator("type")
    @classmethod
    def _is_known(cls, name: Any, info: ValidationInfo) -> Any:
        known = (info.context or {})["known"]
        if not isinstance(name, str) or name not in known:
            raise ValueError(f"must be one of: {', '.join(sorted(known))}")
        return name


def check_sources(configs: Sequence[SourceConfig], settings: SourceSettings) -> None:
    """See that the spec's sources can be used as the app is set up.

    Raises:
        InvalidRequest: some lack a setting; each is named with it.
    """
    wrong: list[FieldError] = []
    for number, config in enumerate(configs):
        setting = _all_kinds()[config.type].missing(settings)
        if setting is not None:
            text = f"{config.type} needs the setting {setting}, which is not there"
            wrong.append(FieldError(f"sources.{number}", text))
    if wrong:
        raise InvalidRequest("The app is not set up for the job's sources.", tuple(wrong))


def open_source(config: SourceConfig, context: SourceContext) -> Source:
    """The source of a configuration."""
    return _all_kinds()[config.type].make(config, context)


@cache
def _all_kinds() -> Mapping[str, SourceKind]:
    """Ours, and those that installed packages announce as entry points, which cannot replace ours."""
    return {**dict(_announced()), **_KINDS}


def _announced() -> Iterator[tuple[str, SourceKind]]:
    """The kinds of other packages; one that cannot be used is logged and left out, whatever is wrong with it."""
    for entry in entry_points(group=_GROUP):
        try:
            yield entry.name, _loaded(entry)
        except Exception:  # noqa: BLE001 - other people's code runs here
            _log.warning("The source %s (%s) cannot be used.", entry.name, entry.value, exc_info=True)


def _loaded(entry: EntryPoint) -> SourceKind:
    kind = entry.load()
    if not isinstance(kind, SourceKind):
        raise TypeError("it is no SourceKind")
    if entry.name not in get_args(kind.config.model_fields["type"].annotation):
        raise ValueError("its configuration has another type")
    return kind
