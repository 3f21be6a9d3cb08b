"""A host that chooses the format by the Accept header sends one of the filters' formats."""

from typing import get_args

import pytest
from aiohttp import web

from shared.crawling.fetching.accept import headers_for
from shared.crawling.fetching.download import Fetched
from shared.crawling.options import Filters, Format
from tests.unit.crawling.fetching.asking import ask
from tests.unit.loopback import serving

FORMATS = get_args(Format.__value__)


def weights(accept: str) -> dict[str, float]:
    """Parses the media types of an Accept header (RFC 9110, 12.5.1)."""
    parts = [part.partition(";q=") for part in accept.split(",")]
    return {kind.strip(): float(weight or 1) for kind, _, weight in parts}


@pytest.mark.parametrize("formats", [("jpeg",), ("png", "gif"), ("avif",), ("webp", "jpeg", "webp"), FORMATS])
def test_accept_names_exactly_the_formats_of_the_filters(formats):
    found = weights(headers_for(Filters(formats=formats).formats)["Accept"])
    assert found == {f"image/{name}": 1.0 for name in formats} | {"*/*": 0.1}


def test_accept_does_not_name_avif_by_default():
    assert "avif" not in headers_for(Filters().formats)["Accept"]
    assert set(weights(headers_for(Filters().formats)["Accept"])) == {
        f"image/{name}" for name in Filters().formats
    } | {"*/*"}


@pytest.mark.parametrize("chooses", ["by name", "by weight"])
@pytest.mark.parametrize("taken", FORMATS)
async def test_a_host_that_negotiates_sends_a_format_of_the_filters(chooses, taken, make_fetcher):
    """The host has every format and prefers the smallest file."""
    accepts = []

    async def serve(request):
        if request.path != "/x":
            return web.Response(status=404)
        accepts.append(request.headers["Accept"])
        found = weights(accepts[-1])
        liked = ("avif", "webp", "png", "gif", "tiff", "bmp", "jpeg")
        if chooses == "by name":
            sent = next((name for name in liked if f"image/{name}" in accepts[-1]), "jpeg")
        else:
            sent = max(liked, key=lambda name: found.get(f"image/{name}", found.get("*/*", 0)))
        return web.Response(body=sent.encode(), content_type=f"image/{sent}")

    async with serving(serve) as base:
        found = await ask(make_fetcher(), f"{base}/x", filters=Filters(formats=(taken,), max_bytes=1_000_000))
    assert found == Fetched(taken.encode(), f"{base}/x")
    assert len(accepts) == 1
