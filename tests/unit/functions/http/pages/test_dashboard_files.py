"""The files of the dashboard: small, without HTML out of texts, and with the words of the documents."""

import gzip
import re
import subprocess
from typing import get_args

from functions.http.pages.dashboard import FOLDER, compact, dashboard_files
from shared.archiving.options import FormatName
from shared.jobs.job.states import State
from tests.unit.documents.markdown import codes_in, rows_of, section_of

PAGES = ("dashboard.html", "report.html")
FILES = sorted(path for path in FOLDER.rglob("*") if path.is_file())
_MOST_IN_A_FOLDER = 12
_MAX_BYTES = 150_000
_MAX_COMPRESSED_BYTES = 60_000
_IMPORTED = re.compile(r'(?:from|import) ?\(?"([^"]+)"')
_WRITES_HTML = re.compile(
    r"\.(inner|outer)HTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser"
)


def words(name: str) -> set[str]:
    """Returns the keys of a table in words.js."""
    script = f"{(FOLDER / 'parts' / 'words.js').read_text('utf-8')}\nconsole.log(Object.keys({name}).join())"
    run = subprocess.run(
        ["node", "--input-type=module"],  # noqa: S607 - as in a shell
        input=script,
        check=True,
        capture_output=True,
        text=True,
    )
    return set(run.stdout.strip().split(","))


def documented(heading: str) -> set[str]:
    rows = rows_of(section_of("docs/reference/states.md", heading))
    return {code for row in rows for code in codes_in(row[0])}


def test_all_files_together_are_small():
    pages = [(FOLDER.parent / name).read_text("utf-8") for name in PAGES]
    texts = [text.encode() for text in (*pages, *dashboard_files().texts.values())]
    assert sum(map(len, texts)) < _MAX_BYTES
    # each file is compressed alone, so many small modules take more than a few large ones
    assert sum(len(gzip.compress(text)) for text in texts) < _MAX_COMPRESSED_BYTES


def test_every_file_is_served_and_a_module_has_at_most_300_lines():
    served = dashboard_files().texts
    texts = {file: file.read_text("utf-8") for file in FILES}
    assert {FOLDER / name: text for name, text in served.items()} == {
        file: compact(text) for file, text in texts.items()
    }
    assert {file.suffix for file in FILES} == {".js", ".css"}
    assert [file.name for file, text in texts.items() if len(text.splitlines()) > 300] == []


def test_files_are_served_without_comments_and_indentation_and_with_all_else():
    script = """// What it does.
import { h } from "./dom.js";

/**
 * Says // what * it is.
 */
export function at(url) {
  // why
  return url === "https://x.example//" ? `/* no comment */` : h("p"); // stays
}
"""
    assert (
        compact(script)
        == """import { h } from "./dom.js";
export function at(url) {
return url === "https://x.example//" ? `/* no comment */` : h("p"); // stays
}"""
    )
    assert compact('a = "x\u2028y\x0cz";\r\n  b();') == 'a = "x\u2028y\x0cz";\nb();'
    assert compact("/* a\n b */\na { b: c; }\n/* d */\n") == "a { b: c; }"


def test_no_text_of_a_script_has_several_lines():
    lines = [(file.name, line) for file in FILES for line in file.read_text("utf-8").splitlines()]
    assert [pair for pair in lines if pair[1].count("`") % 2] == []


def test_a_folder_has_at_most_12_files():
    folders = {file.parent for file in FILES}
    assert [folder.name for folder in folders if len(list(folder.iterdir())) > _MOST_IN_A_FOLDER] == []


def test_modules_import_only_modules_that_are_served():
    imports = [(file, name) for file in FILES for name in _IMPORTED.findall(file.read_text("utf-8"))]
    assert len(imports) > len(FILES)
    assert [pair for pair in imports if (pair[0].parent / pair[1]).resolve() not in FILES] == []
    assert [file.name for file in FILES if "http://" in file.read_text("utf-8")] == []


def test_every_module_is_imported_and_every_style_is_linked():
    pages = "".join((FOLDER.parent / name).read_text("utf-8") for name in PAGES)
    linked = {FOLDER / name for name in re.findall(r'"\{files\}/([^"]+)"', pages)}
    imported = {
        (file.parent / name).resolve()
        for file in FILES
        for name in _IMPORTED.findall(file.read_text("utf-8"))
    }
    assert linked | imported == set(FILES)


def test_what_views_share_knows_no_view():
    parts = [file for file in FILES if file.parent.name == "parts"]
    imported = {name for file in parts for name in _IMPORTED.findall(file.read_text("utf-8"))}
    assert [name for name in imported if not name.startswith("./")] == []


def test_no_text_is_read_as_html():
    assert [file.name for file in FILES if _WRITES_HTML.search(file.read_text("utf-8"))] == []


def test_the_key_is_stored_for_the_tab_only():
    texts = "".join(file.read_text("utf-8") for file in FILES)
    assert "sessionStorage" in texts
    assert re.search(r"localStorage|indexedDB|document\.cookie", texts) is None


def test_the_dashboard_names_every_format():
    assert words("FORMATS") == set(get_args(FormatName.__value__))


def test_the_dashboard_explains_every_state_reason_and_failure():
    assert words("STATES") == {state.value for state in State} == documented("States")
    assert words("REASONS") == documented("Rejection reasons")
    assert words("FAILURES") == documented("Failure codes")
