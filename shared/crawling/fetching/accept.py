"""What servers are asked for: images in the formats that the job's filters take."""

from collections.abc import Mapping

from shared.crawling.options import Filters


def headers_for(filters: Filters) -> Mapping[str, str]:
    """The headers of a request for an image.

    Other formats are not named: some servers send any format that is named, whatever its weight (RFC 9110, 12.5.1).
    `*/*` has a low weight. It lets servers answer that have none of the formats, or that declare a wrong type.
    """
    wanted = [f"image/{name}" for name in dict.fromkeys(filters.formats)]
    return {
        "Accept": ",".join([*wanted, "*/*;q=0.1"]),
        # images are compressed already, and the length in the header is that of the image then
        "Accept-Encoding": "identity",
    }
