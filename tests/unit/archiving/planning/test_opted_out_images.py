"""Images that the operator was asked not to use are not in a dataset, though the crawl had kept them before."""

import gzip
import io
import json
import zipfile
from datetime import UTC, datetime

import pytest

from shared.archiving.archiver import Archiver
from shared.archiving.planning.planner import PlanConfig
from shared.clock import SystemClock
from shared.optouts.matcher import DETAIL
from shared.optouts.optout import OptOutKind, normal_value
from shared.optouts.optout_list import OptOutList, new_optout
from shared.storage.storage import Storage
from tests.unit.in_memory import far_deadline, memory_storage, runtime_of


async def archived(studio, order, optouts):
    storage: Storage = memory_storage(studio.blobs)
    archiver = Archiver(storage, runtime_of(), PlanConfig(), None, optouts)
    deadline = far_deadline()
    plan = await archiver.begin(order, deadline)
    for number in await archiver.find_missing(plan):
        await archiver.write_part(plan, number, deadline)
    found = await archiver.finish(plan, deadline)
    assert found is not None
    lines = gzip.decompress(await studio.blobs.get(f"{order.prefix}records.jsonl.gz")).splitlines()
    # a dataset without images has no files
    files = [zipfile.ZipFile(io.BytesIO(await studio.blobs.get(name))) for name in found.blobs[:1]]
    names = [name for file in files for name in file.namelist()]
    return {line["index"]: line for line in map(json.loads, lines)}, names


@pytest.mark.parametrize("kind", OptOutKind)
async def test_an_opt_out_removes_the_image_from_the_next_dataset(kind, studio):
    order = await studio.crawl(12)
    optouts = OptOutList(memory_storage(studio.blobs).entities, SystemClock(), runtime_of().ids)
    before, names = await archived(studio, order, None)
    image = before[3]
    assert image["outcome"] == "kept"
    assert image["file"] in names
    value = {
        OptOutKind.URL: image["url"],
        OptOutKind.HOST: "x",
        OptOutKind.SHA256: image["sha256"],
        OptOutKind.PERCEPTUAL_HASH: image["perceptual_hash"],
    }[kind]
    made = (datetime(2026, 1, 1, tzinfo=UTC), "admin")
    await optouts.add(new_optout(kind, normal_value(kind, value), 0, made))
    again = await studio.crawl(12, job_id="j2")
    after, names = await archived(studio, again, optouts)
    gone = [
        index
        for index, line in after.items()
        if line["reason" if "reason" in line else "outcome"] == "opted_out"
    ]
    kept = [index for index, line in before.items() if line["outcome"] == "kept"]
    assert gone == (kept if kind is OptOutKind.HOST else [3])
    assert after[3]["detail"] == f"optouts: {DETAIL}"
    assert not any("blob" in after[index] for index in gone)
    assert image["file"] not in names
