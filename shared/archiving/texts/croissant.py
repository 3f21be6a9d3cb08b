"""Writes croissant.json: the description of a dataset that search engines and loaders of machine learning read.

Format: Croissant 1.1, https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html, and its vocabulary for
responsible AI, https://docs.mlcommons.org/croissant/docs/croissant-rai-spec.html, both as JSON-LD. There is a record
set for each split, with a record for each image. Paths are relative to croissant.json.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.archiving.order import ArchiveOrder, changes_of
from shared.archiving.texts.card import Figures
from shared.archiving.texts.metadata import Columns
from shared.records.delivered import FileChecksum
from shared.records.licenses import License, license_name, license_url

CROISSANT: Final = "croissant.json"
"""The name of the description among the files of a dataset."""

PARQUET: Final = "application/x-parquet"
TAR: Final = "application/x-tar"

type Node = Mapping[str, object]
"""A node of JSON-LD."""

_TYPES: Mapping[type, str] = {str: "sc:Text", int: "sc:Integer", float: "sc:Float"}
# loaders take the first type that they know, and Pillow reads any of these as the first
_IMAGE_TYPES = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "bmp": "image/bmp",
    "tif": "image/tiff",
    "avif": "image/avif",
    "bin": "application/octet-stream",
}
# the context that the specification gives in appendix 1, with the namespace of the vocabulary for responsible AI
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


@dataclass(frozen=True, slots=True)
class Resources:
    """The files of a dataset, and the fields of the records of each split that has images."""

    distribution: Sequence[Node]
    fields: Mapping[str, Sequence[Node]]


def file_object(name: str, encoding: str, checksum: FileChecksum) -> Node:
    """Describes a file. Without a known checksum of the whole file, none is declared."""
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "contentSize": f"{checksum.size_bytes} B",
        "encodingFormat": encoding,
        **({"sha256": checksum.sha256} if checksum.sha256 else {}),
    }


def file_set(
    name: str, encoding: Sequence[str], includes: Sequence[str], archives: Iterable[str] = ()
) -> Node:
    """Describes the files that match the patterns: files of the `archives`, or else beside croissant.json."""
    contained = [{"@id": archive} for archive in archives]
    return {
        "@type": "cr:FileSet",
        "@id": name,
        "name": name,
        "encodingFormat": list(encoding),
        "includes": list(includes),
        **({"containedIn": contained} if contained else {}),
    }


def image_set(name: str, folder: str, extensions: Iterable[str], archives: Iterable[str] = ()) -> Node:
    """Describes the images with these extensions in a folder, whose name is empty or ends in "/"."""
    found = [extension for extension in _IMAGE_TYPES if extension in set(extensions)]
    types = [_IMAGE_TYPES[extension] for extension in found]
    return file_set(name, types, [f"{folder}*.{extension}" for extension in found], archives)


def in_file(name: str, extract: Node, transform: Node | None = None) -> Node:
    """Describes the source of a field that is in one file."""
    return {
        "fileObject": {"@id": name},
        "extract": extract,
        **({"transform": transform} if transform else {}),
    }


def in_files(name: str, extract: Node, transform: Node | None = None) -> Node:
    """Describes the source of a field that is in each file of a set."""
    return {"fileSet": {"@id": name}, "extract": extract, **({"transform": transform} if transform else {})}


def field(split: str, name: str, kind: str, where: Node, description: str = "") -> dict[str, object]:
    """Describes a field of the records of a split."""
    described = {"description": description} if description else {}
    node = {"@type": "cr:Field", "@id": f"{split}/{name}", "name": name, "dataType": kind, "source": where}
    return {**node, **described}


def joined_fields(split: str, images: str, path: Node, table: str, columns: Columns) -> list[Node]:
    """Returns the fields of images that are files, and whose annotations are in a Parquet file with these columns.

    `images` is their set, and `table` the Parquet file. `path` says how the path of an image's file becomes what the
    column `file_name` has.
    """
    name = field(split, "file_name", "sc:Text", in_files(images, {"fileProperty": "fullpath"}, path))
    name["references"] = in_file(table, {"column": "file_name"})
    image = field(split, "image", "sc:ImageObject", in_files(images, {"fileProperty": "content"}))
    return [name, image, *column_fields(split, columns, lambda column: in_file(table, {"column": column}))]


def column_fields(
    split: str, columns: Columns, where: Callable[[str], Node], but: Iterable[str] = ("file_name",)
) -> list[Node]:
    """Returns a field for each column of the annotations, but for some. `where` returns the source of a column."""
    left_out = set(but)
    return [
        field(split, name, _TYPES[kind], where(name), _DESCRIPTIONS.get(name, ""))
        for name, kind in columns.items()
        if name not in left_out
    ]


_DESCRIPTIONS = {
    "license": "The code of the image's own licence; `unknown` if none was given.",
    "license_url": "The text of the image's own licence.",
    "creator": "The author of the image, as its source names them.",
    "url": "The address that the image was downloaded from.",
    "page_url": "The page that shows the image.",
    "attribution": "The credit that the image's licence asks for.",
    "sha256": "The SHA-256 of the image's file.",
    "relevance": "How well a model finds that the picture shows its label: a cosine. Null if it was not measured.",
    "faces": "How many faces a model found, before they were blurred if they are. Null if none was looked for.",
    "nsfw": "The probability that the picture is not safe for work, as a model rates it. Null if it was not measured.",
}


def croissant(order: ArchiveOrder, figures: Figures, labels: Sequence[str], resources: Resources) -> Node:
    """Returns the description of a dataset. `labels` are in order of their numbers."""
    total = sum(figures.splits.values())
    record_sets = [
        {
            "@type": "cr:RecordSet",
            "@id": split,
            "name": split,
            "description": f"The {figures.splits[split]} images of the split {split}.",
            "key": {"@id": f"{split}/sha256"},
            "field": fields,
        }
        for split, fields in resources.fields.items()
    ]
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"],
        "name": order.name,
        "description": f"{total} images of {len(labels)} labels. Every image keeps its own licence: see its record.",
        "license": _licenses(figures.licenses),
        "creator": {"@type": "sc:Organization", "name": "PixCrawler"},
        "datePublished": f"{order.created_at:%Y-%m-%d}",
        "citeAs": _citation(order),
        "version": "1.0.0",
        "keywords": list(labels),
        **_responsible(order, figures),
        "distribution": list(resources.distribution),
        "recordSet": [_label_set(labels), *record_sets],
    }


def encode_croissant(description: Node) -> bytes:
    """Encodes a description as the bytes of croissant.json."""
    return json.dumps(description, indent=1).encode() + b"\n"


def with_files(description: Node, files: Sequence[Node]) -> Node:
    """Returns the description with further files, before those that it has."""
    distribution = description["distribution"]
    return {
        **description,
        "distribution": [*files, *(distribution if isinstance(distribution, list) else [])],
    }


def _licenses(codes: Iterable[str]) -> Sequence[str]:
    """Returns the addresses of the licences of the images, or their names."""
    found = [License(code) for code in sorted(codes)]
    return [license_url(one) or license_name(one) for one in found]


def _citation(order: ArchiveOrder) -> str:
    """Returns an entry of BibTeX, whose texts have no braces."""
    title = order.name.translate({ord(brace): None for brace in "{}\\"})
    made = f"year = {{{order.created_at:%Y}}}, note = {{Made by PixCrawler, job {order.job_id}}}"
    return f"@misc{{{order.job_id}, title = {{{title}}}, {made}}}"


def _label_set(labels: Sequence[str]) -> Node:
    """Describes the labels, with their numbers, which are the same in all splits."""
    return {
        "@type": "cr:RecordSet",
        "@id": "labels",
        "name": "labels",
        "dataType": "sc:Enumeration",
        "key": {"@id": "labels/name"},
        "field": [
            {"@type": "cr:Field", "@id": "labels/name", "name": "name", "dataType": "sc:Text"},
            {"@type": "cr:Field", "@id": "labels/number", "name": "number", "dataType": "sc:Integer"},
        ],
        "data": [{"labels/name": label, "labels/number": number} for number, label in enumerate(labels)],
    }


def _responsible(order: ArchiveOrder, figures: Figures) -> Node:
    """Returns the fields of the vocabulary for responsible AI that the spec and the records answer."""
    sources = ", ".join(f"{name} ({count})" for name, count in sorted(figures.sources.items()))
    near = order.dedup.near_distance
    cleaned = ["Of files with equal bytes, one was kept."] if order.dedup.exact else []
    if near is not None:
        cleaned.append(
            f"Of images whose perceptual hashes differ in at most {near} of 64 bits, one was kept."
        )
    return {
        "rai:dataCollection": f"Images were downloaded from their addresses on the web. Sources and images: {sources}.",
        "rai:dataCollectionType": ["Web Scraping"],
        "rai:dataPreprocessingProtocol": [changes_of(order) or "Images are as they were found.", *cleaned],
        "rai:dataAnnotationProtocol": ["Labels are those of the search or list that an image was found by."],
        "rai:annotationsPerItem": "1",
        "rai:dataLimitations": ["Nobody has checked whether an image shows what its label says."],
        "rai:dataBiases": ["Images are those that the sources rank first for a label, or that a list names."],
        "rai:personalSensitiveInformation": [
            "Images may show people. Names of authors are in the annotations."
        ],
    }
