"""A model in ONNX scores pictures and texts. Wrong files end in an error that names them."""

import asyncio
import contextlib
import json
import random
import subprocess
import sys

import numpy as np
import pytest
from onnx import TensorProto

from shared.errors import Permanent, Unavailable
from shared.scoring.model_files import ModelFiles
from shared.scoring.onnx.scorer import OnnxScorer
from shared.scoring.scorer import cosine
from shared.storage.memory.blobs import MemoryBlobs
from tests.unit.scoring.onnx.tiny_models import COLORS, LENGTH, text_model, tiny_clip, tokenizer, vision_model

SHORT = b'{"model_max_length": 3, "pad_token": "[PAD]"}'
RED = np.full((40, 60, 3), (250, 5, 5), np.uint8)


async def scorer_of(**changes: bytes | None) -> OnnxScorer:
    blobs = MemoryBlobs()
    for name, data in tiny_clip(**changes).items():
        await blobs.put(f"models/tiny/{name}", data)
    return OnnxScorer(ModelFiles(blobs), "tiny")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"vision_model_onnx": vision_model("pooler_output"), "text_model_onnx": text_model("pooler_output")},
        {
            "text_model_onnx": text_model(mask=False),
            "tokenizer_config_json": b'{"model_max_length": 3, "pad_token": "[PAD]"}',
        },
        {"vision_model_onnx": vision_model(kind=TensorProto.FLOAT16)},
        {
            "tokenizer_config_json": b'{"model_max_length": 9, "pad_token": {"content": "[PAD]", "lstrip": false}}'
        },
    ],
)
async def test_a_red_picture_is_nearest_to_the_word_red(changes):
    scorer = await scorer_of(**changes)

    picture = await scorer.embed_picture(RED)
    found = {word: cosine(picture, await scorer.embed_text(word)) for word in COLORS}

    assert max(found, key=lambda word: found[word]) == "red"
    assert found["red"] == pytest.approx(1, abs=0.01)
    assert found["green"] < 0
    assert scorer.name == "tiny"


async def test_a_text_that_is_too_long_is_cut_and_the_padding_does_not_count():
    scorer = await scorer_of()

    one = await scorer.embed_text("red")
    many = await scorer.embed_text(" ".join(["red"] * (LENGTH - 2) + ["blue"] * 1000))

    assert cosine(one, many) == pytest.approx(1, abs=0.001)


async def test_many_tasks_load_the_model_once(monkeypatch):
    blobs, read = MemoryBlobs(), []
    for name, data in tiny_clip().items():
        await blobs.put(f"models/tiny/{name}", data)
    files = ModelFiles(blobs)

    async def counted(model, file, max_bytes, original=files.read):
        read.append(file)
        return await original(model, file, max_bytes)

    monkeypatch.setattr(files, "read", counted)
    scorer = OnnxScorer(files, "tiny")
    cancelled = asyncio.create_task(scorer.embed_picture(RED))
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.gather(*(scorer.embed_picture(RED) for _ in range(20)), scorer.embed_text("red"))

    assert sorted(read) == sorted(tiny_clip())


@pytest.mark.parametrize("missing", tiny_clip())
async def test_a_missing_file_is_named_and_can_be_added_later(missing):
    scorer = await scorer_of(**{missing.replace(".", "_"): None})

    with pytest.raises(Permanent, match=rf"no file 'models/tiny/{missing}'"):
        await scorer.embed_picture(RED)

    await scorer._files._blobs.put(f"models/tiny/{missing}", tiny_clip()[missing])
    assert (await scorer.embed_picture(RED)).shape == (3,)


GARBAGE = (b"\x00", b"not a model", b"\x08\x08" * 5000, text_model()[:100])


