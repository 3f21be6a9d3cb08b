import pytest

from shared.archiving.told import attribution_line
from shared.candidates import Candidate, Provenance
from shared.records import Reason, Record, Rejected

PAGE = "https://www.flickr.com/photos/1@N05/2"


@pytest.mark.parametrize(
    ("told", "line"),
    [
        (
            {
                "title": "A cat",
                "creator": "Jane",
                "license": "by",
                "license_version": "2.0",
                "page_url": PAGE,
            },
            f'"A cat" by Jane, CC BY 2.0 ({PAGE})',
        ),
        ({"license": "by-sa"}, "Untitled, CC BY-SA"),
        (
            {"title": "A cat", "creator": "The Library", "license": "flickr", "page_url": PAGE},
            f'"A cat" by The Library, no known copyright restrictions ({PAGE})',
        ),
        (
            {"title": "A cat", "creator": "Jo", "license": "pexels", "page_url": PAGE},
            f'"A cat" by Jo, Pexels License ({PAGE})',
        ),
        ({"creator": "Jo", "license": "pixabay"}, "Untitled by Jo, Pixabay Content License"),
        ({"license": "by", "attribution": "As the source has it."}, "As the source has it."),
    ],
)
def test_an_attribution_names_title_author_licence_and_page_as_far_as_they_are_known(told, line):
    candidate = Candidate("https://a/1.jpg", "cat", Provenance("test", **told))
    assert attribution_line(Record(0, candidate, Rejected(Reason.TIMED_OUT))) == line
