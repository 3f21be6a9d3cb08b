"""Administrators opt out images, and learn which datasets have them."""

from datetime import UTC, datetime

import pytest

from shared.datasets.dataset import Dataset
from shared.records.delivered import encode_delivered
from shared.storage.blobs import Tier
from tests.unit.functions.http.test_users import make_key, make_user, wrong_fields

SHA, LOOK = "ab" * 32, "00000000000000ff"


@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        ("url", "HTTPS://X.org/a.jpg#b", "https://x.org/a.jpg"),
        ("host", "X.org", "x.org"),
        ("sha256", SHA.upper(), SHA),
        ("perceptual_hash", LOOK, LOOK),
    ],
)
async def test_an_opt_out_is_made_once_read_listed_and_removed(caller, kind, value, stored):
    made = await caller.post("optouts", {"kind": kind, "value": value})
    assert made.status == 201
    path = f"optouts/{made.body['id']}"
    assert (made.body["value"], made.body["created_by"]) == (stored, "admin")
    assert made.body["distance"] == (4 if kind == "perceptual_hash" else 0)
    assert made.headers["Location"] == f"/api/v1/{path}"
    assert (await caller.post("optouts", {"kind": kind, "value": value})).body == made.body
    assert (await caller.get(path)).body == made.body
    assert (await caller.get("optouts")).body == {"items": [made.body], "next": None}
    assert (await caller.delete(path)).body == made.body
    for missing in (caller.get(path), caller.delete(path), caller.get(f"{path}/datasets")):
        assert (await missing).status == 404
    assert (await caller.get("optouts")).body["items"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "url", "value": "nothing"}, "value"),
        ({"kind": "host", "value": "a/b"}, "value"),
        ({"kind": "sha256", "value": "ab"}, "value"),
        ({"kind": "perceptual_hash", "value": LOOK, "distance": 9}, "distance"),
        ({"kind": "face", "value": "x"}, "kind"),
        ({"kind": "host"}, "value"),
    ],
)
async def test_wrong_opt_outs_are_refused_by_field(caller, body, field):
    assert wrong_fields(await caller.post("optouts", body)).keys() == {field}


async def test_only_administrators_may_opt_out(caller):
    _, ann = await make_key(caller, await make_user(caller), "read", "submit")
    for answered in (ann.get("optouts"), ann.post("optouts", {"kind": "host", "value": "x.org"})):
        assert (await answered).status == 403


def kept(index, **fields):
    return {
        "index": index,
        "label": "a",
        "url": f"https://x.org/{index}.jpg",
        "outcome": "kept",
        "source": "urls",
    } | fields


async def put_dataset(app, user_id, dataset_id, lines):
    records = f"datasets/job_{dataset_id}/records.jsonl.gz"
    dataset = Dataset(
        id=dataset_id,
        user_id=user_id,
        name="pets",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        image_count=1,
        size_bytes=1,
        format="zip",
        tier=Tier.HOT,
        blobs=(),
        records_blob=records,
        counts={},
        splits={},
    )
    if lines is not None:
        await app.blobs.put(records, lines if isinstance(lines, bytes) else encode_delivered(lines))
    await app.catalog.put(dataset)


@pytest.mark.parametrize(
    ("kind", "value", "fields"),
    [
        ("url", "https://y.org/%7Ea", {"final_url": "https://Y.org/~a"}),
        ("url", "https://x.org/7.jpg", {}),
        ("host", "y.org", {"page_url": "http://www.Y.org/"}),
        ("host", "bücher.example", {"url": "https://bücher.example/1.jpg"}),
        ("sha256", SHA, {"sha256": SHA}),
        ("perceptual_hash", LOOK, {"perceptual_hash": "00000000000000f0"}),
    ],
)
async def test_the_datasets_of_all_users_with_such_an_image_are_found(app, caller, kind, value, fields):
    other = {"sha256": "cd" * 32, "perceptual_hash": "ffffffffffffff00"}
    lines = [
        kept(0, **other),
        kept(7, **(other | fields)),
        kept(8, **(other | fields | {"outcome": "rejected"})),
    ]
    await put_dataset(app, "ann", "d1", [kept(0, **other)])
    await put_dataset(app, "ann", "d2", lines)
    await put_dataset(app, "bob", "d3", lines)
    made = (await caller.post("optouts", {"kind": kind, "value": value})).body
    found = (await caller.get(f"optouts/{made['id']}/datasets")).body
    assert (found["searched"], found["next"]) == (3, None)
    holdings = [(item["user_id"], item["dataset_id"], item["indices"]) for item in found["items"]]
    assert holdings == [("ann", "d2", [7]), ("bob", "d3", [7])]
    assert all((item["images"], item["complete"]) == (1, True) for item in found["items"])
    assert found["items"][0]["links"]["refresh"] == "/api/v1/datasets/d2/refresh"


async def test_a_search_out_of_time_goes_on_behind_the_last_dataset(app, caller, monkeypatch):
    for name in ("d1", "d2", "d3"):
        await put_dataset(app, "ann", name, [kept(0, sha256=SHA)])
    made = (await caller.post("optouts", {"kind": "sha256", "value": SHA})).body
    monkeypatch.setattr("functions.http.endpoints.operators.optouts._READING_SECONDS", -1.0)
    path, query, found = f"optouts/{made['id']}/datasets", "", []
    for _ in range(3):
        page = (await caller.get(path, query)).body
        assert page["searched"] == 1
        found += [(item["dataset_id"], item["indices"]) for item in page["items"]]
        query = (page["next"] or "").partition("?")[2]
    assert (found, query) == ([("d1", [0]), ("d2", [0]), ("d3", [0])], "")
    assert wrong_fields(await caller.get(path, "cursor=x")).keys() == {"cursor"}


@pytest.mark.parametrize("records", [None, b"no gzip", encode_delivered([{"index": "x", "sha256": SHA}])])
async def test_a_dataset_whose_records_cannot_be_read_is_named_as_incomplete(app, caller, records):
    await put_dataset(app, "ann", "d1", records)
    made = (await caller.post("optouts", {"kind": "sha256", "value": SHA})).body
    [item] = (await caller.get(f"optouts/{made['id']}/datasets")).body["items"]
    assert (item["dataset_id"], item["images"], item["complete"]) == ("d1", 0, False)
