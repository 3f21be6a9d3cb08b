"""Hand-made JPEGs have the outcome that the name of their folder says."""

import pytest

from shared.crawling.judging.inspect import Inspected, inspect
from shared.crawling.options import Filters
from shared.records.records import Reason, Rejected
from tests.corpus.make_jpegs import FILES, FOLDER

REASONS = {"unsupported": Reason.UNSUPPORTED_FORMAT, "corrupt": Reason.CORRUPT}


def test_the_files_are_those_that_the_script_makes():
    found = {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in FOLDER.rglob("*.jpg")}
    assert found == FILES


@pytest.mark.parametrize("name", FILES)
def test_a_jpeg_of_the_corpus_has_the_outcome_that_its_folder_names(name):
    found = inspect(FILES[name], Filters())
    folder = name.partition("/")[0]
    if folder in REASONS:
        assert isinstance(found, Rejected), found
        assert found.reason is REASONS[folder]
    else:
        assert isinstance(found, Inspected), found
        assert (found.data == FILES[name]) == (folder == "kept")
