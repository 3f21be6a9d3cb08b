"""Attributions of images of every service have title, author, source and licence, each with its link."""

import pytest

from shared.archiving.texts.credit import credit_line
from shared.records.licenses import asks_for_attribution
from shared.records.records import Reason, Record, Rejected
from shared.sources.search.json_api import ApiAccess
from shared.sources.search.openverse import OpenverseAccess

LINES = {
    "openverse": [
        (
            '"Cat on a wall" (https://www.flickr.com/photos/1/2) by Somebody (https://www.flickr.com/photos/1), '
            "CC BY-SA 2.0 (https://creativecommons.org/licenses/by-sa/2.0/)"
        )
    ],
    "wikimedia": [
        (
            '"Katze auf Mauer.jpg" (https://commons.wikimedia.org/wiki/File:Katze_auf_Mauer.jpg) '
            "by Jane & Joe (https://commons.wikimedia.org/wiki/User:Jane), "
            "CC BY-SA 4.0 (https://creativecommons.org/licenses/by-sa/4.0)"
        )
    ],
    "flickr": [
        (
            '"Cat on a wall" (https://www.flickr.com/photos/141852728@N05/52551849781) '
            "by Jane Doe (https://www.flickr.com/people/141852728@N05), "
            "CC BY 2.0 (https://creativecommons.org/licenses/by/2.0/)"
        ),
        (
            "Untitled (https://www.flickr.com/photos/47058503995@N01/2636) "
            "by The Library (https://www.flickr.com/people/47058503995@N01), "
            "no known copyright restrictions (https://www.flickr.com/commons/usage/)"
        ),
    ],
    "pexels": [
        (
            '"A cat on a wall" (https://www.pexels.com/photo/cat-on-a-wall-3573351/) '
            "by Lukas Rodriguez (https://www.pexels.com/@lukas-rodriguez-1845331), "
            "Pexels License (https://www.pexels.com/license/)"
        ),
        (
            "Untitled (https://www.pexels.com/photo/kitty-cat-kitten-pet-45201/) "
            "by Pixabay (https://www.pexels.com/@pixabay), "
            "Pexels License (https://www.pexels.com/license/)"
        ),
    ],
    "pixabay": [
        (
            "Untitled (https://pixabay.com/en/blossom-bloom-flower-195893/) "
            "by Josch 13 (https://pixabay.com/users/48777/), "
            "Pixabay Content License (https://pixabay.com/service/license-summary/)"
        ),
        (
            "Untitled (https://pixabay.com/photos/cat-73424/) by Hans/Benn, "
            "Pixabay Content License (https://pixabay.com/service/license-summary/)"
        ),
    ],
}


@pytest.mark.parametrize("name", LINES)
async def test_an_image_of_every_service_is_attributed_with_all_links(name, search, service, response):
    service.answer(response(name))
    access = OpenverseAccess(service.url) if name == "openverse" else ApiAccess(service.url, key="k3y")
    page = await search(access, {"type": name})
    lines = [
        credit_line(Record(0, candidate, Rejected(Reason.TIMED_OUT)))
        for candidate in page.candidates
        if asks_for_attribution(candidate.provenance.license)
    ]
    assert lines == LINES[name]
