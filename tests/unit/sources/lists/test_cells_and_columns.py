"""Tables whose rows have more or fewer cells than columns, or odd spaces, quotes and names."""

import asyncio
import csv
import gzip
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Permanent
from shared.sources.fields import text_of
from tests.unit.sources.lists.lists import read_list

A = "http://h/w_300,h_200/a.jpg"
B = "http://h/b.jpg"


async def _urls(text, form="csv"):
    candidates, problems, _ = await read_list(f"inputs/x.{form}", text)
    return [c.url for c in candidates], problems


@pytest.mark.parametrize(
    "text",
    [
        f"url\n{A}\n{B}\n",
        f"url\r\n{A}\r\n{B}\r\n",
        f'"url"\n"{A}"\n{B}\n',
        f"\ufeffURL \n {A} \n{B}",
        f"url,\n{A},\n{B},\n",
        f"url,\n{A}\n{B}\n",
        f"url,,\n{A},,\n{B}\n",
        f"url,,\n{A} , \n{B} ,,\n",
    ],
)
async def test_a_line_with_commas_in_a_table_with_one_column_is_one_cell(text):
    assert await _urls(text) == ([A, B], [])


async def test_a_line_of_a_table_with_one_column_may_hold_semicolons():
    assert await _urls("url;\nhttp://h/a;v=1,2.jpg;\nhttp://h/a;v=1;w=2.jpg") == (
        ["http://h/a;v=1,2.jpg", "http://h/a;v=1;w=2.jpg"],
        [],
    )
    assert await _urls("url\nhttp://h/a;v=1;w=2.jpg") == (["http://h/a;v=1;w=2.jpg"], [])


async def test_final_delimiters_are_removed_in_a_table_with_one_column_only_if_the_header_has_them():
    ends = [f"{A},", f"{A},b,,", f"{A};", f"{B}?x=1;"]
    assert await _urls("url\n" + "\n".join(ends)) == (ends, [])
    assert await _urls("url,\n" + ",\n".join(ends) + ",") == (ends, [])
    assert await _urls("url;\n" + ";\n".join(ends) + ";") == (ends, [])
    assert await _urls(f'url\n"{A},"\n"{B}",\n') == ([f"{A},", B], [])


