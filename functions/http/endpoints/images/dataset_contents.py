"""HTTP functions that count what a dataset has, and show what was left out of it as a copy."""

from functions.http.call import Answer, Call
from functions.http.declared import PAGE, Declared, Parameter, Reply, whole_number
from functions.http.endpoint import Endpoints
from functions.http.images.contents import CopyGroupEntry, DuplicateList, StatisticsAnswer
from functions.http.images.serving import INDEXING, next_path, place_of, wait_headers
from shared.errors import Conflict, NotFound

endpoints = Endpoints()

_REASON = {
    "reason": Parameter(
        "Only copies that were left out for this reason.",
        {"type": "string", "enum": ["duplicate", "near_duplicate"]},
    )
}
_LIMIT = {"limit": whole_number("Copies in the answer, at most.", 1, 50, 20)}


@endpoints.serve(
    Declared(
        "GET",
        "api/v1/datasets/{id}/statistics",
        {200: Reply(StatisticsAnswer, "The numbers, or how far they are.", INDEXING)},
        errors=(NotFound, Conflict),
        revalidates=True,
    )
)
async def get_dataset_statistics(call: Call) -> Answer:
    """Answers how many images the dataset has by size, sharpness, brightness, licence, source, label and split.

    The first calls make an index of all images, and say in `progress` how far it is. Call again after `Retry-After`.
    """
    found = await call.app.dataset_statistics.read(call.caller.user_id, call.route("id"))
    return Answer(StatisticsAnswer.of(found), headers=wait_headers(waits=found.progress < 1))


@endpoints.serve(
    Declared(
        "GET",
        "api/v1/datasets/{id}/duplicates",
        {200: Reply(DuplicateList, "A page of copies, in groups.", INDEXING)},
        query={**PAGE, **_LIMIT, **_REASON},
        errors=(NotFound, Conflict),
    )
)
async def list_duplicates(call: Call) -> Answer:
    """Answers a page of the candidates that were left out as copies, each below the image that was preferred to it.

    Images with the most copies come first. The first calls make an index of all images: until it is complete, a page
    is empty, and `next` has the path to call again after `Retry-After`.
    """
    dataset_id, place = call.route("id"), place_of(call, final=True)
    reason, size = call.query.get("reason") or "", int(call.query["limit"])
    page = await call.app.duplicates.page(call.caller.user_id, dataset_id, reason, place, size)
    items = [CopyGroupEntry.of(group, dataset_id) for group in page.groups]
    path = f"/api/v1/datasets/{dataset_id}/duplicates"
    answer = DuplicateList(items=items, next=next_path(call, page.following, path))
    return Answer(answer, headers=wait_headers(waits=page.waits))
