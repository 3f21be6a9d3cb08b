"""A web server on the loopback interface with the search API of Openverse, for a folder of real photos.

Each photo has variants, so that a job has something to decide: crops (different images), re-encodings
(near-duplicates), exact copies, and a few odd or broken files. The server makes them on demand, always the same.
"""

import asyncio
import hashlib
import io
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from aiohttp import web
from PIL import Image

from playground.odd_files import damaged_png, turned_copy, with_half_a_profile

_RESULTS = 60
_MAX_PAGE_SIZE = 20
_MIN_SIDE = 200
_SUBJECTS = {
    "cat": ("chelsea",),
    "rocket": ("rocket",),
    "coffee": ("coffee",),
    "astronaut": ("astronaut",),
    "motorcycle": ("motorcycle_left", "motorcycle_right"),
    "moon": ("moon",),
    "galaxy": ("hubble_deep_field",),
    "coins": ("coins",),
    "retina": ("retina",),
}
ODD_FILES: Mapping[int, str] = {
    29: "a copy rotated by its EXIF",
    48: "a PNG with damaged pixels",
    49: "a JPEG with half a colour profile",
}
"""The odd files among the results for each word, by the number of the result."""

_LICENSES = (("cc0", "1.0"), ("by", "4.0"), ("by-sa", "4.0"))


class Gallery:
    """Serves photos by search word. A word without photos of its own gets one that its hash selects."""

    def __init__(self, folder: Path, delay_seconds: float = 0.0) -> None:
        self._delay_seconds = delay_seconds
        self._photos = {
            path.stem: path for path in sorted(folder.iterdir()) if path.suffix in {".jpg", ".jpeg", ".png"}
        }
        if not self._photos:
            raise ValueError(f"the folder {folder} has no photos")

    def application(self) -> web.Application:
        """Returns the application of the server."""
        app = web.Application()
        app.router.add_get("/v1/images/", self._search)
        app.router.add_get("/photos/{word}/{number}.{extension}", self._photo)
        app.router.add_get("/to/metadata", _to_metadata)
        return app

    async def _search(self, request: web.Request) -> web.Response:
        word = request.query.get("q", "").strip().lower()
        size = min(int(request.query.get("page_size", "20")), _MAX_PAGE_SIZE)
        page = int(request.query.get("page", "1"))
        first = (page - 1) * size
        base = f"{request.scheme}://{request.host}"
        results = [_result(base, word, number) for number in range(first, min(_RESULTS, first + size))]
        count = -(-_RESULTS // size)
        return web.json_response(
            {
                "result_count": _RESULTS,
                "page_count": count,
                "page_size": size,
                "page": page,
                "results": results,
            }
        )

    async def _photo(self, request: web.Request) -> web.Response:
        word, number = request.match_info["word"], int(request.match_info["number"])
        path = self._path_of(word)
        await asyncio.sleep(self._delay_seconds)
        body, content_type = await asyncio.to_thread(_variant, path, number)
        if body is None:
            return web.Response(status=404)
        return web.Response(body=body, content_type=content_type)

    def _path_of(self, word: str) -> Path:
        names = [name for name in _SUBJECTS.get(word, ()) if name in self._photos]
        if not names:
            large = [name for names in _SUBJECTS.values() for name in names if name in self._photos]
            names = large or list(self._photos)
        index = int.from_bytes(hashlib.sha256(word.encode()).digest()[:4]) % len(names)
        return self._photos[names[index]]


async def start_gallery(
    folder: Path, port: int = 0, *, delay_seconds: float = 0.0
) -> tuple[web.AppRunner, str]:
    """Serves the folder on the loopback interface. Each photo comes after a delay.

    Returns:
        The runner, which the caller must clean up, and the base URL.
    """
    runner = web.AppRunner(Gallery(folder, delay_seconds).application(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"


def default_photos() -> Path:
    """Returns the folder of the photos in the scikit-image wheel."""
    import skimage

    return Path(str(skimage.__file__)).parent / "data"


def _result(base: str, word: str, number: int) -> Mapping[str, Any]:
    """Returns a result in the format of the API, including its null values."""
    code, version = _LICENSES[number % len(_LICENSES)]
    quoted = word.replace(" ", "%20")
    url = f"{base}/to/metadata" if number % 20 == 19 else f"{base}/photos/{quoted}/{number}.jpg"
    title = f"{word} {number}"
    return {
        "id": hashlib.md5(f"{word}/{number}".encode(), usedforsecurity=False).hexdigest(),
        "title": title,
        "url": url,
        "foreign_landing_url": f"{base}/page/{quoted}/{number}",
        "creator": None if number % 7 == 3 else "The scikit-image contributors",
        "creator_url": None,
        "license": code,
        "license_version": version,
        "license_url": None,
        "provider": "gallery",
        "source": "gallery",
        "category": None,
        "filesize": None,
        "filetype": "jpg" if number % 3 else None,
        "tags": [{"name": word, "accuracy": None}],
        "attribution": None,
        "mature": False,
        "height": None,
        "width": None,
    }


def _variant(path: Path, number: int) -> tuple[bytes | None, str]:
    """Returns variant `number` of a photo and its content type. No body means that the server answers 404.

    Of ten variants, six are crops, one is a re-encoding, one is an exact copy, and two are broken or tiny.
    """
    kind, round_number = number % 10, number // 10
    match number:
        case 29:
            return turned_copy(crop(path, round_number * 6, 90)), "image/jpeg"
        case 48:
            return damaged_png(crop(path, 100, 90)), "image/png"
        case 49:
            return with_half_a_profile(crop(path, 101, 90)), "image/jpeg"
    if kind < 6:
        return crop(path, round_number * 6 + kind, 90), "image/jpeg"
    if kind == 6:
        return crop(path, round_number * 6, 60), "image/jpeg"
    if kind == 7:
        return crop(path, round_number * 6 + 1, 90), "image/jpeg"
    whole = crop(path, round_number * 6 + 2, 90)
    broken = round_number % 4
    if kind == 8 and broken == 0:
        return whole[: len(whole) // 2], "image/jpeg"
    if kind == 8 and broken == 1:
        return b"<!doctype html><title>Not here any more</title>", "image/jpeg"
    if kind == 8 and broken == 2:
        return None, ""
    return _tiny(path), "image/jpeg"


@lru_cache(maxsize=2000)
def crop(path: Path, number: int, quality: int) -> bytes:
    """Returns a crop as a JPEG. The number decides size, place, rotation and mirroring, so all crops look different."""
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    draw = hashlib.sha256(f"{path.stem}/{number}".encode()).digest()
    width, height = image.size
    share = 0.35 + 0.4 * draw[0] / 255
    w, h = max(_MIN_SIDE, int(width * share)), max(_MIN_SIDE, int(height * share))
    w, h = min(w, width), min(h, height)
    left, top = int((width - w) * draw[1] / 255), int((height - h) * draw[2] / 255)
    crop = image.crop((left, top, left + w, top + h)).rotate(90 * (draw[3] % 4), expand=True)
    if draw[4] % 2:
        crop = crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    out = io.BytesIO()
    crop.save(out, "JPEG", quality=quality)
    return out.getvalue()


def _tiny(path: Path) -> bytes:
    with Image.open(path) as opened:
        image = opened.convert("RGB").resize((24, 24))
    out = io.BytesIO()
    image.save(out, "JPEG")
    return out.getvalue()


async def _to_metadata(request: web.Request) -> web.Response:
    """Redirects to an address that a crawler must never request."""
    del request
    raise web.HTTPFound("ftp://169.254.169.254/latest/meta-data/")
