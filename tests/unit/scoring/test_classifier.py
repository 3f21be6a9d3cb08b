"""A classifier rates pictures by the labels that the settings name, and says what is wrong with its files."""

import numpy as np
import pytest

from shared.errors import Permanent
from shared.scoring.model_files import ModelFiles
from shared.scoring.model_names import ModelNames
from shared.scoring.picture_model_loader import PictureModelLoader
from shared.scoring.picture_models import PictureClassifier
from shared.storage.memory.blobs import MemoryBlobs
from tests.unit.scoring.tiny_classifier import classifier_files

RED, GREEN, GREY = ((255, 0, 0), (0, 255, 0), (90, 90, 90))


def colored(color: tuple[int, int, int]) -> np.ndarray:
    return np.full((50, 70, 3), color, np.uint8)


async def loaded(files: dict[str, bytes], labels: tuple[str, ...] = ("nsfw",)) -> PictureClassifier:
    blobs = MemoryBlobs()
    for file, data in files.items():
        await blobs.put(f"models/falcon/{file}", data)
    loader = PictureModelLoader(ModelFiles(blobs), ModelNames(nsfw="falcon", nsfw_labels=labels))
    models = await loader.load(faces=False, nsfw=True)
    assert models.faces is None
    assert (await loader.load(faces=False, nsfw=True)).nsfw is models.nsfw
    assert models.nsfw is not None
    return models.nsfw


async def test_the_probability_is_that_of_the_labels_that_are_not_safe_for_work() -> None:
    model = await loaded(classifier_files())
    found = [round(model.probability(colored(color)), 3) for color in (RED, GREEN, GREY)]
    assert found == [1.0, 0.0, 0.5]


async def test_labels_are_the_same_in_upper_and_lower_case_and_their_probabilities_are_added() -> None:
    model = await loaded(classifier_files({"0": "Porn", "1": "NSFW"}), ("porn", "nsfw"))
    assert model.probability(colored(GREEN)) == pytest.approx(1)


async def test_of_independent_labels_the_most_likely_counts() -> None:
    files = classifier_files(problem_type="multi_label_classification")
    assert (await loaded(files, ("normal", "nsfw"))).probability(colored(GREEN)) == pytest.approx(0.5)


WRONG = [
    ({"config.json": b""}, "no file|0 bytes"),
    ({"config.json": b"[]"}, r"config.json of the model 'falcon' is not valid"),
    ({"config.json": b'{"id2label": {"0": "normal", "7": "nsfw"}}'}, "numbers from 0 on"),
    ({"config.json": b'{"id2label": {"0": "sfw", "1": "other"}}'}, "labels sfw, other; NSFW_LABELS"),
    ({"config.json": b'{"id2label": {"0": "a", "1": "b", "2": "nsfw"}}'}, r"\(1, 2\); config.json has 3"),
    ({"preprocessor_config.json": b'{"size": {"height": 16, "width": 16}}'}, "does not run"),
    ({"preprocessor_config.json": b"{"}, "preprocessor_config.json"),
    ({"model.onnx": b"no model"}, "is no model that can be run"),
]


@pytest.mark.parametrize(("changed", "text"), WRONG)
async def test_files_that_are_not_a_classifiers_are_refused_with_what_is_wrong(
    changed: dict[str, bytes], text: str
) -> None:
    with pytest.raises(Permanent, match=text):
        await loaded(classifier_files() | changed)


async def test_without_a_name_in_the_settings_the_error_names_the_setting() -> None:
    loader = PictureModelLoader(ModelFiles(MemoryBlobs()), ModelNames())
    with pytest.raises(Permanent, match="NSFW_MODEL"):
        await loader.load(faces=False, nsfw=True)
    with pytest.raises(Permanent, match="FACES_MODEL"):
        await loader.load(faces=True, nsfw=False)
