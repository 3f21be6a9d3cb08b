"""The report of a dataset over HTTP."""

from shared.storage.blobs import Tier
from tests.unit.images.stored_images import Image, add_dataset, add_report


async def test_the_report_is_a_page_that_can_do_nothing_and_is_readable_in_the_archive_tier(app, caller):
    dataset = await add_dataset(app, [Image("cat", "jpeg")])
    assert (await caller.get("datasets/j/report")).status == 404
    await add_report(app, dataset)
    await app.blobs.set_tier(dataset.blobs[0], Tier.ARCHIVE)
    answer = await caller.get("datasets/j/report")
    assert (answer.status, answer.media_type) == (200, "text/html")  # the library adds the charset
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none'; ")
    assert "script" not in policy
    tag = answer.headers["ETag"]
    assert (await caller.get("datasets/j/report", If_None_Match=tag)).status == 304
