"""HTTP functions that move datasets between tiers, and change how long they are kept."""

from typing import TYPE_CHECKING

from functions.http.call import Answer, Call
from functions.http.declared import LOCATION, Declared, Reply
from functions.http.endpoint import Endpoints
from functions.http.models.answers import DatasetAnswer
from functions.http.models.keeping import ChangeDatasetBody, MoveBody, RehydrateBody
from shared.errors import Conflict, InvalidRequest, NotFound
from shared.users.caller import Scope

if TYPE_CHECKING:
    from shared.datasets.dataset import Dataset

endpoints = Endpoints()

_AGAIN = "The request may be recorded already. It is safe to make it again."
_ANSWERS = {
    200: Reply(DatasetAnswer, "The dataset, which is where it should be."),
    202: Reply(DatasetAnswer, "The dataset, which is on its way.", LOCATION),
}


@endpoints.serve(
    Declared(
        "POST",
        "api/v1/datasets/{id}/rehydrate",
        _ANSWERS,
        scope=Scope.SUBMIT,
        body=RehydrateBody,
        example={"tier": "hot", "priority": "standard", "days": 7},
        errors=(InvalidRequest, NotFound, Conflict),
        when_late=_AGAIN,
    )
)
async def rehydrate_dataset(call: Call) -> Answer:
    """Brings a dataset back from the Archive tier, which takes hours. Answers 202 while it is on its way.

    A dataset that is online stays online for the days at least, and the answer is 200.
    """
    from shared.lifecycle.moves.requests import WantedRehydration
    from shared.storage.blobs import Priority, Tier

    dataset_id = call.route("id")
    body = await call.read_model(RehydrateBody)
    wanted = WantedRehydration(Tier(body.tier), Priority(body.priority), body.days)
    dataset = await call.app.move_requests.rehydrate(call.caller.user_id, dataset_id, wanted)
    await call.app.used(call.caller, "rehydrate_dataset")
    return _answer(dataset)


@endpoints.serve(
    Declared(
        "POST",
        "api/v1/datasets/{id}/tier",
        _ANSWERS,
        scope=Scope.SUBMIT,
        body=MoveBody,
        example={"tier": "cool"},
        errors=(InvalidRequest, NotFound, Conflict),
        when_late=_AGAIN,
    )
)
async def move_dataset(call: Call) -> Answer:
    """Moves a dataset to another tier. Answers 202 while it is on its way, which takes seconds to minutes.

    `early_deletion_until` in the answer says until when it costs extra to leave the tier where the files are.
    """
    from shared.storage.blobs import Tier

    dataset_id = call.route("id")
    body = await call.read_model(MoveBody)
    dataset = await call.app.move_requests.move(
        call.caller.user_id, dataset_id, Tier(body.tier), even_if_in_use=body.even_if_in_use
    )
    await call.app.used(call.caller, "move_dataset")
    return _answer(dataset)


@endpoints.serve(
    Declared(
        "PATCH",
        "api/v1/datasets/{id}",
        {200: DatasetAnswer},
        scope=Scope.SUBMIT,
        body=ChangeDatasetBody,
        example={"retention_days": 365},
        errors=(InvalidRequest, NotFound),
        when_late=_AGAIN,
    )
)
async def change_dataset(call: Call) -> Answer:
    """Changes how long a dataset is kept. Only an administrator may set or lift a legal hold, of any user's dataset."""
    from shared.lifecycle.retention import RetentionChange

    dataset_id = call.route("id")
    body = await call.read_model(ChangeDatasetBody)
    if body.legal_hold is not None:
        await call.app.access.confirm(call.caller)
    change = RetentionChange(body.legal_hold, "retention_days" in body.model_fields_set, body.retention_days)
    dataset = await call.app.retention.change(call.actor, dataset_id, change)
    return Answer(DatasetAnswer.of(dataset))


def _answer(dataset: "Dataset") -> Answer:
    answer = DatasetAnswer.of(dataset)
    if answer.keeping.moving_to is None:
        return Answer(answer)
    return Answer(answer, status=202, headers={"Location": answer.links["self"]})
