"""Holds what all sources that search by keyword have in common."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence

from shared.records.candidates import Candidate
from shared.sources.source import Page, Query


class KeywordSearch(ABC):
    """Implements `Source`. Subclasses read a single page."""

    @abstractmethod
    async def page(self, query: Query, cursor: str | None) -> Page:
        """Returns the query's first page, or the one after a cursor. It raises the errors of `Source`."""

    def queries(self, labels: Mapping[str, Sequence[str]]) -> Sequence[Query]:
        """Returns one query for each keyword of each label."""
        return [
            Query(f"{label}/{keyword}", label, keyword)
            for label, words in labels.items()
            for keyword in words
        ]

    async def pages(self, query: Query, cursor: str | None) -> AsyncGenerator[Page]:
        """See `Source.pages`."""
        while True:
            page = await self.page(query, cursor)
            yield page
            if page.cursor is None:
                return
            cursor = page.cursor


def page_of(found: Iterable[Candidate | str], cursor: str | None) -> Page:
    """Makes a page of candidates, and of the problems of results that are not candidates."""
    candidates: list[Candidate] = []
    problems: list[str] = []
    for entry in found:
        if isinstance(entry, str):
            problems.append(entry)
        else:
            candidates.append(entry)
    return Page(tuple(candidates), cursor, tuple(problems))


def page_number(cursor: str | None) -> int:
    """Returns the page's number, from 1, for sources whose cursor is that number."""
    return int(cursor) if cursor else 1
