"""Names of blobs that callers choose."""

import pytest

from shared.errors import InvalidRequest
from shared.jobs.submission.image_list import parse_image_list
from shared.text.blob_name_rule import check_blob_name
from tests.unit.known_sources import parse_spec

GOOD = [
    "inputs/x.csv",
    "inputs/a b/\u00e4\u0308/\U0001f408.csv",
    "inputs/.hidden/x..y.csv",
    "inputs/%2e%2e/x?y#z&w.csv",
    "inputs/" + "x" * 1013 + ".csv",
]
BAD = {
    "inputs/./x.csv": "empty, . or .. parts",
    "./inputs/x.csv": "empty, . or .. parts",
    "inputs/../x.csv": "empty, . or .. parts",
    "inputs/..": "empty, . or .. parts",
    "inputs//x.csv": "empty, . or .. parts",
    "inputs\\x.csv": "backslashes",
    "inputs/a\\..\\x.csv": "backslashes",
    "inputs/a\0.csv": "control characters",
    "inputs/a\n.csv": "control characters",
    "inputs/a\x7f.csv": "control characters",
    "inputs/a\x9f.csv": "control characters",
    "inputs/\ud83d.csv": "unpaired surrogates",
    "inputs/\uffff.csv": "control characters",
    "inputs/" + "x" * 1014 + ".csv": "1,024",
    "inputs/" + "\U0001f408" * 507 + ".csv": "1,024",
    "/inputs/x.csv": "neither begins nor ends with /",
    "inputs/x.csv/": "neither begins nor ends with /",
    "": "empty",
    "https://a.blob.core.windows.net/c/inputs/x.csv": "not an address",
}


@pytest.mark.parametrize("name", GOOD)
def test_a_name_that_is_the_same_everywhere_is_accepted(name):
    assert check_blob_name(name) == name
    parse_spec({"sources": [{"type": "urls", "blob": name}]})
    parse_image_list({"images": [name, {"name": name}]})


@pytest.mark.parametrize("name", BAD)
def test_a_name_that_storage_or_its_clients_would_change_or_refuse_is_refused_with_its_field(name):
    with pytest.raises(InvalidRequest) as refused:
        parse_spec({"sources": [{"type": "urls", "blob": name}]})
    [field] = refused.value.fields
    assert (field.field, BAD[name] in field.message) == ("sources.0.blob", True)
    for images in ([name], [{"name": name}]):
        with pytest.raises(InvalidRequest) as refused:
            parse_image_list({"images": images})
        [field] = refused.value.fields
        assert (field.field, BAD[name] in field.message) == ("images.0.name", True)


@pytest.mark.parametrize(
    "name", ["work/job_1/shards/1.bin", "datasets/job_1/dataset.zip", "answers/x/1.json"]
)
def test_no_list_of_images_names_blobs_of_the_app(name):
    with pytest.raises(InvalidRequest) as refused:
        parse_image_list({"images": [name]})
    assert "own blobs" in refused.value.fields[0].message