MORE = {
    "a comma in an address": ("csv", f"url,label\n{A},cat\n{B},dog\n", 3),
    "a comma in the last cell": ("csv", f"label,url\ncat,{A}\ndog,{B}\n", 3),
    "a comma in a caption": ("csv", f"url,caption,label\n{B}1,a cat, asleep,cat\n{B},b,dog\n", 4),
    "an index without a name": ("csv", f",url\n0,{A}\n1,{B}\n", 3),
    "semicolons": ("csv", f"url;label\n{B}1;a;b\n{B};dog\n", 3),
    "tabs": ("tsv", f"url\tlabel\n{B}1\ta\tb\n{B}\tdog\n", 3),
    "one column with tabs": ("tsv", f"url\n{B}1\tcat\n{B}\n", 2),
    "one column with quotes": ("csv", f'url\n"{B}1","cat"\n{B}\n', 2),
    "more cells over lines": ("csv", f'url,label\n{B}1,"a\nb",c\n{B},dog\n', 3),
    "an end of a delimiter": ("csv", f"url,label,\n{A},cat,\n{B},dog,\n", 3),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("case", MORE)
async def test_a_row_with_more_cells_than_columns_is_a_problem_and_the_others_are_read(case, packed):
    form, text, count = MORE[case]
    data = gzip.compress(text.encode()) if packed else text
    candidates, [problem], _ = await read_list(f"inputs/x.{form}{'.gz' * packed}", data)
    assert [c.url for c in candidates] == [B]
    assert problem.startswith(f"row 1: it has {count} cells for ")


FEWER = {
    "no label": ("csv", f"url,caption,label\n{B}1,a\n{B}2,b,cat", [(f"{B}1", "unlabelled"), (f"{B}2", "cat")]),
    "only an address": ("csv", f"url,caption,label\n{B}1\n{B}2,b,cat", [(f"{B}1", "unlabelled"), (f"{B}2", "cat")]),
    "semicolons": ("csv", f"url;label\n{B}1\n{B}2;cat", [(f"{B}1", "unlabelled"), (f"{B}2", "cat")]),
    "tabs": ("tsv", f"url\tlabel\n{B}1\n{B}2\tcat", [(f"{B}1", "unlabelled"), (f"{B}2", "cat")]),
    "no address": ("csv", f"label,url\ncat\ncat,{B}2", [(f"{B}2", "cat")]),
}  # fmt: skip


@pytest.mark.parametrize("case", FEWER)
async def test_a_row_with_fewer_cells_than_columns_has_a_problem(case):
    form, text, found = FEWER[case]
    candidates, [problem], _ = await read_list(f"inputs/x.{form}", text)
    assert [(c.url, c.label) for c in candidates] == found
    assert "it has 1 of " in problem or "it has 2 of 3" in problem


@pytest.mark.parametrize("form", ["csv", "tsv"])
async def test_empty_cells_at_the_end_do_not_count_and_rows_of_empty_cells_are_skipped(form):
    between = "," if form == "csv" else "\t"
    rows = ["url,label,,", f"{B}1,cat,,", f"{B}2,,,", ",,,", " , ", f"{B}3,dog", f"{B}4,dog,,,,,", ""]
    text = "\n".join(rows).replace(",", between)
    candidates, problems, _ = await read_list(f"inputs/x.{form}", text)
    assert [c.label for c in candidates] == ["cat", "unlabelled", "dog", "dog"]
    assert problems == []


@pytest.mark.parametrize("space", ["", " ", "   "])
async def test_a_space_before_a_quote_is_not_part_of_the_cell(space):
    text = f'"url",{space}"caption",{space}"label"\n"{B}",{space}"a cat, asleep",{space}cat\n'
    [candidate], problems, _ = await read_list("inputs/x.csv", text)
    assert (candidate.caption, candidate.label, problems) == ("a cat, asleep", "cat", [])
    text = f'{space}"url";{space}"label"\n{space}"{B}";{space}"a;\n""b"""\n'
    [candidate], problems, _ = await read_list("inputs/x.csv", text)
    assert (candidate.url, candidate.label, problems) == (B, 'a; "b"', [])


async def test_a_quoted_comma_in_the_header_does_not_set_the_delimiter():
    [candidate], problems, _ = await read_list("inputs/x.csv", f'"a, b";url;label\nx;{A};cat')
    assert (candidate.url, candidate.label, candidate.extra) == (A, "cat", {"a, b": "x"})
    assert problems == []


async def test_the_first_of_columns_with_the_same_name_counts_and_a_problem_says_so():
    [candidate], problems, _ = await read_list("inputs/x.csv", f"url,label,label,n,n\n{B},cat,dog,1,2\n")
    assert (candidate.label, candidate.extra) == ("cat", {"n": "1"})
    assert problems == ["row 1: the column 'label' is there more than once: the first counts"]


async def test_a_table_with_one_other_column_fails_with_its_name():
    with pytest.raises(Permanent, match="no column 'url'; it has 'link'"):
        await read_list("inputs/x.csv", f"link\n{A}\n")


CELLS = st.text('ab"\n,;\t \u00e4', max_size=6)


@given(st.lists(st.tuples(CELLS, CELLS), max_size=5), st.sampled_from([",", ";", "\t"]))
def test_tables_of_pythons_csv_writer_are_read_unchanged(rows, delimiter):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    writer.writerow(["url", "a", "b"])
    writer.writerows([f"{B}?{number}", *cells] for number, cells in enumerate(rows))
    form = "tsv" if delimiter == "\t" else "csv"
    candidates, problems, _ = asyncio.run(read_list(f"inputs/x.{form}", out.getvalue()))
    assert problems == []
    plain = [
        {name: told for name, cell in zip("ab", cells, strict=True) if (told := text_of(cell))}
        for cells in rows
    ]
    assert [c.extra for c in candidates] == plain


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\r", "\r\r\n"])
async def test_all_kinds_of_line_breaks_end_an_address_of_a_list(end):
    assert await _urls(end.join([A, "", B, A]), "txt") == ([A, B, A], [])


@pytest.mark.parametrize("text", [f"{A}\tcat", f"cat\t{A}"])
async def test_an_address_with_a_tab_inside_is_a_problem(text):
    urls, [problem] = await _urls(f"\t{A}\t\n{text}\n{B}\n", "txt")
    assert (urls, "row 2: a tab divides it" in problem) == ([A, B], True)


@pytest.mark.parametrize(
    ("form", "cells"),
    [
        ("csv", '"a \\"big\\" cat"'),
        ("csv", '"a "big" cat"'),
        ("csv", '"cat" x'),
        ("tsv", '"big" cat'),
    ],
)
async def test_text_after_a_closing_quote_is_a_problem(form, cells):
    text = f"url,label\n{B},".replace(",", "," if form == "csv" else "\t") + cells
    [candidate], problems, _ = await read_list(f"inputs/x.{form}", text)
    assert (candidate.url, len(problems)) == (B, 1)
    assert "row 1: text stands behind a closing quote" in problems[0]


@pytest.mark.parametrize("cell", ['"a ""big"" cat"', '"cat" ', ' "cat, big" ', '5" cat', '""', '"a"" ,b"'])
async def test_correct_quotes_and_quotes_inside_words_are_no_problem(cell):
    _, problems, _ = await read_list("inputs/x.csv", f"url,label,n\n{B},{cell},1\n{B},1,{cell}")
    assert problems == []
