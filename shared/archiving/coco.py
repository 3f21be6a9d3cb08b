"""COCO's object format, as one JSON file."""

import json
from array import array
from collections.abc import Iterator, Sequence

from shared.archiving.told import Placed

_json = json.JSONEncoder(ensure_ascii=False).encode  # `json.dumps` would make an encoder for each call


class Coco:
    """COCO's object format: images, categories, one whole-image box each (cocodataset.org/#format-data)."""

    def __init__(self, name: str, labels: Sequence[str]) -> None:
        self.name = name
        self._labels = labels
        self._boxes = array("i")  # label, width and height of each image, for the list behind the images

    def begin(self) -> str:
        """See `Annotation`."""
        categories = [{"id": number + 1, "name": label} for number, label in enumerate(self._labels)]
        return f'{{"categories": {_json(categories)},\n"images": ['

    def row(self, image: Placed) -> str:
        """See `Annotation`."""
        facts = image.kept.facts
        self._boxes.extend((image.label_number + 1, facts.width, facts.height))
        number = len(self._boxes) // 3
        described = {"id": number, "file_name": image.path, "width": facts.width, "height": facts.height}
        return ("" if number == 1 else ",") + "\n" + _json(described)

    def end(self) -> Iterator[str]:
        """See `Annotation`."""
        yield '],\n"annotations": ['
        for at in range(0, len(self._boxes), 3):
            category, width, height = self._boxes[at : at + 3]
            number = at // 3 + 1
            yield (
                f'{"," if at else ""}\n{{"id":{number},"image_id":{number},"category_id":{category},'
                f'"bbox":[0,0,{width},{height}],"area":{width * height},"iscrowd":0}}'
            )
        yield "]}\n"
