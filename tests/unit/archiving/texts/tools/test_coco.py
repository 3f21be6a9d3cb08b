"""The COCO file is read by COCO's own reader, and has all keys that COCO documents."""

import json
from dataclasses import replace

import numpy as np
import pytest
from pycocotools.coco import COCO

from shared.archiving.options import Output, Splits
from shared.archiving.texts.metadata import EMBEDDED_COLUMNS
from shared.records.candidates import Provenance
from shared.records.scores import SCORES_OF_ALL

# cocodataset.org/#format-data
KEYS = {
    "info": {"year", "version", "description", "contributor", "url", "date_created"},
    "images": {
        *("id", "width", "height", "file_name", "license", "flickr_url", "coco_url", "date_captured"),
        # of the app, beside those of COCO
        *(*SCORES_OF_ALL, "dominant_color", *EMBEDDED_COLUMNS),
    },
    "licenses": {"id", "name", "url"},
    "categories": {"id", "name", "supercategory"},
    "annotations": {"id", "image_id", "category_id", "segmentation", "area", "bbox", "iscrowd"},
}


def _candidate_of(record):
    code = ("by", "cc0", "unknown")[record.index % 3]
    version = "4.0" if code == "by" and record.index % 2 else None
    label = ("cat", "2021-03-05", "a\u2028b", '"')[record.index % 4]
    provenance = Provenance(
        "urls", license=code, license_version=version, page_url=f"https://a/{record.index}"
    )
    return replace(record.candidate, label=label, provenance=provenance)


@pytest.fixture(params=["zip", "webdataset"])
async def written(request, studio, tmp_path):
    """Returns the file, and the names of the images that it must have."""
    output = Output(format=request.param, annotations=("coco",))
    order = await studio.crawl(40, splits=Splits({"train": 0.7, "test": 0.3}), output=output)
    order = await studio.describe(order, _candidate_of)
    path = tmp_path / "annotations.coco.json"
    if request.param == "zip":
        with await studio.zip(order) as archive:
            path.write_bytes(archive.read(path.name))
            return path, {name for name in archive.namelist() if name.endswith(".jpg")}
    await studio.archive(order)
    path.write_bytes(await studio.blobs.get(f"{order.prefix}{path.name}"))
    return path, {f"{index:08}.jpg" for index in range(40) if index % 10 != 9}


# of pycocotools itself, beside NumPy 2
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")
async def test_cocos_own_reader_shows_info_and_finds_images_boxes_and_masks(written, capsys):
    path, images = written
    coco = COCO(path)
    coco.info()
    assert "description: pets" in capsys.readouterr().out
    assert {image["file_name"] for image in coco.loadImgs(coco.getImgIds())} == images
    assert coco.getCatIds(catNms=["2021-03-05"])
    assert coco.getCatIds(supNms=["none"]) == coco.getCatIds()
    boxes = coco.loadAnns(coco.getAnnIds(iscrowd=False))
    assert len(boxes) == len(images)
    for box in boxes:
        image = coco.imgs[box["image_id"]]
        mask = coco.annToMask(box)
        assert mask.shape == (image["height"], image["width"])
        assert np.all(mask == 1)
        assert box["bbox"] == [0, 0, image["width"], image["height"]]
        assert box["area"] == mask.sum()
    results = [
        {"image_id": box["image_id"], "category_id": 1, "bbox": box["bbox"], "score": 1.0} for box in boxes
    ]
    assert len(coco.loadRes(results).anns) == len(boxes)


async def test_all_objects_have_the_keys_that_coco_documents_and_licences_that_exist(written):
    path, _ = written
    found = json.loads(path.read_text())
    assert found.keys() == KEYS.keys()
    for name, keys in KEYS.items():
        entries = [found[name]] if name == "info" else found[name]
        assert entries
        assert all(entry.keys() == keys for entry in entries)
    assert found["info"]["year"] == 2026
    names = {terms["id"]: (terms["name"], terms["url"]) for terms in found["licenses"]}
    assert set(names.values()) == {
        ("CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/"),
        ("CC BY", "https://creativecommons.org/licenses/by/4.0/"),
        ("CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
        ("licence unknown", ""),
    }
    for image in found["images"]:
        number = int(image["flickr_url"].rpartition("/")[2])
        assert names[image["license"]][0].startswith(("CC BY", "CC0", "licence unknown")[number % 3])
        assert image["coco_url"] == f"https://x/{number}"
