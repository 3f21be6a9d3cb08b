"""Small lists that become large, and large lists without rows. Reading them ends, and other tasks run meanwhile."""

import asyncio
import gzip
import time

import pytest

from shared.sources.lists.json_array import JsonArray
from shared.sources.lists.rows import _BLANK_LINES, _lines
from shared.sources.lists.tables import MAX_LINES
from shared.text.gzip_members import PIECE_BYTES
from tests.unit.sources.lists.lists import read_list

URL = "https://a/1.jpg"
MANY = 12_000_000


class Turns:
    """Counts how often other tasks run meanwhile."""

    async def __aenter__(self):
        self.count = 0
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_):
        self._task.cancel()

    async def _run(self):
        while True:
            await asyncio.sleep(0)
            self.count += 1


NOTHING = {
    "line feeds.txt": (b"", b"\n", URL.encode()),
    "line feeds.jsonl": (b"", b"\n", b'"%s"' % URL.encode()),
    "line feeds.csv": (b"url,label\n", b"\n", b"%s,cat" % URL.encode()),
    "line feeds.tsv": (b"url\tlabel\n", b"\n", b"%s\tcat" % URL.encode()),
    "line feeds.json": (b"[", b"\n", b'"%s"]' % URL.encode()),
    "lines of Windows.txt": (b"", b"\r\n", URL.encode()),
    "lines of space.csv": (b"url\n", b" \t\n", URL.encode()),
    "empty rows.csv": (b"url,label\n", b",\n", b"%s,cat" % URL.encode()),
    "empty rows with semicolons.csv": (b"url;label\n", b" ; \n", b"%s;cat" % URL.encode()),
    "empty rows.tsv": (b"url\tlabel\n", b"\t\n", b"%s\tcat" % URL.encode()),
    "empty elements.json": (b"[", b",", b'"%s"]' % URL.encode()),
    "empty elements in lines.json": (b'{"images": [', b" ,\n", b'"%s"]}' % URL.encode()),
    "space before all.json": (b"", b" ", b'["%s"]' % URL.encode()),
}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("case", NOTHING)
async def test_long_parts_without_rows_are_skipped_and_other_tasks_run(case, packed):
    begin, nothing, end = NOTHING[case]
    data = begin + nothing * (MANY // len(nothing)) + end
    name = f"inputs/x.{case.rpartition('.')[2]}{'.gz' * packed}"
    async with Turns() as turns:
        candidates, problems, _ = await read_list(name, gzip.compress(data, 6) if packed else data)
    assert ([c.url for c in candidates], problems) == ([URL], [])
    assert turns.count >= MANY // PIECE_BYTES


@pytest.mark.parametrize("blank", [b"\n", b" \n", b"\r\n"])
async def test_very_many_blank_lines_are_skipped_with_a_few_steps(blank):
    count = 40

    async def pieces():
        yield b"x\n"
        for _ in range(count):
            yield blank * (PIECE_BYTES // len(blank))
        yield b"y"

    lines = [line async for line in _lines(pieces(), _BLANK_LINES)]
    assert [line for line in lines if line is not None and line.strip()] == [b"x", b"y"]
    assert len(lines) < (count + 1) * (MAX_LINES + 3)


@pytest.mark.parametrize("form", ["txt", "csv", "jsonl", "json", "tsv"])
async def test_the_rows_before_the_limit_of_a_gzip_bomb_are_read_with_a_problem(form):
    begin, nothing, _ = NOTHING[f"line feeds.{form}"]
    address = {
        "txt": URL,
        "jsonl": f'"{URL}"',
        "json": f'"{URL}",',
        "csv": f"{URL},cat",
        "tsv": f"{URL}\tcat",
    }
    data = gzip.compress(begin + address[form].encode() + b"\n" + nothing * 25_000_000, 9)
    assert len(data) < 50_000
    async with Turns() as turns:
        candidates, problems, _ = await read_list(f"inputs/x.{form}.gz", data)
    assert [c.url for c in candidates] == [URL]
    assert problems[-1].endswith(
        "the gzip stream decompresses to more than 200 times its size: it is read no further"
    )
    assert turns.count > 200


ROWS = {
    "x.txt": b"x\n",
    "x.jsonl": b"[]\n",
    "x.csv": b'"",""\n',
    "x.tsv": b"x\tx\n",
    "x.json": b"{},",
}


@pytest.mark.parametrize("name", ROWS)
async def test_a_page_ends_after_1000_rows_of_any_content_and_other_tasks_run(name):
    begin = {"x.csv": b"url,label\n", "x.tsv": b"url\tlabel\n", "x.json": b"["}.get(name, b"")
    async with Turns() as turns:
        candidates, problems, pages = await read_list(f"inputs/{name}", begin + ROWS[name] * 20_000)
    assert candidates == []
    assert len(problems) >= 20_000
    assert [len(page.problems) for page in pages[:21]] == [256, 744, *[1000] * 19]
    assert turns.count >= 20_000 // 200
    _, rest, _ = await read_list(f"inputs/{name}", begin + ROWS[name] * 20_000, pages[19].cursor)
    assert rest == problems[19_000:]


async def test_a_list_of_very_many_rows_ends_at_the_limit_with_a_problem(monkeypatch):
    monkeypatch.setattr("shared.sources.lists.urls._MAX_ROWS", 2500)
    candidates, problems, pages = await read_list("inputs/x.txt", f"{URL}\n" * 4000)
    assert len(candidates) == 2500
    assert problems == ["more than 2,500 rows: it is read no further"]
    assert pages[-1].cursor is None
    candidates, problems, _ = await read_list("inputs/x.txt", f"{URL}\n" * 2500)
    assert (len(candidates), problems) == (2500, [])


BRACKETS = {
    "nested": (b"[" * 3_000_000, "without an element"),
    "nested objects": (b"[" + b'{"a":' * 3_000_000, "without an element"),
    "in an element": (b'["https://a/1.jpg", [' + b"[]," * 3_000_000 + b"]]", "without an element"),
    "behind the array": (b'{"a": ["https://a/1.jpg"], "b": {' + b"{}," * 3_000_000, "without an element"),
    "a second array": (b'{"a": ["https://a/1.jpg"], "b": [' + b"{}," * 3_000_000, "only the first array"),
}


@pytest.mark.parametrize("case", BRACKETS)
async def test_very_many_brackets_without_an_element_end_the_list_with_a_problem(case):
    text, told = BRACKETS[case]
    async with Turns() as turns:
        candidates, [*_, problem], _ = await read_list("inputs/x.json.gz", gzip.compress(text))
    assert [c.url for c in candidates] == [URL] * (b"https" in text)
    assert told in problem
    assert turns.count > 20 or case == "a second array"


def test_the_number_of_brackets_that_are_read_is_limited():
    array = JsonArray(1000)
    for _ in range(100):
        assert list(array.feed(b"[" * PIECE_BYTES)) == []
    assert array.over
    assert array._depth < 1_100_000


async def test_many_delimiters_at_the_end_of_a_header_do_not_slow_down_each_row():
    ends = "," * 90_000
    begin = time.thread_time()
    candidates, problems, _ = await read_list("inputs/x.csv", f"url{ends}\n" + f"{URL}{ends}\n" * 40)
    assert ([c.url for c in candidates], problems) == ([URL] * 40, [])
    assert time.thread_time() - begin < 3  # of processor time, and 1 is needed
