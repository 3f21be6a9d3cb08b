"""What all sources that are asked by keyword have in common."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence

from shared.records.candidates import Candidate
from shared.sources.source import Page, Query


class KeywordSearch(ABC):
    """A `Source` whose subclasses only say what is on one page."""

    @abstractmethod
    async def page(self, query: Query, cursor: str | None) -> Page:
        """The query's first page, or the one behind a cursor; raises as `Source` says."""

    def queries(self, labels: Mapping[str, Sequence[str]]) -> Sequence[Query]:
        """One query for each keyword of each label."""
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
    """A page of candidates, and of what is wrong with the results that are none."""
    candidates: list[Candidate] = []
    problems: list[str] = []
    for entry in found:
        if isinstance(entry, str):
            problems.append(entry)
        else:
            candidates.append(entry)
    return Page(tuple(candidates), cursor, tuple(problems))


def page_number(cursor: str | None) -> int:
    """The number of the page, from 1, for sources whose cursor it is."""
    return int(cursor) if cursor else 1
