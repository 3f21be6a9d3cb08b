"""HTTP functions for opt-outs: what people have asked the operator not to use."""

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from functions.http.call import Answer, Call
from functions.http.declared import LOCATION, PAGE, Declared, Parameter, Reply
from functions.http.endpoint import Endpoints
from functions.http.inputs import wrong_value
from functions.http.models.operators.optouts import (
    OPTOUTS,
    CreateOptOutBody,
    HoldingAnswer,
    HoldingPage,
    OptOutAnswer,
    OptOutPage,
)
from shared.clock import Deadline
from shared.errors import Conflict, FieldError, InvalidRequest, NotFound
from shared.ids import is_plain_id
from shared.users.caller import Scope

if TYPE_CHECKING:
    from shared.datasets.all_datasets import Place

endpoints = Endpoints()

_WITHIN_SECONDS = 60.0
_READING_SECONDS = 40.0
_AGAIN = "The change may be made already. It is safe to make it again."
_CURSOR = {"cursor": Parameter("Where to go on: taken from `next` of the page before.")}


@endpoints.serve(
    Declared(
        "POST",
        "api/v1/optouts",
        {201: Reply(OptOutAnswer, "The opt-out, which may have been there already.", LOCATION)},
        scope=Scope.ADMIN,
        body=CreateOptOutBody,
        example={"kind": "host", "value": "artist.example.org"},
        errors=(Conflict,),
        when_late=_AGAIN,
    )
)
async def create_optout(call: Call) -> Answer:
    """Opts out an address, a host, a file or a picture. It counts within half a minute, also for jobs that run.

    The same call again answers the same opt-out. Datasets that are made already stay as they are: `datasets` in `links`
    lists them, and a refresh of each, which an administrator may begin for all users, makes a revision without the
    images.
    """
    from shared.optouts.optout import OptOutKind, normal_value
    from shared.optouts.optout_list import new_optout
    from shared.users.audit import Action, Outcome

    body = await call.read_model(CreateOptOutBody)
    kind = OptOutKind(body.kind)
    try:
        value = normal_value(kind, body.value)
    except InvalidRequest as error:
        raise InvalidRequest("The opt-out is not valid.", (FieldError("value", error.detail),)) from None
    await call.app.access.confirm(call.caller)
    wanted = new_optout(kind, value, body.distance, (call.app.clock.now(), call.caller.user_id))
    async with call.app.audit.record(call.actor, Action.CREATE_OPTOUT, wanted.id, f"kind={kind}") as attempt:
        stored = await call.app.optouts.add(wanted)
        if stored is not wanted:
            attempt.outcome = Outcome.REPEATED
    answer = OptOutAnswer.of(stored)
    return Answer(answer, status=201, headers={"Location": answer.links["self"]})


@endpoints.serve(Declared("GET", "api/v1/optouts", {200: OptOutPage}, scope=Scope.ADMIN, query=PAGE))
async def list_optouts(call: Call) -> Answer:
    """Answers a page of all opt-outs, newest first: at most `limit` of them, after `cursor`."""
    found, more = await call.page(OPTOUTS, lambda _, after, size: call.app.optouts.page(after, size))
    return Answer(OptOutPage(items=[OptOutAnswer.of(optout) for optout in found], next=more))


@endpoints.serve(
    Declared("GET", "api/v1/optouts/{id}", {200: OptOutAnswer}, scope=Scope.ADMIN, errors=(NotFound,))
)
async def get_optout(call: Call) -> Answer:
    """Answers one opt-out."""
    return Answer(OptOutAnswer.of(await call.app.optouts.require(call.route("id"))))


@endpoints.serve(
    Declared(
        "DELETE",
        "api/v1/optouts/{id}",
        {200: OptOutAnswer},
        scope=Scope.ADMIN,
        errors=(NotFound,),
        when_late=_AGAIN,
    )
)
async def delete_optout(call: Call) -> Answer:
    """Removes an opt-out, and answers what it was. Images that were left out do not come back by themselves."""
    from shared.users.audit import Action

    await call.app.access.confirm(call.caller)
    optout = await call.app.optouts.require(call.route("id"))
    async with call.app.audit.record(call.actor, Action.DELETE_OPTOUT, optout.id, f"kind={optout.kind}"):
        return Answer(OptOutAnswer.of(await call.app.optouts.remove(optout.id)))


@endpoints.serve(
    Declared(
        "GET",
        "api/v1/optouts/{id}/datasets",
        {200: HoldingPage},
        scope=Scope.ADMIN,
        query=_CURSOR,
        errors=(NotFound,),
        within_seconds=_WITHIN_SECONDS,
        when_late="Try again later.",
    )
)
async def list_optout_datasets(call: Call) -> Answer:
    """Answers which datasets of all users have images that are opted out by it.

    The records of the datasets are read for it, as far as that is possible in 40 seconds: follow `next` until it is
    null.
    """
    optout = await call.app.optouts.require(call.route("id"))
    cursor = call.query.get("cursor")
    deadline = Deadline.after(call.app.clock, _READING_SECONDS)
    after = _place(cursor) if cursor is not None else None
    found = await call.app.opted_out_images.find(optout, deadline, after)
    more = None
    if found.more_after is not None:
        place = f"{found.more_after.user_id}/{found.more_after.dataset_id}"
        more = f"{OPTOUTS}/{optout.id}/datasets?{urlencode({'cursor': place})}"
    items = [HoldingAnswer.of(holding) for holding in found.holdings]
    return Answer(HoldingPage(items=items, searched=found.searched, next=more))


def _place(cursor: str) -> "Place":
    from shared.datasets.all_datasets import Place

    user_id, _, dataset_id = cursor.partition("/")
    if not is_plain_id(user_id) or not is_plain_id(dataset_id):
        raise wrong_value("cursor", cursor, "must be the cursor in the `next` of such a list")
    return Place(user_id, dataset_id)
