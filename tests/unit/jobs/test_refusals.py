"""What cannot work is refused where it is asked for."""

import pytest

from shared.errors import InvalidRequest
from shared.jobs.image_list import parse_image_list
from shared.jobs.spec import parse_spec


@pytest.mark.parametrize(
    "name",
    [
        "",
        "../x.png",
        "inputs/../work/x.png",
        "/x.png",
        "inputs//x.png",
        "inputs/./x.png",
        "a\\..\\b.png",
        "work/job_1/shards/00001",
        "datasets/job_1/dataset.zip",
    ],
)
@pytest.mark.parametrize("wrap", [lambda name: name, lambda name: {"name": name, "label": "x"}])
def test_stored_images_are_named_plainly_and_are_not_the_apps_own(name, wrap):
    with pytest.raises(InvalidRequest) as refused:
        parse_image_list({"images": ["inputs/good.png", wrap(name)]})
    assert [field.field for field in refused.value.fields] == ["images.1.name"]
    assert len(parse_image_list({"images": [wrap("inputs/cats/1..2.png")]}).images) == 1


@pytest.mark.parametrize("url", ["http://user:secret@hooks.example/x", "ftp://hooks.example/x"])
def test_a_webhook_that_could_never_be_called_is_refused(url):
    with pytest.raises(InvalidRequest) as refused:
        parse_spec({"keywords": ["cat"], "webhook_url": url})
    assert [field.field for field in refused.value.fields] == ["webhook_url"]
    assert "secret" not in str([field.message for field in refused.value.fields])
