"""Pictures and texts become vectors by calls of the service's documented shape, and nothing else is taken for one."""

import json
import math

import numpy as np
import pytest

from shared.errors import Permanent
from tests.unit.scoring.azure_vision.conftest import refusal, vector_of

PICTURE = np.zeros((384, 512, 3), np.uint8)


async def test_a_picture_is_sent_as_jpeg_with_the_apps_identity_and_without_a_key(vision, server, credential):
    found = await vision.embed_picture(PICTURE)
    expected = np.array(vector_of(512))
    assert found.dtype == np.float32
    assert found == pytest.approx(expected / np.linalg.norm(expected), abs=1e-6)
    assert credential.scopes == ["https://cognitiveservices.azure.com/.default"]
    (call,) = server.asked
    assert call.headers["Authorization"] == "Bearer token 1"
    assert not [name for name in call.headers if "subscription-key" in name.lower()]


async def test_a_text_is_sent_as_json(vision, server):
    found = await vision.embed_text("grüne Äpfel")
    assert json.loads(server.asked[0].body) == {"text": "grüne Äpfel"}
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-6)


async def test_a_text_has_no_more_words_than_the_service_takes(vision, server):
    await vision.embed_text("word " * 500)
    assert len(json.loads(server.asked[0].body)["text"].split()) == 70


@pytest.mark.parametrize("shape", [(1, 1), (10, 10), (1, 9000), (3, 2500), (9000, 1), (3000, 4000)])
async def test_pictures_of_all_shapes_are_made_to_fit_the_limits_of_the_service(vision, shape):
    rng = np.random.default_rng(1)
    picture = rng.integers(0, 255, (*shape, 3), dtype=np.uint8)
    assert len(await vision.embed_picture(picture)) == 1024


async def test_a_picture_that_the_service_does_not_take_is_an_error_of_this_picture(vision, server):
    server.gives(400, refusal("InvalidRequest", "InvalidImageSize"))
    with pytest.raises(ValueError, match="does not take this picture"):
        await vision.embed_picture(PICTURE)
    assert len(await vision.embed_picture(PICTURE)) == 1024


@pytest.mark.parametrize("numbers", [[0.0] * 1024, [math.nan] * 1024, [1.0] * 1023 + [math.inf]])
async def test_a_vector_without_a_direction_is_an_error_of_this_picture(vision, server, numbers):
    server.gives(200, {"modelVersion": "2023-04-15", "vector": numbers})
    with pytest.raises(ValueError, match="no direction"):
        await vision.embed_picture(PICTURE)


async def test_a_label_that_has_no_vector_fails_the_job(vision, server):
    server.gives(200, {"modelVersion": "2023-04-15", "vector": [0.0] * 1024})
    with pytest.raises(Permanent, match="no vector for the text 'cat'"):
        await vision.embed_text("cat")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[" * 100_000,
        b"{" + b'"a":{' * 30_000,
        b"[]",
        b"null",
        b"{}",
        b'{"vector": "text"}',
        {"modelVersion": "2023-04-15"},
        {"vector": vector_of(1)},
        {"modelVersion": "2022-04-11", "vector": vector_of(1)},
        {"modelVersion": "2023-04-15", "vector": vector_of(1)[:-1]},
        {"modelVersion": "2023-04-15", "vector": [*vector_of(1), 0.5]},
        {"modelVersion": "2023-04-15", "vector": [str(number) for number in vector_of(1)]},
        {"modelVersion": "2023-04-15", "vector": [[number] for number in vector_of(1)]},
        {"modelVersion": "2023-04-15", "vector": [None] * 1024},
        {"modelVersion": "2023-04-15", "vector": [True] * 1024},
        {"modelVersion": "2023-04-15", "vector": dict.fromkeys(map(str, range(1024)), 1)},
        b'{"modelVersion": "2023-04-15", "vector": [' + b"9" * 5000 + b"]}",
        b"\xff\xfe" * 1000,
        b"a" * 300_000,
    ],
)
async def test_an_answer_of_another_shape_fails_the_job_and_names_the_setting(vision, server, body):
    server.gives(200, body)
    with pytest.raises(Permanent, match="AZURE_VISION_ENDPOINT"):
        await vision.embed_picture(PICTURE)