@pytest.mark.parametrize("data", GARBAGE)
@pytest.mark.parametrize("file", ["vision_model.onnx", "text_model.onnx"])
async def test_a_file_that_is_no_model_is_an_error_that_names_it(file, data):
    scorer = await scorer_of(**{file.replace(".", "_"): data})

    with pytest.raises(Permanent, match=rf"'{file}' of the model 'tiny'"):
        await scorer.embed_picture(RED)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"vision_model_onnx": text_model()}, "it must have pixel_values"),
        ({"text_model_onnx": vision_model()}, "it must have input_ids"),
        ({"vision_model_onnx": vision_model("logits")}, "it must have image_embeds or pooler_output"),
        ({"text_model_onnx": text_model("logits")}, "it must have text_embeds or pooler_output"),
        ({"preprocessor_config_json": b'{"size": 9}'}, "does not run"),
        ({"preprocessor_config_json": b"{"}, "preprocessor_config.json of the model 'tiny' is not valid"),
        ({"tokenizer_json": b"{}"}, "tokenizer.json of the model 'tiny' is not valid"),
        ({"tokenizer_json": b"\xff"}, "tokenizer.json of the model 'tiny' is not valid"),
        ({"tokenizer_config_json": b"{}"}, "tokenizer_config.json of the model 'tiny' is not valid"),
        ({"tokenizer_config_json": b'{"model_max_length": 1e30, "pad_token": "[PAD]"}'}, "model_max_length"),
        ({"tokenizer_config_json": b'{"model_max_length": 8, "pad_token": "<pad>"}'}, "no token '<pad>'"),
    ],
)
async def test_files_that_do_not_fit_together_are_an_error_that_says_what_is_wrong(changes, why):
    scorer = await scorer_of(**changes)

    with pytest.raises(Permanent, match=why):
        await scorer.embed_text("red")


async def test_a_tokenizer_whose_numbers_are_beyond_the_models_table_is_an_error():
    many = json.loads(tokenizer())
    many["model"]["vocab"] |= {f"word{number}": number for number in range(20, 90)}
    scorer = await scorer_of(tokenizer_json=json.dumps(many).encode())

    with pytest.raises(Permanent, match=r"'text_model\.onnx' of the model 'tiny' does not run"):
        await scorer.embed_text("word80")


async def test_storage_that_does_not_answer_is_tried_again():
    class Broken(MemoryBlobs):
        async def info(self, name):
            raise Unavailable(f"{name} cannot be read")

    with pytest.raises(Unavailable):
        await OnnxScorer(ModelFiles(Broken()), "tiny").embed_picture(RED)


def test_the_libraries_are_imported_only_when_a_model_is_loaded():
    code = "import sys, shared.scoring.onnx.scorer\nprint({'onnxruntime', 'tokenizers'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - runs this interpreter
    assert found.stdout.strip() == "set()"


@pytest.mark.parametrize("library", ["onnxruntime", "tokenizers"])
async def test_without_the_extra_the_error_says_how_to_get_it(monkeypatch, library):
    monkeypatch.setitem(sys.modules, library, None)
    scorer = await scorer_of()

    with pytest.raises(Permanent, match=rf"lacks {library}.*EXTRAS=scores"):
        await scorer.embed_picture(RED)


async def test_a_tokenizer_at_which_the_library_panics_is_an_error_like_others():
    broken = json.loads(tokenizer())
    del broken["post_processor"]["special_tokens"]["[END]"]
    scorer = await scorer_of(tokenizer_json=json.dumps(broken).encode())

    with pytest.raises(Permanent, match=r"tokenizer\.json of the model 'tiny' is not valid"):
        await scorer.embed_text("red")


async def test_a_name_that_is_not_utf_8_is_an_error_that_names_the_file():
    scorer = await scorer_of(text_model_onnx=text_model().replace(b"text_embeds", b"text_embed\xff"))

    with pytest.raises(Permanent, match=r"'text_model\.onnx' of the model 'tiny'"):
        await scorer.embed_text("red")


async def test_files_with_changed_bytes_work_or_are_refused_and_nothing_is_printed(capfd):
    chance = random.Random(7)
    for _ in range(120):
        name = chance.choice(["vision_model.onnx", "text_model.onnx", "tokenizer.json"])
        data = bytearray(tiny_clip()[name])
        data[chance.randrange(len(data))] = chance.randrange(256)
        scorer = await scorer_of(**{name.replace(".", "_"): bytes(data)})
        with contextlib.suppress(Permanent):
            assert (await scorer.embed_text("red")).shape == (3,)
    assert "Falling back" not in capfd.readouterr().out
