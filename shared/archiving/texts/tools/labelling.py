"""Writes the labels of all images for tools in which people look at images and correct labels."""

import json
from collections.abc import Iterator, Sequence
from typing import override
from urllib.parse import quote

from shared.archiving.texts.annotation import Annotation
from shared.archiving.texts.metadata import Placed
from shared.text.json_lines import json_line


class LabelStudio(Annotation):
    """A JSON array of Label Studio's tasks. Each has one annotation, with the label of the image.

    Format: https://labelstud.io/guide/tasks.html, "Label Studio JSON format of annotated tasks". The labelling
    interface must have `Choices` named `label` for an `Image` named `image`. If the images are files of the dataset,
    tasks have the addresses that Label Studio serves local files under, otherwise those that the images were downloaded
    from.
    """

    def __init__(self, name: str, *, local: bool) -> None:
        super().__init__(name)
        self._local = local
        self._count = 0

    @override
    def begin(self) -> bytes:
        return b"["

    @override
    def row(self, image: Placed) -> bytes:
        self._count += 1
        choice = {
            "from_name": "label",
            "to_name": "image",
            "type": "choices",
            "value": {"choices": [image.record.candidate.label]},
        }
        address = f"/data/local-files/?d={quote(image.path)}" if self._local else image.fields["url"]
        task = {"data": {**image.fields, "image": address}, "annotations": [{"result": [choice]}]}
        return (b"" if self._count == 1 else b",") + b"\n" + json_line(task)

    @override
    def end(self) -> Iterator[bytes]:
        yield b"\n]\n"


class FiftyOne(Annotation):
    """The `labels.json` of a FiftyOneImageClassificationDataset, whose images are in the folder of the dataset.

    Format: https://docs.voxel51.com/user_guide/import_datasets.html. An image is named by its path without extension.
    """

    def __init__(self, name: str, labels: Sequence[str]) -> None:
        super().__init__(name)
        self._labels = labels
        self._count = 0

    @override
    def begin(self) -> bytes:
        return b'{"classes": %b,\n"labels": {' % json_line(list(self._labels))

    @override
    def row(self, image: Placed) -> bytes:
        self._count += 1
        key = json.dumps(image.path.rpartition(".")[0]).encode()
        return (b"" if self._count == 1 else b",") + b"\n%b: %d" % (key, image.label_number)

    @override
    def end(self) -> Iterator[bytes]:
        yield b"\n}}\n"


class Classes(Annotation):
    """A text file with one label per line, in the order of their numbers, which are the same in all splits."""

    def __init__(self, name: str, labels: Sequence[str]) -> None:
        super().__init__(name)
        self._labels = labels

    @override
    def begin(self) -> bytes:
        lines = [f"{' '.join(label.split())}\n" for label in self._labels]
        return "".join(lines).encode("utf-8", "replace")

    @override
    def row(self, image: Placed) -> bytes:
        return b""
