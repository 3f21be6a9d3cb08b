"""Authors, licences and terms are read from lists."""

import json

import pytest

from shared.archiving.texts.credit import credit_line
from shared.records.candidates import Provenance
from shared.records.records import Reason, Record, Rejected
from shared.sources.lists.config import UrlsConfig
from shared.sources.lists.urls import Urls
from shared.storage.memory.blobs import MemoryBlobs
from tests.unit.sources.lists.lists import read_all


@pytest.mark.parametrize("told", ["GFDL", "All rights reserved", ""])
async def test_the_text_of_an_unknown_licence_is_kept_in_the_record(told):
    items = [{"url": "https://a/1", "license": told}, {"url": "https://a/2", "license": "CC BY 4.0"}]
    candidates, _, _ = await read_all(Urls(UrlsConfig.model_validate({"items": items}), MemoryBlobs()))
    assert [(c.provenance.license, c.extra) for c in candidates] == [
        ("unknown", {"license": told} if told else {}),
        ("by", {}),
    ]


async def test_the_text_of_a_licence_is_not_one_of_the_twenty_further_fields():
    fields = {f"field {number}": "x" for number in range(20)}
    items = [{"url": "https://a/1", **fields, "license": "GFDL"}]
    [candidate], _, _ = await read_all(Urls(UrlsConfig.model_validate({"items": items}), MemoryBlobs()))
    assert candidate.extra == {"license": "GFDL"} | fields


CREDITS = {
    "url": "https://a/1.jpg",
    "name": "A cat",
    "author": "Jane",
    "creator_url": "https://a/jane",
    "page_url": "https://a/1",
    "terms": "https://creativecommons.org/licenses/by-sa/4.0/",
    "note": "kept",
}
COLUMNS = {"title_column": "name", "creator_column": "author", "license_url_column": "terms"}


@pytest.mark.parametrize("form", ["csv", "tsv", "json", "jsonl", "items"])
async def test_authors_and_terms_are_read_from_the_chosen_columns(form):
    blobs = MemoryBlobs()
    between = {"csv": ",", "tsv": "\t"}.get(form)
    if between:
        text = "\n".join(between.join(cells) for cells in (CREDITS.keys(), CREDITS.values()))
    else:
        text = json.dumps([CREDITS] if form == "json" else CREDITS)
    await blobs.put(f"inputs/list.{form}", text.encode())
    where = {"items": [CREDITS]} if form == "items" else {"blob": f"inputs/list.{form}"}
    [candidate], problems, _ = await read_all(Urls(UrlsConfig.model_validate({**where, **COLUMNS}), blobs))
    assert candidate.provenance == Provenance(
        "urls",
        page_url="https://a/1",
        title="A cat",
        creator="Jane",
        creator_url="https://a/jane",
        license="by-sa",
        license_version="4.0",
        license_url="https://creativecommons.org/licenses/by-sa/4.0/",
    )
    assert (candidate.extra, problems) == ({"note": "kept"}, [])
    line = credit_line(Record(0, candidate, Rejected(Reason.TIMED_OUT)))
    terms = "CC BY-SA 4.0 (https://creativecommons.org/licenses/by-sa/4.0/)"
    assert line == f'"A cat" (https://a/1) by Jane (https://a/jane), {terms}'


async def test_the_name_of_a_licence_has_precedence_over_its_address():
    item = {
        "url": "https://a/1.jpg",
        "license": "CC BY 2.0",
        "license_url": "https://a/terms",
        "creator_url": "x",
    }
    [candidate], _, _ = await read_all(Urls(UrlsConfig.model_validate({"items": [item]}), MemoryBlobs()))
    told = candidate.provenance
    assert (told.license, told.license_version, told.license_url) == ("by", "2.0", "https://a/terms")
    assert told.creator_url is None  # no address


async def test_a_licence_whose_name_and_address_contradict_each_other_is_unknown():
    item = {"url": "https://a/1.jpg", "license_url": "https://creativecommons.org/licenses/by-nc/4.0/"}
    named = ["CC BY", "CC BY-NC", "Creative Commons Attribution (NonCommercial)"]
    items = [item | {"license": name} for name in named]
    candidates, _, _ = await read_all(Urls(UrlsConfig.model_validate({"items": items}), MemoryBlobs()))
    assert [c.provenance.license for c in candidates] == ["unknown", "by-nc", "by-nc"]


@pytest.mark.parametrize(
    ("license", "address"),
    [
        ("CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/"),
        (
            "https://creativecommons.org/licenses/by/2.5/deed.de",
            "https://creativecommons.org/licenses/by/2.5/deed.de",
        ),
        (
            "https://creativecommons.org/publicdomain/zero/1.0/",
            "https://creativecommons.org/publicdomain/zero/1.0/",
        ),
        ("CC BY", None),
        ("all rights reserved", None),
    ],
)
async def test_a_licence_with_a_version_or_an_address_has_an_address(license, address):  # noqa: A002
    item = {"url": "https://a/1.jpg", "license": license}
    [candidate], _, _ = await read_all(Urls(UrlsConfig.model_validate({"items": [item]}), MemoryBlobs()))
    assert candidate.provenance.license_url == address
