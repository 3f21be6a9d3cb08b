"""HTTP functions that list, describe and delete datasets."""

from functions.http.call import Answer, Call
from functions.http.declared import PAGE, Declared, Reply
from functions.http.endpoint import Endpoints
from functions.http.models.answers import DatasetAnswer, DatasetPage
from functions.http.models.dataset_costs import DatasetWithCosts
from shared.errors import Conflict, NotFound
from shared.users.caller import Scope

endpoints = Endpoints()


@endpoints.serve(Declared("GET", "api/v1/datasets", {200: DatasetPage}, query=PAGE, revalidates=True))
async def list_datasets(call: Call) -> Answer:
    """Answers a page of the caller's datasets, newest first: at most `limit` of them, after `cursor`."""
    datasets, more = await call.page("/api/v1/datasets", call.app.catalog.page)
    return Answer(DatasetPage(items=[DatasetAnswer.of(dataset) for dataset in datasets], next=more))


@endpoints.serve(
    Declared("GET", "api/v1/datasets/{id}", {200: DatasetWithCosts}, errors=(NotFound,), revalidates=True)
)
async def get_dataset(call: Call) -> Answer:
    """Answers one dataset, with how it is kept, and what it costs to keep and to read it.

    While it leaves the Archive tier, `rehydration` has the state of each file.
    """
    from shared.datasets.files import files_that_move, stored_files

    dataset = await call.app.catalog.require(call.caller.user_id, call.route("id"))
    files = None
    if dataset.keeping.rehydration is not None:
        files = files_that_move(await stored_files(call.app.blobs, dataset))
    return Answer(DatasetWithCosts.at(dataset, files, call.app.prices, call.app.clock.now()))


@endpoints.serve(
    Declared(
        "DELETE",
        "api/v1/datasets/{id}",
        {202: Reply(None, "The dataset is gone for its user. Its files are being deleted.")},
        scope=Scope.SUBMIT,
        errors=(NotFound, Conflict),
        when_late="The deletion may have begun already. It is safe to delete the dataset again.",
    )
)
async def delete_dataset(call: Call) -> Answer:
    """Deletes a dataset and the working files of its job, which cannot be retried any more. The job itself stays.

    It is safe to delete a dataset again: the answer is 202 while something is left of it, and then 404.
    """
    await call.app.deletion.delete_dataset(call.caller.user_id, call.route("id"))
    await call.app.used(call.caller, "delete_dataset")
    return Answer(None, status=202)
