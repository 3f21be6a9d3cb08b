"""HTTP functions for users: the caller's own profile, and the administration of all users."""

from functions.http.call import Answer, Call
from functions.http.declared import LOCATION, PAGE, REPLAYED, Declared, Parameter, Reply, idempotency_key
from functions.http.endpoint import Endpoints
from functions.http.models.users import (
    USERS,
    ChangeUserBody,
    CreateUserBody,
    LimitsAnswer,
    ProfileAnswer,
    UsageAnswer,
    UserAnswer,
    UserDetails,
    UserPage,
)
from shared.errors import Conflict, InvalidRequest, NotFound
from shared.telemetry import signals
from shared.users.caller import ADMIN, Scope, TierName

endpoints = Endpoints()

_DATASETS = Parameter(
    "Whether the user's jobs and datasets stay in storage.", {"enum": ["keep", "delete"]}, required=True
)
_AGAIN = "The change may be made already. It is safe to make it again."


@endpoints.serve(Declared("GET", "api/v1/users/profile", {200: ProfileAnswer}, errors=(NotFound,)))
async def get_profile(call: Call) -> Answer:
    """Answers what the key allows, and the caller's tier, limits and use.

    The administrator of the settings has no tier, no limits and no use: these are null.
    """
    if call.user_id == ADMIN:
        return Answer(ProfileAnswer.of_administrator())
    account = await call.app.access.account(call.user_id)
    if account is None:
        signals.profile_not_found(call.app.telemetry, user_id=call.user_id, endpoint=f"{USERS}/profile")
        raise NotFound("Your user was deleted a moment ago.")
    user = account.user
    usage = await call.app.usage.look_up(user.id, call.app.clock.now())
    profile = ProfileAnswer(
        id=user.id,
        name=user.name,
        tier=user.tier,
        created_at=user.created_at,
        scopes=sorted(call.caller.scopes),
        usage=UsageAnswer.of(usage),
        limits=LimitsAnswer(**call.app.tiers[user.tier].model_dump()),
        links={"self": f"{USERS}/profile", "keys": f"{USERS}/me/keys"},
    )
    return Answer(profile)


@endpoints.serve(
    Declared(
        "POST",
        "api/v1/users",
        {
            201: Reply(UserAnswer, "The new user.", LOCATION),
            200: Reply(
                UserAnswer, "The user of an earlier call with the same key.", {**LOCATION, **REPLAYED}
            ),
        },
        scope=Scope.ADMIN,
        headers=idempotency_key("The same key and body again give the same user, until the user is deleted."),
        body=CreateUserBody,
        example={"name": "Ada", "tier": "pro"},
        errors=(InvalidRequest, Conflict),
        when_late="The user may be made already. Send the call again with the same Idempotency-Key, which makes no "
        "second user. Without such a key, read the list of users first.",
    )
)
async def create_user(call: Call) -> Answer:
    """Makes a user, who has no key yet. Answers 201.

    A call with the same `Idempotency-Key` and body answers 200 with the same user, as the user is now.
    """
    from shared.users.accounts import NewUser
    from shared.users.principal import Principal

    body = await call.read_model(CreateUserBody)
    person = body.identity
    principal = Principal(person.provider, person.subject, body.name) if person else None
    new = NewUser(body.name, TierName(body.tier), principal, call.idempotency_key)
    user, repeated = await call.app.accounts.create(call.actor, new)
    answer = UserAnswer.of(user)
    headers = {"Location": answer.links["self"]}
    if repeated:
        return Answer(answer, headers={**headers, "Idempotency-Replayed": "true"})
    return Answer(answer, status=201, headers=headers)


@endpoints.serve(Declared("GET", "api/v1/users", {200: UserPage}, scope=Scope.ADMIN, query=PAGE))
async def list_users(call: Call) -> Answer:
    """Answers a page of all users, newest first: at most `limit` of them, after `cursor`."""
    users, more = await call.page(USERS, lambda _, after, size: call.app.users.page(after, size))
    return Answer(UserPage(items=[UserAnswer.of(user) for user in users], next=more))


@endpoints.serve(
    Declared("GET", "api/v1/users/{id}", {200: UserDetails}, scope=Scope.ADMIN, user="id", errors=(NotFound,))
)
async def get_user(call: Call) -> Answer:
    """Answers one user, and what the user uses of the tier's limits."""
    user = await call.app.users.require(call.user_id)
    usage = await call.app.usage.look_up(user.id, call.app.clock.now())
    return Answer(UserDetails.with_usage(user, usage))


@endpoints.serve(
    Declared(
        "PATCH",
        "api/v1/users/{id}",
        {200: UserAnswer},
        scope=Scope.ADMIN,
        user="id",
        body=ChangeUserBody,
        example={"tier": "enterprise"},
        errors=(InvalidRequest, NotFound, Conflict),
        when_late=_AGAIN,
    )
)
async def change_user(call: Call) -> Answer:
    """Changes a user's name, tier or status. The keys of a disabled user are refused; jobs that run go on."""
    from shared.users.accounts import UserChange
    from shared.users.user import Status

    body = await call.read_model(ChangeUserBody)
    change = UserChange(
        body.name,
        TierName(body.tier) if body.tier else None,
        Status(body.status) if body.status else None,
    )
    return Answer(UserAnswer.of(await call.app.accounts.change(call.actor, call.user_id, change)))


@endpoints.serve(
    Declared(
        "DELETE",
        "api/v1/users/{id}",
        {202: UserAnswer},
        scope=Scope.ADMIN,
        user="id",
        query={"datasets": _DATASETS},
        errors=(InvalidRequest, NotFound, Conflict),
        when_late=_AGAIN,
    )
)
async def delete_user(call: Call) -> Answer:
    """Marks a user for deletion. Answers 202: the keys are refused from now on, and the nightly run deletes the user.

    With `datasets=keep`, jobs and datasets stay in storage. With `datasets=delete`, they are deleted, too.
    """
    keeps_datasets = call.query["datasets"] == "keep"
    user = await call.app.accounts.delete(call.actor, call.user_id, keeps_datasets=keeps_datasets)
    return Answer(UserAnswer.of(user), status=202)
