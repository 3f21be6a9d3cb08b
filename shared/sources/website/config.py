"""Configures the website to crawl."""

from typing import Annotated, Literal

from pydantic import AfterValidator, FailFast, Field, Strict

from shared.errors import InvalidRequest
from shared.sources.source import SourceConfig
from shared.text.labels import UNLABELLED, Label
from shared.web.addresses.urls import parse_url


def _fetchable(url: str) -> str:
    try:
        return str(parse_url(url).with_fragment(None))
    except InvalidRequest as error:
        raise ValueError(error.detail) from None


class WebsiteConfig(SourceConfig):
    """Configures `{"type": "website", "start_urls": ["https://…"], "label": "cat"}`.

    `depth` is the largest number of links from a start page, and `max_pages` the largest number of pages to request.
    `same_site` limits the crawl to the start addresses' hosts and their subdomains ("www." is ignored). `sitemaps`
    reads those that robots.txt names, or /sitemap.xml. Their pages are start pages, and their images are candidates.
    """

    type: Literal["website"] = "website"
    start_urls: Annotated[
        tuple[Annotated[str, Field(max_length=2000), AfterValidator(_fetchable)], ...],
        Strict(False),
        FailFast(),
        Field(min_length=1, max_length=100),
    ]
    label: Label = UNLABELLED
    depth: Annotated[int, Field(ge=0, le=20)] = 2
    max_pages: Annotated[int, Field(ge=1, le=10_000)] = 200
    same_site: bool = True
    sitemaps: bool = False
