"""HTTP functions for the API keys of a user: of the caller's own, or of any user if an administrator calls."""

from functions.http.call import Answer, Call
from functions.http.declared import Declared, idempotency_key
from functions.http.endpoint import Endpoints
from functions.http.models.users import CreateKeyBody, KeyAnswer, KeyList, NewKeyAnswer
from shared.errors import Conflict, InvalidRequest, NotFound
from shared.users.caller import Scope

endpoints = Endpoints()


@endpoints.serve(
    Declared(
        "POST",
        "api/v1/users/{id}/keys",
        {201: NewKeyAnswer},
        scope=Scope.SUBMIT,
        user="id",
        headers=idempotency_key("The same key again makes no second API key until the first is revoked."),
        body=CreateKeyBody,
        example={
            "name": "nightly import",
            "scopes": ["read", "submit"],
            "expires_at": "2027-01-31T00:00:00Z",
        },
        errors=(InvalidRequest, NotFound, Conflict),
        when_late="The key may be made already, but its text is lost. Send the call again with the same "
        "Idempotency-Key, which makes the key or names the one to revoke. Without it, look for the key in the list.",
    )
)
async def create_key(call: Call) -> Answer:
    """Makes a key, and answers 201 with its text, which is never shown again.

    The key gets no scope that the caller lacks. A call with the same `Idempotency-Key` answers 409 and names the key in
    `existing_id`, as its text cannot be shown again. Revoke that key, and the same call makes another one.
    """
    from shared.users.accounts import NewKey

    body = await call.read_model(CreateKeyBody)
    new = NewKey(body.name, frozenset(map(Scope, body.scopes)), body.expires_at, call.idempotency_key)
    key, text = await call.app.accounts.add_key(call.actor, call.user_id, new)
    answer = NewKeyAnswer(**KeyAnswer.of(call.user_id, key).model_dump(), key=text)
    return Answer(answer, status=201)


@endpoints.serve(Declared("GET", "api/v1/users/{id}/keys", {200: KeyList}, user="id", errors=(NotFound,)))
async def list_keys(call: Call) -> Answer:
    """Answers all keys of a user, without their secrets."""
    account = await call.app.accounts.account(call.user_id)
    return Answer(KeyList(items=[KeyAnswer.of(call.user_id, key) for key in account.keys]))


@endpoints.serve(
    Declared(
        "DELETE",
        "api/v1/users/{id}/keys/{key_id}",
        {200: KeyAnswer},
        scope=Scope.SUBMIT,
        user="id",
        errors=(NotFound,),
        when_late="The key may be revoked already. It is safe to revoke it again.",
    )
)
async def revoke_key(call: Call) -> Answer:
    """Revokes a key, and answers what it was. Within 15 seconds, it is refused everywhere."""
    key = await call.app.accounts.revoke_key(call.actor, call.user_id, call.route("key_id"))
    return Answer(KeyAnswer.of(call.user_id, key))
