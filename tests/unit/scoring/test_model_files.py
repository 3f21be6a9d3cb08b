"""Files of models are read whole, within a limit, and only by safe names."""

import pytest

from shared.errors import Permanent
from shared.scoring.model_files import ModelFiles
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
