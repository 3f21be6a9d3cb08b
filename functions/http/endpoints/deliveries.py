"""HTTP functions for the deliveries of a job's events to its webhook, and for the secret that signs them."""

from functions.http.call import Answer, Call
from functions.http.declared import PAGE, Declared, Reply
from functions.http.endpoint import Endpoints
from functions.http.examples import DELIVERY
from functions.http.models.webhooks import (
    DeliveryAnswer,
    DeliveryPage,
    RotateSecretBody,
    WebhookSecretAnswer,
)
from shared.errors import Conflict, InvalidRequest, NotFound
from shared.users.caller import ADMIN, Scope

endpoints = Endpoints()


@endpoints.serve(
    Declared("GET", "api/v1/jobs/{id}/deliveries", {200: DeliveryPage}, query=PAGE, errors=(NotFound,))
)
async def list_deliveries(call: Call) -> Answer:
    """Answers a page of the deliveries of a job and its dataset, newest first, with their last attempts."""
    job = await call.app.job_keys.find(call.caller.user_id, call.route("id"))
    store = call.app.deliveries.store
    deliveries, more = await call.page(
        f"/api/v1/jobs/{job.id}/deliveries", lambda user, after, size: store.page(user, job.id, after, size)
    )
    return Answer(DeliveryPage(items=[DeliveryAnswer.of(each) for each in deliveries], next=more))


@endpoints.serve(
    Declared(
        "POST",
        "api/v1/jobs/{id}/deliveries/{delivery_id}/redeliver",
        {202: Reply(DeliveryAnswer, "The delivery, whose next attempt is due now.", example=DELIVERY)},
        scope=Scope.SUBMIT,
        errors=(NotFound, Conflict),
        when_late="The delivery may be attempted already. It is safe to ask for it again.",
    )
)
async def redeliver(call: Call) -> Answer:
    """Sends an event to its webhook again, now and then by the schedule, with the same `webhook-id` and body."""
    job = await call.app.job_keys.find(call.caller.user_id, call.route("id"))
    delivery = await call.app.deliveries.redeliver(job.user_id, job.id, call.route("delivery_id"))
    await call.app.used(call.caller, "redeliver")
    return Answer(DeliveryAnswer.of(delivery), status=202)


@endpoints.serve(
    Declared(
        "GET",
        "api/v1/users/{id}/webhook-secret",
        {200: WebhookSecretAnswer},
        # who can only read must not be able to forge webhooks
        scope=Scope.SUBMIT,
        user="id",
        errors=(NotFound,),
    )
)
async def read_webhook_secret(call: Call) -> Answer:
    """Answers the secret that signs a user's webhooks. The first call makes it, unless a webhook was called before."""
    from shared.users.audit import Action

    await call.app.access.confirm(call.caller)
    secrets = call.app.signing_secrets
    if call.user_id == call.caller.user_id:
        return Answer(WebhookSecretAnswer.of(await secrets.ensure(call.user_id)))
    await _check_user(call)
    async with call.app.audit.record(call.actor, Action.READ_WEBHOOK_SECRET, call.user_id):
        return Answer(WebhookSecretAnswer.of(await secrets.ensure(call.user_id)))


@endpoints.serve(
    Declared(
        "POST",
        "api/v1/users/{id}/webhook-secret/rotate",
        {200: WebhookSecretAnswer},
        scope=Scope.SUBMIT,
        user="id",
        body=RotateSecretBody,
        example={"overlap_hours": 24},
        errors=(InvalidRequest, NotFound, Conflict),
        when_late="The secret may be rotated already: read it before you rotate it again.",
    )
)
async def rotate_webhook_secret(call: Call) -> Answer:
    """Makes a new secret and answers it. Until the overlap ends, webhooks have a signature by each of both."""
    from shared.users.audit import Action

    body = await call.read_model(RotateSecretBody)
    await call.app.access.confirm(call.caller)
    await _check_user(call)
    detail = f"overlap_hours={body.overlap_hours}"
    async with call.app.audit.record(call.actor, Action.ROTATE_WEBHOOK_SECRET, call.user_id, detail):
        keys = await call.app.signing_secrets.rotate(call.user_id, body.overlap)
    return Answer(WebhookSecretAnswer.of(keys))


async def _check_user(call: Call) -> None:
    """Checks that the user of the call exists.

    Raises:
        NotFound: an administrator names a user who does not exist.
    """
    if call.user_id not in {ADMIN, call.caller.user_id}:
        await call.app.users.require(call.user_id)
