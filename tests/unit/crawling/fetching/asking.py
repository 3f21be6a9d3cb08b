"""Fetches images for the tests."""

from shared.clock import Deadline, SystemClock
from shared.crawling.fetching.download import Fetched
from shared.crawling.fetching.fetch import Fetcher
from shared.crawling.fetching.fetch_config import FetchConfig
from shared.crawling.fetching.patience import Patience, PatienceConfig
from shared.crawling.options import Filters
from shared.records.consent import Answers
from shared.records.records import Rejected
from shared.web.wishes.respect import Respect

BUDGET = 4_000_000
FILTERS = Filters(max_bytes=1_000_000)
PATIENT = FetchConfig(total_seconds=20.0, first_pause_seconds=0.01)
HASTY = FetchConfig(
    total_seconds=1.5, first_pause_seconds=0.01, slow_window_seconds=0.3, min_bytes_per_second=1000
)


def patience(candidates: int = 100, config: PatienceConfig | None = None) -> Patience:
    deadline = Deadline.after(SystemClock(), 60)
    return Patience(candidates, deadline, lambda: False, config or PatienceConfig())


async def ask(
    fetcher: Fetcher,
    url: str,
    respect: Respect | None = None,
    spent: Patience | None = None,
    filters: Filters | None = None,
    answers: Answers | None = None,
) -> Fetched | Rejected:
    """Returns the outcome of one fetch, and checks that all bytes of the budget are free again."""
    fetch = fetcher.fetch(
        url, filters or FILTERS, respect or Respect(), spent or patience(), answers or Answers()
    )
    async with fetch as found:
        outcome = found
    assert fetcher._budget._free == BUDGET
    return outcome
