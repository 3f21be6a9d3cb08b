"""A dataset with small images, served by a small app."""

import gzip
import hashlib
import json
import random

from tests.client.conftest import Answer, StoredFile

LINKS = "/api/v1/datasets/a1/download"
COUNT = 300


def make(count: int, size: int):
    """The bytes of a dataset's file, and its records."""
    generator, content, lines = random.Random(1), bytearray(b"PK"), []
    for index in range(count):
        data = generator.randbytes(generator.randrange(1, size))
        lines.append({
            "index": index, "outcome": "kept", "label": "cat" if index % 3 else "dog",
            "split": "train" if index % 5 else "val",
            "file": f"{index}.jpg", "caption": f"picture {index}", "license": "by", "blob": "dataset.zip",
            "offset": len(content), "size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(),
        })  # fmt: skip
        content += data + b"-" * 30
        lines.append({"index": index, "outcome": "rejected", "label": "cat", "reason": "too_small"})
    return bytes(content), lines


def records_of(lines) -> bytes:
    """The records in two members, as the app writes them."""
    half = len(lines) // 2
    texts = ("".join(json.dumps(line) + "\n" for line in part) for part in (lines[:half], lines[half:]))
    return b"".join(gzip.compress(text.encode()) for text in texts)


def serve(app, content: bytes, records: bytes) -> StoredFile:
    file = StoredFile(content)
    app.on("/blob", file)
    app.on("/records", StoredFile(records))
    entry = {
        "filename": "pets.zip",
        "size_bytes": len(content),
        "sha256": None,
        "part_bytes": None,
        "parts_sha256": [],
    }
    app.on(LINKS, Answer({
        "expires_at": "2026-01-01T01:00:00Z", "notice": None, "files": [{"url": f"{app.url}/blob", **entry}],
        "records": {"url": f"{app.url}/records", "filename": "records.jsonl.gz", "size_bytes": len(records)},
    }))  # fmt: skip
    return file


def names(images) -> list[str]:
    return [image.file for image in images]
