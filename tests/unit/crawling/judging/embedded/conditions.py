"""The options under which the tests of embedded metadata judge images."""

from shared.crawling.judging.judge import Judged, judge
from shared.crawling.options import CrawlOptions, Filters
from shared.records.embedded import Embedded
from shared.web.wishes.respect import Respect

FILTERS = Filters(formats=("jpeg", "png", "webp", "gif", "bmp", "tiff", "avif"))
OPTIONS = CrawlOptions(FILTERS, None, Respect())
HEEDLESS = CrawlOptions(FILTERS, None, Respect(iptc=False, c2pa=False))


def said(data: bytes, options: CrawlOptions = HEEDLESS) -> Embedded:
    """Returns what the image, which is kept, says about itself."""
    judged = judge(data, options)
    assert isinstance(judged, Judged)
    return judged.facts.embedded
