"""The files of the dashboard: small, without HTML out of texts, and with the words of the documents."""

import gzip
import re
import subprocess
from pathlib import Path

import functions.http.pages
from functions.http.pages.assets import ASSETS, asset
from shared.jobs.job.states import State
from tests.unit.documents.markdown import codes_in, rows_of, section_of

FOLDER = Path(functions.http.pages.__file__).parent / "files" / "dashboard"
FILES = sorted(FOLDER.iterdir())
_MAX_BYTES = 150_000
_IMPORTED = re.compile(r'from "\./([^"]+)"')
_WRITES_HTML = re.compile(
    r"\.(inner|outer)HTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser"
)


def words(name: str) -> set[str]:
    """Returns the keys of a table in words.js."""
    script = f"{(FOLDER / 'words.js').read_text('utf-8')}\nconsole.log(Object.keys({name}).join())"
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
    page = FOLDER.parent / "dashboard.html"
    texts = [file.read_bytes() for file in [*FILES, page]]
    assert sum(map(len, texts)) < _MAX_BYTES
    assert sum(len(gzip.compress(text)) for text in texts) < _MAX_BYTES // 3


def test_every_file_is_served_and_a_module_has_at_most_300_lines():
    for file in FILES:
        assert asset(file.name) == file.read_text("utf-8")
        assert ASSETS[file.name].media_type == {".js": "text/javascript", ".css": "text/css"}[file.suffix]
        assert len(file.read_text("utf-8").splitlines()) <= 300, file.name


def test_modules_import_only_modules_that_are_served():
    for file in FILES:
        imported = _IMPORTED.findall(file.read_text("utf-8"))
        assert set(imported) <= {each.name for each in FILES}, file.name
        assert "http://" not in file.read_text("utf-8")


def test_no_text_is_read_as_html():
    assert [file.name for file in FILES if _WRITES_HTML.search(file.read_text("utf-8"))] == []


def test_the_key_is_stored_for_the_tab_only():
    texts = "".join(file.read_text("utf-8") for file in FILES)
    assert "sessionStorage" in texts
    assert re.search(r"localStorage|indexedDB|document\.cookie", texts) is None


def test_the_dashboard_explains_every_state_reason_and_failure():
    assert words("STATES") == {state.value for state in State} == documented("States")
    assert words("REASONS") == documented("Rejection reasons")
    assert words("FAILURES") == documented("Failure codes")
