"""HTTP functions that list and show the images that a job has kept so far."""

from functions.http.call import Answer, Call
from functions.http.declared import PAGE, Declared
from functions.http.endpoint import Endpoints
from functions.http.images.models import ImageList
from functions.http.images.serving import (
    FILTERS,
    IF_NONE_MATCH,
    IMAGE_ANSWERS,
    IN_PATH,
    WIDTH,
    filter_of,
    image_answer,
    page_answer,
    place_of,
)
from shared.errors import Conflict, NotFound

endpoints = Endpoints()

_FILTERS = {name: parameter for name, parameter in FILTERS.items() if name != "split"}


@endpoints.serve(
    Declared(
        "GET",
        "api/v1/jobs/{id}/images",
        {200: ImageList},
        query={**PAGE, **_FILTERS},
        errors=(NotFound,),
    )
)
async def list_job_images(call: Call) -> Answer:
    """Answers a page of the images that the job has kept, the newest first, also while the job runs.

    They can be read until the job's working files are deleted. The dataset may leave out some, such as duplicates.
    """
    wanted, place = filter_of(call), place_of(call, final=False)
    job = await call.app.job_keys.find(call.caller.user_id, call.route("id"))
    page = await call.app.job_images.page(job, wanted, place, int(call.query["limit"]))
    return page_answer(call, page, f"/api/v1/jobs/{job.id}/images")


@endpoints.serve(
    Declared(
        "GET",
        "api/v1/jobs/{id}/images/{n}",
        IMAGE_ANSWERS,
        query=WIDTH,
        in_path=IN_PATH,
        headers=IF_NONE_MATCH,
        errors=(NotFound, Conflict),
        answers_image=True,
    )
)
async def get_job_image(call: Call) -> Answer:
    """Answers one image that the job has kept, or with `width` a small image of it."""
    job = await call.app.job_keys.find(call.caller.user_id, call.route("id"))
    image = await call.app.job_images.find(job, call.request.route_params.get("n") or "")
    return await image_answer(call, image)
