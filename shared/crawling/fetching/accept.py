"""Makes the headers that ask servers for images in the formats that the job's filters accept."""

from collections.abc import Mapping
from functools import lru_cache

from shared.crawling.options import Format


@lru_cache(maxsize=64)
def headers_for(formats: tuple[Format, ...]) -> Mapping[str, str]:
    """Returns the headers of a request for an image.

    Accept names no other format, because some servers send any format that it names and ignore its weight (RFC 9110,
    12.5.1). `*/*` has a low weight. With it, a server may answer that has none of the formats or declares a wrong type.
    """
    wanted = [f"image/{name}" for name in dict.fromkeys(formats)]
    return {
        "Accept": ",".join([*wanted, "*/*;q=0.1"]),
        # images are compressed already; and without a coding, Content-Length is the length of the image
        "Accept-Encoding": "identity",
    }
