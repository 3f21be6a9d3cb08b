from typing import Annotated

from pydantic import Field, SecretStr

from shared.ids import PlainId
from shared.settings.topics.topic import REQUIRED, Topic
from shared.settings.value_types import TierChanges
from shared.users.caller import ADMIN


class UserSettings(Topic):
    """Users.

    A setting that is still a Key Vault reference, because Azure could not resolve it, is wrong.
    """

    admin_api_key: SecretStr | None = Field(
        None, examples=["choose-a-long-random-key"], json_schema_extra=REQUIRED
    )
    """The administrator's key, which makes the first [users](users.md) and may do everything. Without it, only users'
    own keys are accepted."""
    admin_api_key_next: SecretStr | None = None
    """A second key of the administrator, which is valid, too, while it replaces the first one."""
    tiers: TierChanges = None
    """Changes of the default [tiers](users.md#tiers), as JSON: `{"free": {"jobs_at_once": 1}}`."""
    app_service_sign_in: bool = False
    """Whether people whom App Service authentication has [signed in](users.md#sign-in) may call without a key.
    `WEBSITE_AUTH_ENABLED` must be set, too, which Azure does."""
    sign_in_creates_users: bool = False
    """Whether a person who signs in for the first time becomes a user of the tier `free`."""
    audit_retention_days: Annotated[int, Field(ge=30, le=36_500)] = 400
    """How many days the rows of the [audit trail](users.md#audit-trail) are kept."""
    queue_user_id: PlainId = ADMIN
    """The user whose jobs the [messages of producers](queues.md#whose-job-it-is) are, unless they name another one."""
    queue_messages_name_users: bool = False
    """Whether such a message may name another user, as `user_id`. Then whoever writes messages is trusted."""

    @property
    def admin_keys(self) -> tuple[str, ...]:
        """The keys of the administrator."""
        return tuple(key.get_secret_value() for key in (self.admin_api_key, self.admin_api_key_next) if key)
