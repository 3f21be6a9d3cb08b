"""HTTP functions that list and describe datasets."""

from functions.http.call import Answer, Call
from functions.http.declared import PAGE, Declared
from functions.http.endpoint import Endpoints
from functions.http.models.answers import DatasetAnswer, DatasetPage
from functions.http.models.dataset_costs import DatasetWithCosts
from shared.errors import NotFound

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
    """Answers one dataset, with what it costs to keep and to read it."""
    dataset = await call.app.catalog.require(call.caller.user_id, call.route("id"))
    return Answer(DatasetWithCosts.at(dataset, call.app.prices, call.app.clock.now()))
