"""HTTP functions that list, describe, refresh and delete datasets."""

from functions.http.call import Answer, Call
from functions.http.declared import LOCATION, PAGE, READ_AGAIN, Declared, Parameter, Reply, idempotency_key
from functions.http.endpoint import Endpoints
from functions.http.endpoints.jobs import describe, when_to_read_again
from functions.http.models.answers import DatasetAnswer, DatasetPage, DiffCounts, JobAnswer, RefreshBody
from functions.http.models.dataset_costs import DatasetWithCosts
from functions.http.models.downloads import DiffAnswer
from shared.errors import Conflict, InvalidRequest, NotFound, QuotaExceeded
from shared.users.caller import Scope

endpoints = Endpoints()

_MAY_BE_REPLAYED = {
    "Idempotency-Replayed": Parameter("Present if an earlier call has begun the refresh.", {"const": "true"})
}


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
        "POST",
        "api/v1/datasets/{id}/refresh",
        {
            202: Reply(
                JobAnswer,
                "The job that refreshes the dataset.",
                {**LOCATION, **READ_AGAIN, **_MAY_BE_REPLAYED},
            )
        },
        scope=Scope.SUBMIT,
        headers=idempotency_key("The same key and body again give the same refresh."),
        body=RefreshBody,
        example={"check": True},
        errors=(InvalidRequest, NotFound, Conflict, QuotaExceeded),
        when_late="The refresh may have begun already. Send the call again with the same Idempotency-Key, which begins "
        "no second one.",
    )
)
async def refresh_dataset(call: Call) -> Answer:
    """Has the job of a dataset ask its sources again. Answers 202 with the job, whose next revision it is.

    Images that the dataset has are not fetched again. The earlier revision stays until the new one is complete. An
    administrator may refresh the datasets of all users, to remove images that are opted out.
    """
    from shared.jobs.submission.refresh import WantedRefresh
    from shared.users.repeats import mark_of

    dataset_id = call.route("id")
    body = await call.read_model(RefreshBody)
    values = {"refresh": dataset_id, **body.model_dump()}
    mark = mark_of(call.caller.user_id, call.idempotency_key, values)
    wanted = WantedRefresh(mark, check=body.check, remove_gone=body.remove_gone)
    refreshed = await call.app.refresh_requests.run(call.actor, dataset_id, wanted)
    await call.app.used(call.caller, "refresh_dataset")
    headers = {"Idempotency-Replayed": "true"} if refreshed.replayed else {}
    answer = await describe(call, refreshed.job)
    location = {"Location": answer.links["self"], **when_to_read_again(call, refreshed.job)}
    return Answer(answer, status=202, headers={**headers, **location})


@endpoints.serve(Declared("GET", "api/v1/datasets/{id}/diff", {200: DiffAnswer}, errors=(NotFound, Conflict)))
async def get_diff(call: Call) -> Answer:
    """Answers what the last refresh of a dataset has changed, with a short-lived link to the list of images."""
    from shared.records.blob_names import revision_prefix
    from shared.records.delivered import DIFF

    dataset = await call.app.catalog.require(call.caller.user_id, call.route("id"))
    counts = DiffCounts.of(dataset)
    if counts is None:
        raise NotFound(f"The dataset {dataset.id} was never refreshed.")
    blob = f"{revision_prefix(dataset.id, dataset.revision)}{DIFF}"
    file = await call.app.downloads.saved(blob, DIFF)
    return Answer(DiffAnswer.of(dataset, counts, file))


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
