"""A source without a network, which fails on demand."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field

from shared.records.candidates import Candidate, Provenance
from shared.sources.source import Page, Query, SourceConfig


class FakeConfig(SourceConfig):
    """Returns `total` candidates for each label, `page` of them per page."""

    type: str = "fake"
    total: int = 100
    page: int = 10


@dataclass
class Faults:
    """The errors that the source `fake` raises in place of its next pages, and what it lists besides or no longer."""

    errors: list[Exception] = field(default_factory=list)
    removed: set[str] = field(default_factory=set)
    added: dict[str, int] = field(default_factory=dict)


class FakeSource:
    def __init__(self, config: FakeConfig, faults: Faults) -> None:
        self._config = config
        self._faults = faults

    def queries(self, labels: Mapping[str, Sequence[str]]) -> Sequence[Query]:
        return [Query(label, label, label) for label in labels]

    async def pages(self, query: Query, cursor: str | None) -> AsyncGenerator[Page]:
        total = self._config.total + self._faults.added.get(str(query.label), 0)
        for start in range(int(cursor or 0), total, self._config.page):
            if self._faults.errors:
                raise self._faults.errors.pop(0)
            end = min(start + self._config.page, total)
            found = tuple(
                Candidate(f"http://x/{query.label}/{number}", str(query.label), Provenance("fake"))
                for number in range(start, end)
                if f"http://x/{query.label}/{number}" not in self._faults.removed
            )
            yield Page(found, str(end) if end < total else None)
