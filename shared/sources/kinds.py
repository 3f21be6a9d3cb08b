"""Lists the kinds of sources. A new kind is a module and a line here, or an entry point of another package."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol, get_args

from shared.clock import Clock
from shared.sources.lists.config import UrlsConfig
from shared.sources.lists.urls import Urls, most_rows
from shared.sources.search import brave, flickr, pexels, pixabay, wikimedia
from shared.sources.search.brave import BRAVE, Brave, BraveConfig
from shared.sources.search.flickr import FLICKR, Flickr, FlickrConfig
from shared.sources.search.json_api import ApiAccess
from shared.sources.search.openverse import Openverse, OpenverseAccess, OpenverseConfig
from shared.sources.search.pexels import PEXELS, Pexels, PexelsConfig
from shared.sources.search.pixabay import PIXABAY, Pixabay, PixabayConfig
from shared.sources.search.wikimedia import WIKIMEDIA, Wikimedia, WikimediaConfig
from shared.sources.source import Source, SourceConfig, SourceKind
from shared.sources.stored.blobs import Blobs, BlobsConfig
from shared.sources.stored.datasets import DatasetConfig, Datasets
from shared.sources.website.config import WebsiteConfig
from shared.sources.website.source import Website
from shared.web.http.client import WebClient

_GROUP = "pixcrawler_sources"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """The services' addresses and keys, from the app's settings."""

    openverse: OpenverseAccess = field(default_factory=OpenverseAccess)
    wikimedia: ApiAccess = WIKIMEDIA
    flickr: ApiAccess = FLICKR
    pexels: ApiAccess = PEXELS
    pixabay: ApiAccess = PIXABAY
    brave: ApiAccess = BRAVE


def known_kinds(settings: SourceSettings) -> Mapping[str, SourceKind]:
    """Returns the app's own kinds, and those that installed packages declare as entry points.

    The kinds of other packages cannot replace the app's own.
    """
    return {**dict(_announced()), **_ours(settings)}


def _ours(settings: SourceSettings) -> Mapping[str, SourceKind]:
    pixabay_access = settings.pixabay
    return {
        "openverse": _service(OpenverseConfig, Openverse, settings.openverse, settings.openverse.max_results),
        "wikimedia": _service(WikimediaConfig, Wikimedia, settings.wikimedia, wikimedia.MAX_RESULTS),
        "flickr": _service(FlickrConfig, Flickr, settings.flickr, flickr.MAX_RESULTS),
        "pexels": _service(PexelsConfig, Pexels, settings.pexels, pexels.MAX_RESULTS),
        "pixabay": SourceKind(
            PixabayConfig,
            lambda config, context: Pixabay(
                config, pixabay_access, context.web, context.clock, context.blobs
            ),
            lambda: pixabay_access.missing,
            most=lambda _: pixabay.MAX_RESULTS,
        ),
        "brave": _service(BraveConfig, Brave, settings.brave, brave.MAX_RESULTS),
        "urls": SourceKind(UrlsConfig, lambda config, context: Urls(config, context.blobs), most=most_rows),
        "website": SourceKind(WebsiteConfig, Website),
        "dataset": SourceKind(DatasetConfig, lambda config, context: Datasets(config, context.blobs)),
        "blobs": SourceKind(
            BlobsConfig, lambda config, _: Blobs(config), internal=True, most=lambda config: len(config.items)
        ),
    }


class _Access(Protocol):
    @property
    def missing(self) -> str | None: ...


def _service[C: SourceConfig, A: _Access](
    config: type[C], make: Callable[[C, A, WebClient, Clock], Source], access: A, max_results: int
) -> SourceKind:
    """Makes the kind of a source that calls a service, with the access from the settings.

    A search has at most `max_results`.
    """
    return SourceKind(
        config,
        lambda config, context: make(config, access, context.web, context.clock),
        lambda: access.missing,
        most=lambda _: max_results,
    )


def _announced() -> Iterator[tuple[str, SourceKind]]:
    """Yields the kinds of other packages. A kind that cannot be used is logged and left out, whatever the error."""
    for entry in entry_points(group=_GROUP):
        try:
            yield entry.name, _loaded(entry)
        except Exception:  # noqa: BLE001 - other people's code runs here
            _log.warning("The source %s (%s) cannot be used.", entry.name, entry.value, exc_info=True)


def _loaded(entry: EntryPoint) -> SourceKind:
    kind = entry.load()
    if not isinstance(kind, SourceKind):
        raise TypeError("it is no SourceKind")
    if get_args(kind.config.model_fields["type"].annotation) != (entry.name,):
        raise ValueError("its configuration has another type")
    # the description of the API has the schemas of all configurations
    kind.config.model_json_schema()
    return kind
