"""Judges images with libraries that are imported when they are first used.

This takes a sixth of a second. It happens in a thread, so that the first downloads of a process need not wait for it.
"""

from typing import TYPE_CHECKING

from shared.crawling.options import CrawlOptions
from shared.records.consent import Answers
from shared.records.embedded import Embedded
from shared.scoring.picture_models import PictureModels

if TYPE_CHECKING:
    from shared.crawling.judging.judge import AwaitingMemory, Judged
    from shared.records.records import Rejected


def import_libraries() -> None:
    """Imports the libraries for images."""
    import shared.crawling.judging.judge  # noqa: F401 - it imports them


def judge(
    data: bytes, options: CrawlOptions, answers: Answers, earlier: Embedded, models: PictureModels
) -> "Judged | AwaitingMemory | Rejected":
    """Does what `judge.judge` does."""
    from shared.crawling.judging.judge import judge as judge_now

    return judge_now(data, options, answers, earlier, models)
