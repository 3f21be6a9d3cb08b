from typing import Annotated

from pydantic import Field

from shared.settings.topics.topic import Topic
from shared.settings.value_types import HeaderValue, Seconds


class CrawlingSettings(Topic):
    """Crawling and jobs.

    On plans other than Flex Consumption, Azure reads `FUNCTIONS_WORKER_PROCESS_COUNT`, too: the worker processes of an
    instance. With one for each core, crawls are a third faster.
    """

    user_agent: HeaderValue = (
        "PixCrawler/0.1 (+https://github.com/pixcrawler/pixcrawler; image dataset builder)"
    )
    """The User-Agent of every request to the web. Put a contact into it."""
    crawl_allow_private_networks: bool = Field(False, examples=["false"])
    """Whether the crawler may connect to private and loopback addresses, for local use only. It never connects to
    link-local addresses and metadata services."""
    fetch_concurrency: Annotated[int, Field(ge=1, le=1024)] = 64
    """Downloads at the same time for one chunk. `host.json` limits the chunks that an instance crawls at a time."""
    fetch_concurrency_per_host: Annotated[int, Field(ge=1, le=1024)] = 8
    """Downloads at the same time from one host, by all instances together. Wikimedia's media host gets two."""
    fetch_timeout_seconds: Seconds = 30.0
    """The time limit for one image, with all redirects and tries."""
    chunk_size: Annotated[int, Field(ge=1, le=4096)] = 1024
    """The largest number of candidates in a chunk, which is the work of one queue message. The first chunk of a job
    has about 256, so that fetching begins early. Later ones have at least half of those known so far."""
    chunks_in_flight: Annotated[int, Field(ge=1, le=10_000)] = 32
    """Chunks of one job on the queue or in progress at the same time, so that large jobs leave room for small ones."""
    wake_queues: bool = True
    """Whether a function that has sent messages wakes the queues that the same host polls. Turn it off where each
    function has instances of its own, as on the Flex Consumption plan."""
    running_jobs_per_user: Annotated[int, Field(ge=1, le=1000)] = 10
    """Jobs of the administrator that run at the same time; the others wait in the state `queued`. For users, it is what
    their [tier](users.md#tiers) allows."""
    step_budget_seconds: Annotated[float, Field(gt=0, le=480)] = 240.0
    """How long one function run works before another run continues. It must be well below `functionTimeout`."""
    stall_after_seconds: Seconds = 900.0
    """The time without progress after which the watchdog sends a job's messages again."""
