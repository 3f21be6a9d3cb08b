"""Files of models are read whole, within a limit, and only by safe names."""

from typing import NoReturn

import pytest

from shared.errors import Permanent, Unavailable
from shared.scoring.model_files import NSFW_FILES, ModelFiles
from shared.storage.blobs import Tier
from shared.storage.memory.blobs import MemoryBlobs


@pytest.fixture
def blobs() -> MemoryBlobs:
    return MemoryBlobs()


async def test_a_file_is_read_from_the_folder_of_its_model(blobs):
    await blobs.put("models/clip/model.onnx", b"weights")

    assert await ModelFiles(blobs).read("clip", "model.onnx", 7) == b"weights"


async def test_a_missing_file_is_named_with_its_place(blobs):
    with pytest.raises(Permanent, match=r"'clip' has no file 'models/clip/model\.onnx' in storage"):
        await ModelFiles(blobs).read("clip", "model.onnx", 7)


@pytest.mark.parametrize(("data", "size"), [(b"", "0"), (b"12345678", "8")])
async def test_an_empty_or_too_large_file_is_refused_with_its_size(blobs, data, size):
    await blobs.put("models/clip/model.onnx", data)

    with pytest.raises(Permanent, match=f"has {size} bytes; it must have 1 to 7"):
        await ModelFiles(blobs).read("clip", "model.onnx", 7)


@pytest.mark.parametrize("name", ["..", "", "a/b", "a\\b", ".hidden", "a\n", "x" * 101, "ä"])
async def test_only_plain_names_are_read(blobs, name):
    files = ModelFiles(blobs)

    with pytest.raises(Permanent, match="must be names of a model and of its file"):
        await files.read(name, "model.onnx", 7)
    with pytest.raises(Permanent, match="must be names of a model and of its file"):
        await files.read("clip", name, 7)


async def test_a_file_in_the_archive_tier_is_refused(blobs):
    await blobs.put("models/clip/model.onnx", b"weights")
    await blobs.set_tier("models/clip/model.onnx", Tier.ARCHIVE)

    with pytest.raises(Permanent, match="cannot be read"):
        await ModelFiles(blobs).read("clip", "model.onnx", 7)


async def test_each_file_that_cannot_be_read_is_named_without_reading_any(blobs):
    await blobs.put("models/falcon/config.json", b"{}")
    await blobs.put("models/falcon/model.onnx", b"")

    missing, empty = await ModelFiles(blobs).problems("falcon", NSFW_FILES)
    assert missing.startswith("The model 'falcon' has no file 'models/falcon/preprocessor_config.json'")
    assert empty == "'models/falcon/model.onnx' has 0 bytes; it must have 1 to 1,000,000,000."

    await blobs.put("models/falcon/preprocessor_config.json", b"{}")
    await blobs.put("models/falcon/model.onnx", b"weights that no library could load")
    assert await ModelFiles(blobs).problems("falcon", NSFW_FILES) == []


async def test_storage_that_does_not_answer_is_no_missing_file():
    class Silent(MemoryBlobs):
        async def info(self, name: str) -> NoReturn:
            raise Unavailable(f"{name}: storage did not answer.")

    with pytest.raises(Unavailable):
        await ModelFiles(Silent()).problems("falcon", NSFW_FILES)
