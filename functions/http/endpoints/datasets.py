"""HTTP functions that list, describe and download datasets."""

from functions.http.call import Answer, Call
from functions.http.declared import PAGE, Declared
from functions.http.endpoint import Endpoints
from functions.http.models.answers import DatasetAnswer, DatasetPage
from functions.http.models.downloads import DownloadAnswer
from shared.errors import Conflict, NotFound

endpoints = Endpoints()


@endpoints.serve(Declared("GET", "api/v1/datasets", {200: DatasetPage}, query=PAGE, revalidates=True))
async def list_datasets(call: Call) -> Answer:
    """Answers a page of the caller's datasets, newest first: at most `limit` of them, after `cursor`."""
    datasets, more = await call.page("/api/v1/datasets", call.app.catalog.page)
    return Answer(DatasetPage(items=[DatasetAnswer.of(dataset) for dataset in datasets], next=more))


@endpoints.serve(
    Declared("GET", "api/v1/datasets/{id}", {200: DatasetAnswer}, errors=(NotFound,), revalidates=True)
)
async def get_dataset(call: Call) -> Answer:
    """Answers one dataset."""
    return Answer(DatasetAnswer.of(await call.app.catalog.require(call.caller.user_id, call.route("id"))))


@endpoints.serve(
    Declared("GET", "api/v1/datasets/{id}/download", {200: DownloadAnswer}, errors=(NotFound, Conflict))
)
async def download_dataset(call: Call) -> Answer:
    """Answers short-lived links to the dataset's files."""
    download = await call.app.downloads.download(call.caller.user_id, call.route("id"))
    await call.app.used(call.caller, "download_dataset")
    return Answer(DownloadAnswer.of(download))
