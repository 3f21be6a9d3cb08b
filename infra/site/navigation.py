"""Fills folders into the navigation of the site."""

from collections.abc import Iterable, Iterator, Sequence

type Entry = str | dict[str, Entry | list[Entry]]


def fill_folders(entries: Sequence[Entry], pages: Iterable[str]) -> list[Entry]:
    """Returns the navigation with pages in place of entries that end with a slash, which name folders.

    A folder stands for its pages that no other entry names: its index, then the others in the order in which they
    are given.
    """
    named = set(_named(entries))
    known = [page for page in pages if page not in named]
    known.sort(key=lambda page: not page.endswith(("/README.md", "/index.md")))

    def fill(entry: Entry) -> Iterator[Entry]:
        match entry:
            case str() if entry.endswith("/"):
                yield from (page for page in known if page.startswith(entry))
            case str():
                yield entry
            case _:
                yield {title: fill_part(part) for title, part in entry.items()}

    def fill_part(part: Entry | list[Entry]) -> Entry | list[Entry]:
        if isinstance(part, str) and not part.endswith("/"):
            return part
        return [filled_entry for entry in _listed(part) for filled_entry in fill(entry)]

    return [filled_entry for entry in entries for filled_entry in fill(entry)]


def _named(entries: Iterable[Entry]) -> Iterator[str]:
    for entry in entries:
        if isinstance(entry, str):
            yield entry
        else:
            for part in entry.values():
                yield from _named(_listed(part))


def _listed(part: Entry | list[Entry]) -> list[Entry]:
    return part if isinstance(part, list) else [part]
