"""What is asked for of the servers that have images: the formats that the job's filters take."""

from collections.abc import Mapping

from shared.crawling.options import Filters


def headers_for(filters: Filters) -> Mapping[str, str]:
    """The headers of a request for an image.

    Formats that are not taken are not named: servers send what they find named, whatever its weight (RFC 9110, 12.5.1).
    All else is last, so that those who have nothing of it answer at all, and those who name types wrongly.
    """
    wanted = [f"image/{name}" for name in dict.fromkeys(filters.formats)]
    return {
        "Accept": ",".join([*wanted, "*/*;q=0.1"]),
        "Accept-Encoding": "identity",  # images are compressed already, and their length is told so
    }
