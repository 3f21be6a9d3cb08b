"""Writes COCO's object format, as one JSON file."""

from array import array
from collections.abc import Iterator, Sequence
from typing import override

from shared.archiving.order import ArchiveOrder
from shared.archiving.texts.annotation import Annotation
from shared.archiving.texts.metadata import EMBEDDED_COLUMNS, Placed
from shared.records.licenses import License, license_name, license_url
from shared.records.scores import SCORES_OF_ALL
from shared.text.json_lines import json_line

# further keys of an image are allowed, and readers ignore those that they do not know
_FURTHER = (*SCORES_OF_ALL, "dominant_color", *EMBEDDED_COLUMNS)


class Coco(Annotation):
    """A file in COCO's object format with all of its fields, with one box per image that covers the whole image.

    Format: cocodataset.org/#format-data. The outline of a box is a polygon. Licences are numbered by code and
    version, and listed after the images.
    """

    def __init__(self, name: str, order: ArchiveOrder, labels: Sequence[str]) -> None:
        super().__init__(name)
        self._order = order
        self._labels = labels
        self._licenses: dict[License, int] = {}
        # label, width and height of each image, for the list after the images
        self._boxes = array("i")

    @override
    def begin(self) -> bytes:
        made_at = self._order.created_at
        info = {
            "description": self._order.name,
            "url": "",
            "version": "1.0",
            "year": made_at.year,
            "contributor": "PixCrawler",
            "date_created": f"{made_at:%Y/%m/%d}",
        }
        categories = [
            {"id": number, "name": label, "supercategory": "none"}
            for number, label in enumerate(self._labels, start=1)
        ]
        return b'{"info": %b,\n"categories": %b,\n"images": [' % (json_line(info), json_line(categories))

    @override
    def row(self, image: Placed) -> bytes:
        facts, provenance = image.kept.facts, image.record.candidate.provenance
        terms = License(provenance.license, provenance.license_version)
        self._boxes.extend((image.label_number + 1, facts.width, facts.height))
        number = len(self._boxes) // 3
        described = {
            "id": number,
            "file_name": image.path,
            "width": facts.width,
            "height": facts.height,
            "license": self._licenses.setdefault(terms, len(self._licenses) + 1),
            "coco_url": image.fields["url"],
            "flickr_url": image.fields["page_url"],
            "date_captured": "",
            **{name: image.fields[name] for name in (*_FURTHER, *self._order.optional_columns)},
        }
        return (b"" if number == 1 else b",") + b"\n" + json_line(described)

    @override
    def end(self) -> Iterator[bytes]:
        yield b'],\n"annotations": ['
        for at in range(0, len(self._boxes), 3):
            category, width, height = self._boxes[at : at + 3]
            number = at // 3 + 1
            outline = f"[[0,0,{width},0,{width},{height},0,{height}]]"
            text = (
                f'{"," if at else ""}\n{{"id":{number},"image_id":{number},"category_id":{category},'
                f'"segmentation":{outline},"area":{width * height},"bbox":[0,0,{width},{height}],"iscrowd":0}}'
            )
            yield text.encode()
        licenses = [
            {"id": number, "name": license_name(found), "url": license_url(found) or ""}
            for found, number in self._licenses.items()
        ]
        yield b'],\n"licenses": %b}\n' % json_line(licenses)
