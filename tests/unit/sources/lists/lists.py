"""Reads lists in blobs as a job does."""

from shared.sources.lists.config import UrlsConfig
from shared.sources.lists.urls import Urls
from shared.storage.memory.blobs import MemoryBlobs

ONE_OF_THREE = "it has 1 of 3 cells: the others are taken as empty"


async def read_all(source, cursor=None):
    """Returns the candidates, the problems and the pages of a source with one query."""
    [query] = source.queries({})
    pages = [page async for page in source.pages(query, cursor)]
    return [c for page in pages for c in page.candidates], [p for page in pages for p in page.problems], pages


async def read_list(name, data, cursor=None, **options):
    """Returns the candidates, the problems without the list's name, and the pages of a list."""
    blobs = MemoryBlobs()
    await blobs.put(name, data if isinstance(data, bytes) else data.encode())
    source = Urls(UrlsConfig(blob=name, **options), blobs)
    candidates, problems, pages = await read_all(source, cursor)
    return candidates, [problem.removeprefix(f"{name}: ") for problem in problems], pages
