"""Limits products and sums of numbers in a spec, where each number is allowed by itself.

All other products are bounded by the limits of the fields and of the spec: 50 keywords per label, 1,000 labels, 100
start addresses per website, 20 earlier datasets, and 4 MB of text in all.
"""

from collections.abc import Mapping, Sequence

from shared.errors import FieldError
from shared.sources.keywords.variations import Variations
from shared.sources.source import SourceConfig
from shared.sources.website.config import WebsiteConfig

MAX_SEARCHES = 20_000
"""Keywords and variations of all labels, times the sources that search. Each search is a stream of discovery."""
MAX_ITEMS = 50_000
"""Items of all lists in a spec. Each takes a kilobyte of memory while the spec is read."""
MAX_PAGES = 50_000
"""Pages of all websites. A website's frontier, which is stored again and again, has an address for each page."""


def too_many_items(data: object) -> FieldError | None:
    """Returns the error if a spec has too many list items, or None. No item is read for it."""
    sources = data.get("sources") if isinstance(data, Mapping) else None
    lists = [
        source["items"]
        for source in (sources if isinstance(sources, list | tuple) else ())
        if isinstance(source, Mapping) and isinstance(source.get("items"), list | tuple)
    ]
    number = sum(len(items) for items in lists)
    if number <= MAX_ITEMS:
        return None
    return FieldError(
        "sources",
        f"must have at most {MAX_ITEMS:,} items in all, not {number:,}; longer lists belong in a blob",
    )


def too_many_searches(
    labels: Mapping[str, Sequence[str]], variations: Variations, sources: Sequence[SourceConfig], words: str
) -> FieldError | None:
    """Returns the error if a spec asks for too many searches, or None. `words` is the field with the keywords."""
    searching = sum(1 for config in sources if config.searches)
    texts = sum(len(keywords) + variations.most(len(keywords)) for keywords in labels.values())
    number = searching * texts
    if number <= MAX_SEARCHES:
        return None
    searches = f"{number:,} ({texts:,} keywords and variations at {searching} sources that search)"
    return FieldError(words, f"must ask for at most {MAX_SEARCHES:,} searches, not {searches}")


def too_many_pages(sources: Sequence[SourceConfig]) -> FieldError | None:
    """Returns the error if the websites of a spec may have too many pages together, or None."""
    number = sum(config.max_pages for config in sources if isinstance(config, WebsiteConfig))
    if number <= MAX_PAGES:
        return None
    return FieldError(
        "sources", f"must ask for at most {MAX_PAGES:,} pages of websites in all (max_pages), not {number:,}"
    )
