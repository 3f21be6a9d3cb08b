"""Models of the bodies and answers on users and keys."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from functions.http.declared import Model
from shared.text.labels import Label
from shared.users.caller import ADMIN, Scope, TierName
from shared.users.user import Status

if TYPE_CHECKING:
    from shared.users.api_keys import ApiKey
    from shared.users.quotas.usage import Usage
    from shared.users.user import User

USERS = "/api/v1/users"
_EXAMPLE = "2027-01-31T00:00:00Z"

type TierWord = Literal["free", "pro", "enterprise"]
type StatusWord = Literal["active", "disabled"]
type ScopeWord = Literal["read", "submit", "admin"]


def _moment(value: object) -> datetime:
    try:
        if not isinstance(value, str):
            raise ValueError  # noqa: TRY301, TRY004 - as every other wrong value
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError  # noqa: TRY301 - likewise
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"must be a time with an offset from UTC, such as {_EXAMPLE}") from None


type Moment = Annotated[
    datetime, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})
]


class _Body(Model):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)


class IdentityBody(_Body):
    """A person at an identity provider: `auth_typ` of App Service authentication, and the person's lasting id there."""

    provider: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
    subject: Annotated[str, Field(min_length=1, max_length=256)]


class CreateUserBody(_Body):
    """A new user. With an `identity`, it is that person's user when they sign in."""

    name: Label
    tier: TierWord = "free"
    identity: IdentityBody | None = None


class ChangeUserBody(_Body):
    """The new values of a user. A value that is left out stays as it is."""

    name: Label | None = None
    tier: TierWord | None = None
    status: StatusWord | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if self.name is None and self.tier is None and self.status is None:
            raise ValueError("name what is to change: name, tier or status")
        return self


class CreateKeyBody(_Body):
    """A new key. Without `expires_at` it does not expire."""

    name: Label
    scopes: Annotated[list[ScopeWord], Field(min_length=1, max_length=3)]
    expires_at: Moment | None = None


class UserAnswer(Model):
    """One user. `identity` is the person at an identity provider, or null for a user who has keys only."""

    id: str
    name: str
    tier: TierName
    status: Status
    created_at: datetime
    identity: str | None
    links: dict[str, str]

    @classmethod
    def of(cls, user: "User") -> Self:
        """Returns the answer for a user."""
        path = f"{USERS}/{user.id}"
        return cls(
            id=user.id,
            name=user.name,
            tier=user.tier,
            status=user.status,
            created_at=user.created_at,
            identity=user.subject or None,
            links={"self": path, "keys": f"{path}/keys"},
        )


class UserPage(Model):
    """A page of users, newest first. `next` is the path of the following page, or None on the last page."""

    items: list[UserAnswer]
    next: str | None


class UsageAnswer(Model):
    """The current usage of the user. Images are those of the month (UTC) that ends at `resets_at`."""

    jobs_open: int
    images_kept: int
    images_reserved: int
    resets_at: datetime

    @classmethod
    def of(cls, usage: "Usage") -> Self:
        """Returns the answer for a usage."""
        return cls(
            jobs_open=usage.jobs_open,
            images_kept=usage.images_kept,
            images_reserved=usage.images_reserved,
            resets_at=usage.resets_at,
        )


class UserDetails(UserAnswer):
    """One user, and what the user uses of the tier's limits now."""

    usage: UsageAnswer

    @classmethod
    def with_usage(cls, user: "User", usage: "Usage") -> Self:
        """Returns the answer for a user with this usage."""
        return cls(**UserAnswer.of(user).model_dump(), usage=UsageAnswer.of(usage))


class LimitsAnswer(Model):
    """The limits of a tier. Null days mean that the app's setting counts."""

    requests_per_minute: int
    requests_per_minute_per_key: int | None
    jobs_at_once: int
    images_per_month: int
    images_per_job: int
    cool_after_days: int | None
    cold_after_days: int | None
    archive_after_days: int | None
    delete_after_days: int | None
    monthly_price_usd: float


class ProfileAnswer(Model):
    """The caller: tier, what the key allows, use and limits.

    The administrator of the settings has no tier, no limits and no keys of their own: those fields are null.
    """

    id: str
    name: str
    tier: TierName | None
    created_at: datetime | None
    scopes: list[Scope]
    usage: UsageAnswer | None
    limits: LimitsAnswer | None
    links: dict[str, str]

    @classmethod
    def of_administrator(cls) -> Self:
        """Returns the answer for the administrator of the settings."""
        return cls(
            id=ADMIN,
            name="Administrator of the settings",
            tier=None,
            created_at=None,
            scopes=sorted(Scope),
            usage=None,
            limits=None,
            links={"self": f"{USERS}/profile"},
        )


class KeyAnswer(Model):
    """One key, without its secret. `prefix` is the beginning of its text. `last_used_at` is exact to an hour.

    `granted_by` is the user who made it or, if its own user made it, the one who made the key that made it.
    """

    id: str
    name: str
    prefix: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    granted_by: str
    links: dict[str, str]

    @classmethod
    def of(cls, user_id: str, key: "ApiKey") -> Self:
        """Returns the answer for a user's key."""
        from shared.users.api_keys import prefix_of

        return cls(
            id=key.id,
            name=key.name,
            prefix=prefix_of(user_id, key.id),
            scopes=sorted(key.scopes),
            created_at=key.created_at,
            expires_at=key.expires_at,
            last_used_at=key.last_used_at,
            granted_by=key.granted_by,
            links={"self": f"{USERS}/{user_id}/keys/{key.id}"},
        )


class NewKeyAnswer(KeyAnswer):
    """A key that was just made. `key` is its text, which is never shown again."""

    key: str


class KeyList(Model):
    """All keys of a user, by id. A user has at most 20."""

    items: list[KeyAnswer]
