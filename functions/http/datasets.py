"""HTTP functions that list, describe and download datasets."""

import azure.functions as func

from functions.http.answers import DatasetAnswer, DatasetPage
from functions.http.downloads import DownloadAnswer
from functions.http.endpoint import Answer, Call, endpoint

blueprint = func.Blueprint()


@blueprint.route(route="api/v1/datasets", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(query=("limit", "cursor"))
async def list_datasets(call: Call) -> Answer:
    """Answers a page of the caller's datasets, newest first: at most `limit` of them, after `cursor`."""
    datasets, more = await call.page("/api/v1/datasets", call.app.catalog.page)
    return Answer(DatasetPage(items=[DatasetAnswer.of(dataset) for dataset in datasets], next=more))


@blueprint.route(route="api/v1/datasets/{id}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint()
async def get_dataset(call: Call) -> Answer:
    """Answers one dataset."""
    return Answer(DatasetAnswer.of(await call.app.catalog.require(call.caller.user_id, call.route("id"))))


@blueprint.route(route="api/v1/datasets/{id}/download", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint()
async def download_dataset(call: Call) -> Answer:
    """Answers short-lived links to the dataset's files."""
    download = await call.app.catalog.download(call.caller.user_id, call.route("id"))
    call.app.used(call.caller.user_id, "download_dataset")
    return Answer(DownloadAnswer.of(download))
