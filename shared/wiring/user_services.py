"""Makes the services for users, their keys and their limits."""

from functools import cached_property
from typing import TYPE_CHECKING

from shared.wiring.adapters import Adapters

if TYPE_CHECKING:
    from shared.costs.prices import Prices
    from shared.users.access import Access
    from shared.users.accounts import Accounts
    from shared.users.audit import AuditTrail
    from shared.users.deletions import Deletions
    from shared.users.limits.addresses import AddressLimits
    from shared.users.limits.rate_limits import RateLimits
    from shared.users.metrics.activity import Activity
    from shared.users.metrics.business_metrics import BusinessMetrics
    from shared.users.metrics.uses import Uses
    from shared.users.quotas.usage import UsageStore
    from shared.users.sign_in import SignIn
    from shared.users.store import UserStore
    from shared.users.tiers import Tiers


class UserServices(Adapters):
    """All services for users. Each is made on first use."""

    @cached_property
    def users(self) -> "UserStore":
        """Stores users and their keys."""
        from shared.users.store import UserStore

        return UserStore(self.entities)

    @cached_property
    def access(self) -> "Access":
        """Identifies callers by their keys."""
        from shared.users.access import Access

        return Access(self.users, self.settings.admin_keys, self.clock)

    @cached_property
    def sign_in(self) -> "SignIn | None":
        """Identifies people who have signed in; None if the app does not trust the headers that name them."""
        from shared.users.sign_in import SignIn

        if not self.settings.trusts_sign_in:
            return None
        return SignIn(self.users, self.access, self.clock, self.settings.sign_in_creates_users)

    @cached_property
    def rate_limits(self) -> "RateLimits":
        """Limits the calls of users and keys."""
        from shared.users.limits.rate_limits import RateLimits

        return RateLimits(self.entities, self.clock)

    @cached_property
    def address_limits(self) -> "AddressLimits":
        """Limits the calls of addresses whose caller is not identified."""
        from shared.users.limits.addresses import AddressLimits

        return AddressLimits(self.entities, self.clock, self.settings.address_requests_per_minute)

    @cached_property
    def accounts(self) -> "Accounts":
        """Changes users and keys."""
        from shared.users.accounts import Accounts

        return Accounts(self.users, self.deletions, self.access, self.audit, self.clock)

    @cached_property
    def audit(self) -> "AuditTrail":
        """Records and reads what administrators and users change."""
        from shared.users.audit import AuditTrail

        return AuditTrail(self.entities, self.runtime)

    @cached_property
    def deletions(self) -> "Deletions":
        """Lists the users who are to be deleted."""
        from shared.users.deletions import Deletions

        return Deletions(self.entities, self.users)

    @cached_property
    def tiers(self) -> "Tiers":
        """The limits of each tier."""
        from shared.users.tiers import DEFAULT_TIERS

        return self.settings.tiers or DEFAULT_TIERS

    @cached_property
    def prices(self) -> "Prices":
        """What Azure asks for storage, executions and traffic."""
        from shared.costs.prices import default_prices

        return self.settings.prices or default_prices()

    @cached_property
    def usage(self) -> "UsageStore":
        """Counts what users use of their limits."""
        from shared.users.quotas.usage import UsageStore

        return UsageStore(self.entities)

    @cached_property
    def activity(self) -> "Activity":
        """Records which users use the product."""
        from shared.users.metrics.activity import Activity

        return Activity(self.entities, self.clock)

    @cached_property
    def uses(self) -> "Uses":
        """Reports what users do."""
        from shared.users.metrics.uses import Uses

        return Uses(self.users, self.activity, self.telemetry, self.settings.environment)

    @cached_property
    def business_metrics(self) -> "BusinessMetrics":
        """Computes the business metrics of each day."""
        from shared.users.metrics.business_metrics import BusinessMetrics

        return BusinessMetrics(self.users, self.tiers, self.runtime)
