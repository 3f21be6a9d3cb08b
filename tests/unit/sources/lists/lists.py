"""Lists in blobs, read as a job reads them."""

from shared.sources.lists.config import UrlsConfig
from shared.sources.lists.urls import Urls
from shared.storage.memory.blobs import MemoryBlobs


async def read_list(name, data, cursor=None, **options):
    """The candidates and the problems of a list, without its name in them, and its pages."""
    blobs = MemoryBlobs()
    await blobs.put(name, data if isinstance(data, bytes) else data.encode())
    source = Urls(UrlsConfig(blob=name, **options), blobs)
    pages = [page async for page in source.pages(source.queries({})[0], cursor)]
    problems = [problem.removeprefix(f"{name}: ") for page in pages for problem in page.problems]
    return [c for page in pages for c in page.candidates], problems, pages
