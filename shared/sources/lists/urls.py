"""Reads URL lists: items in the spec, or a blob of txt, csv, tsv, jsonl, json (also gzipped) or Parquet.

A blob is streamed row by row, and each row has a limit. The cursor is the number of rows that were read. There is a
page for every 1,000 rows, whatever they hold, and one for every second. So the reader can stop there, and other tasks
run. The first page is smaller, so that a job begins its downloads sooner.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing

from shared.errors import NotFound, Permanent
from shared.records.candidates import Candidate, Provenance
from shared.records.licenses import UNKNOWN, License, declared_license, license_url
from shared.sources.fields import address_of, text_of, url_of
from shared.sources.lists.config import PARQUET, UrlsConfig, format_of, written
from shared.sources.lists.parquet_rows import read_parquet
from shared.sources.lists.rows import Row, read_rows
from shared.sources.lists.tables import ColumnNames, shown_names
from shared.sources.source import Page, Query
from shared.storage.blobs import BlobStore
from shared.text.labels import clean_label

_PAGE = 1000
# discovery makes a chunk of this many candidates
_FIRST_PAGE = 256
# the plan of a dataset with a third of these rows takes the time of one run
_MAX_ROWS = 10_000_000
_SECONDS_WITHOUT_A_PAGE = 1.0
_ROWS_WITHOUT_A_TURN = 100
_PAGE_CHARACTERS = 4 << 20
_MAX_EXTRA = 20
_MAX_VALUE = 1000


def most_rows(config: UrlsConfig) -> int:
    """Returns how many rows the list has at most."""
    return _MAX_ROWS if config.items is None else len(config.items)


class Urls:
    """Implements `Source`."""

    def __init__(self, config: UrlsConfig, blobs: BlobStore) -> None:
        self._config = config
        self._blobs = blobs
        self._columns = _columns(config)

    def queries(self, labels: Mapping[str, Sequence[str]]) -> Sequence[Query]:
        """Returns one query for the whole list."""
        del labels
        return [Query("urls", None)]

    async def pages(self, query: Query, cursor: str | None) -> AsyncGenerator[Page]:
        """Implements `Source.pages`. If reading takes long, for example among blank lines, it yields empty pages."""
        del query
        number = int(cursor or 0)
        async with aclosing(self._rows(number)) as rows:
            page = Page((), str(number))
            while page.cursor is not None:
                reading = asyncio.create_task(self._page(rows, int(page.cursor)))
                try:
                    while not (await asyncio.wait({reading}, timeout=_SECONDS_WITHOUT_A_PAGE))[0]:
                        yield Page((), page.cursor)
                finally:
                    reading.cancel()
                    await asyncio.wait({reading})
                page = reading.result()
                yield page

    async def _page(self, rows: AsyncIterator[Row], number: int) -> Page:
        """Returns the next page of rows, after the first `number`. Its cursor is None if the list ends."""
        candidates: list[Candidate] = []
        problems: list[str] = []
        characters = 0
        async for row in rows:
            if number == _MAX_ROWS:
                problems.append(f"{self._config.blob}: more than {_MAX_ROWS:,} rows: it is read no further")
                break
            number += 1
            candidate, problem = self._candidate(row)
            if candidate is not None:
                candidates.append(candidate)
                characters += len(candidate.url)
            if problem is not None:
                problems.append(f"{(self._config.blob or 'urls')[-100:]}: row {number}: {problem}")
            if number == _FIRST_PAGE or number % _PAGE == 0 or characters >= _PAGE_CHARACTERS:
                return Page(tuple(candidates), str(number), tuple(problems))
            if number % _ROWS_WITHOUT_A_TURN == 0:
                await asyncio.sleep(0)
        return Page(tuple(candidates), None, tuple(problems))

    async def _rows(self, skip: int) -> AsyncGenerator[Row]:
        """Yields the rows after the first `skip`."""
        if self._config.items is not None:
            for item in self._config.items[skip:]:
                yield Row(item.model_dump(exclude_none=True))
            return
        try:
            async for row in self._stored_rows(self._config.blob or "", skip):
                yield row
        except NotFound:
            raise Permanent(f"There is no blob {self._config.blob}.") from None

    async def _stored_rows(self, name: str, skip: int) -> AsyncIterator[Row]:
        list_format = self._config.format or format_of(name) or "txt"
        if list_format == PARQUET:
            async for row in read_parquet(self._blobs, name, self._columns, skip):
                yield row
            return
        remaining = skip
        stream, gzipped = self._blobs.stream(name), name.lower().endswith(".gz")
        async for row in read_rows(stream, list_format, gzipped=gzipped, names=self._columns):
            remaining -= 1
            if remaining < 0:
                yield row
            elif remaining % _PAGE == 0:
                await asyncio.sleep(0)

    def _candidate(self, row: Row) -> tuple[Candidate | None, str | None]:
        """Returns the row's candidate and the row's problem. At least one of the two is not None."""
        config, fields = self._config, row.fields
        if fields is None:
            return None, row.problem
        if config.url_column not in fields:
            wrong = f"no field {config.url_column[:100]!r}; it has {shown_names(fields)}"
        elif (url := address_of(fields[config.url_column])) is None:
            wrong = "no http(s) URL"
        else:
            label = clean_label(fields.get(config.label_column)) or config.label
            provenance = self._provenance(fields)
            caption = text_of(fields.get(config.caption_column))
            extra = self._extra(fields, provenance.license)
            return Candidate(url, label, provenance, caption, extra=extra), row.problem
        return None, f"{wrong}; {row.problem}" if row.problem else wrong

    def _provenance(self, row: Mapping[str, object]) -> Provenance:
        config = self._config
        named, address = row.get(config.license_column), row.get(config.license_url_column)
        found = declared_license(str(named or ""), str(address or ""))
        return Provenance(
            "urls",
            page_url=url_of(row.get(config.page_url_column)),
            title=text_of(row.get(config.title_column)),
            creator=text_of(row.get(config.creator_column)),
            creator_url=url_of(row.get(config.creator_url_column)),
            license=found.code,
            license_version=found.version,
            license_url=url_of(address) or url_of(named) or _url_of_version(found),
        )

    def _extra(self, row: Mapping[str, object], license_code: str) -> dict[str, str]:
        """Returns the first further fields. If the licence was not understood, its text is the first of them."""
        config = self._config
        named = self._columns.requested
        others = [(str(key), value) for key, value in row.items() if key not in named][:_MAX_EXTRA]
        if license_code == UNKNOWN:
            others.insert(0, (config.license_column, row.get(config.license_column)))
        return {
            name: text[:_MAX_VALUE]
            for key, value in others
            if value is not None
            and (name := text_of(key[:100])) is not None
            and (text := text_of(written(value))) is not None
        }


def _columns(config: UrlsConfig) -> ColumnNames:
    """Returns the columns of the options. The column of the addresses and all that the spec renames are required."""
    options = [name for name in UrlsConfig.model_fields if name.endswith("_column")]
    requested = {name: str(getattr(config, name)) for name in options}
    renamed = [
        column for name, column in requested.items() if column != UrlsConfig.model_fields[name].default
    ]
    return ColumnNames(tuple(requested.values()), tuple(dict.fromkeys([config.url_column, *renamed])))


def _url_of_version(found: License) -> str | None:
    """Returns the address of a licence's text if its version was declared.

    Without a version there are several texts.
    """
    return license_url(found) if found.version else None
