"""The limits of downloads and of waits for hosts, and the clock, sleep and random numbers that downloads use."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from shared.clock import Clock, SystemClock


@dataclass(frozen=True, slots=True)
class FetchConfig:
    """The limits of one download.

    `total_seconds` covers all of its requests and pauses, but not its waits until the host is free or for memory. The
    pause before the second try is random, up to `first_pause_seconds`. That limit doubles before each further try.

    If a host asks for a rest (Retry-After), all chunks wait for it. If it asks for more than `max_retry_after_seconds`,
    the chunk sends it no more requests. If a host asks for pauses between requests (Crawl-delay in robots.txt), they
    have up to `max_crawl_delay_seconds`. Each host gets `per_host` requests at a time, or fewer if it is in
    `lower_per_host`.
    """

    total_seconds: float = 30.0
    tries: int = 3
    first_pause_seconds: float = 0.5
    max_retry_after_seconds: float = 20.0
    max_crawl_delay_seconds: float = 60.0
    max_redirects: int = 8
    per_host: int = 8
    lower_per_host: Mapping[str, int] = field(default_factory=dict)
    min_bytes_per_second: int = 1000
    slow_window_seconds: float = 8.0


@dataclass(frozen=True, slots=True)
class Timing:
    """The clock, the sleep and the random numbers that a fetcher uses."""

    clock: Clock = field(default_factory=SystemClock)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    uniform: Callable[[float, float], float] = random.uniform


@dataclass(frozen=True, slots=True)
class PlaceTimes:
    """How long a process waits, in seconds.

    It renews a claim after `renew`; after `ask_again` if other processes have all places, or if storage did not answer;
    after `give_back` while it has more places than its share. It releases a claim that it has not used for `unused`, or
    for `unused_by_one` if other processes have claims, too. A download fails after it waited `without_place` while the
    process had no place. A process that had a claim remembers for `remembered` that the host needs one.
    """

    renew: float = 10.0
    ask_again: float = 1.0
    give_back: float = 0.5
    unused: float = 5.0
    unused_by_one: float = 0.2
    # longer than the claim of a process that died, whose places become free then
    without_place: float = 35.0
    remembered: float = 600.0


TIMES: Final = PlaceTimes()
