"""HTTP functions that list and show the images of a dataset, its preview and its report."""

import hashlib
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from functions.http.call import Answer, Call, Data
from functions.http.declared import PAGE, Declared, Parameter, Reply
from functions.http.edge.revalidation import has_current
from functions.http.endpoint import Endpoints
from functions.http.images.models import ImageList
from functions.http.images.serving import (
    FILTERS,
    FOUND,
    IF_NONE_MATCH,
    IMAGE_ANSWERS,
    IN_PATH,
    INDEXING,
    SORT,
    WIDTH,
    filter_of,
    image_answer,
    page_answer,
    place_of,
)
from shared.errors import Conflict, NotFound

if TYPE_CHECKING:
    from shared.images.index.sorting import Sort

endpoints = Endpoints()

_ASK_AGAIN = "private, no-cache"
_PREVIEW_HEADERS = {
    "ETag": Parameter("The version of the file, for `If-None-Match`.", required=True),
    "Cache-Control": Parameter("A retry of the job makes another one.", {"const": _ASK_AGAIN}),
}
_REPORT_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_REPORT_HEADERS = {
    **_PREVIEW_HEADERS,
    "Content-Security-Policy": Parameter(
        "What the page may do: nothing but show itself.", {"const": _REPORT_POLICY}
    ),
}


@endpoints.serve(
    Declared(
        "GET",
        "api/v1/datasets/{id}/images",
        {200: Reply(ImageList, "A page of images.", INDEXING)},
        query={**PAGE, **FILTERS, **SORT},
        errors=(NotFound, Conflict),
    )
)
async def list_dataset_images(call: Call) -> Answer:
    """Answers a page of the dataset's images.

    The first calls with another order than `found` make an index of all images. Until it is complete, a page has no
    images, and `next` has the path to call again after `Retry-After`.
    """
    dataset_id, wanted, place = call.route("id"), filter_of(call), place_of(call, final=True)
    user_id, size, sort = call.caller.user_id, int(call.query["limit"]), call.query["sort"]
    if sort == FOUND:
        page = await call.app.dataset_images.page(user_id, dataset_id, wanted, place, size)
    else:
        order = cast("Sort", sort)
        page = await call.app.sorted_images.page(user_id, dataset_id, wanted, place, size, order)
    return page_answer(call, page, f"/api/v1/datasets/{dataset_id}/images")


@endpoints.serve(
    Declared(
        "GET",
        "api/v1/datasets/{id}/images/{n}",
        IMAGE_ANSWERS,
        query=WIDTH,
        in_path=IN_PATH,
        headers=IF_NONE_MATCH,
        errors=(NotFound, Conflict),
        answers_image=True,
    )
)
async def get_dataset_image(call: Call) -> Answer:
    """Answers one image of a dataset, or with `width` a small image of it.

    The small image is made at the first call and stored. Then it can be read in the Archive tier, too.
    """
    name = call.request.route_params.get("n") or ""
    image = await call.app.dataset_images.find(call.caller.user_id, call.route("id"), name)
    return await image_answer(call, image)


@endpoints.serve(
    Declared(
        "GET",
        "api/v1/datasets/{id}/preview",
        {
            200: Reply("image/jpeg", "The preview.", _PREVIEW_HEADERS),
            304: Reply(None, "The caller has it already.", _PREVIEW_HEADERS),
        },
        headers=IF_NONE_MATCH,
        errors=(NotFound,),
        answers_image=True,
    )
)
async def get_preview(call: Call) -> Answer:
    """Answers a contact sheet with some images of each label, as a JPEG.

    It was made with the dataset, which has it as `preview.jpg`. It can be read in the Archive tier, too.
    """
    data = await call.app.dataset_images.preview(call.caller.user_id, call.route("id"))
    return _whole(call, Data(data, "image/jpeg"), "preview.jpg")


@endpoints.serve(
    Declared(
        "GET",
        "api/v1/datasets/{id}/report",
        {
            200: Reply("text/html", "The report.", _REPORT_HEADERS),
            304: Reply(None, "The caller has it already.", _PREVIEW_HEADERS),
        },
        headers=IF_NONE_MATCH,
        errors=(NotFound,),
        answers_image=True,
    )
)
async def get_report(call: Call) -> Answer:
    """Answers a page that shows the scores of the dataset's images, and what may be wrong with it.

    It was made with the dataset, which has it as `report.html`. It can be read in the Archive tier, too.
    """
    data = await call.app.dataset_images.report(call.caller.user_id, call.route("id"))
    answer = _whole(call, Data(data, "text/html"), "report.html")
    if answer.status == HTTPStatus.OK:
        answer.headers["Content-Security-Policy"] = _REPORT_POLICY
    return answer


def _whole(call: Call, file: Data, name: str) -> Answer:
    """Answers a file that was made with the dataset, unless the caller has it already."""
    headers = {"ETag": f'"{hashlib.sha256(file.data).hexdigest()}"', "Cache-Control": _ASK_AGAIN}
    if has_current(call.request, headers["ETag"]):
        return Answer(None, status=304, headers=headers)
    headers["Content-Disposition"] = f'inline; filename="{name}"'
    return Answer(file, headers=headers)
