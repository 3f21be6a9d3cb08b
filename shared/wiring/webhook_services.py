"""Makes the services that call webhooks."""

from functools import cached_property
from typing import TYPE_CHECKING

from shared.wiring.services import Services

if TYPE_CHECKING:
    from shared.jobs.webhooks.announce import Deliveries
    from shared.jobs.webhooks.ends import AnnouncedEnds
    from shared.jobs.webhooks.overdue import OverdueDeliveries
    from shared.jobs.webhooks.send import SendWebhook
    from shared.jobs.webhooks.signing_secrets import SigningSecrets


class WebhookServices(Services):
    """The services that call webhooks. Each is made on first use."""

    @cached_property
    def signing_secrets(self) -> "SigningSecrets":
        """The secrets of users that sign webhooks."""
        from shared.jobs.webhooks.signing_secrets import SigningSecrets

        return SigningSecrets(self.entities, self.clock)

    @cached_property
    def deliveries(self) -> "Deliveries":
        """Announces events to webhooks."""
        from shared.jobs.webhooks.announce import Deliveries
        from shared.jobs.webhooks.delivery_store import DeliveryStore

        return Deliveries(DeliveryStore(self.entities), self.signing_secrets, self.queues, self.clock)

    @cached_property
    def announced_ends(self) -> "AnnouncedEnds":
        """Announces the ends of jobs."""
        from shared.jobs.webhooks.body import WebhookBodies
        from shared.jobs.webhooks.ends import AnnouncedEnds

        bodies = WebhookBodies(self.job_data.ledger, self.catalog, self.retry.is_possible)
        return AnnouncedEnds(self.job_data.jobs, bodies, self.deliveries)

    @cached_property
    def webhooks(self) -> "SendWebhook":
        """Handles the messages of the queue `webhooks`."""
        from shared.jobs.webhooks.call import WebhookCaller
        from shared.jobs.webhooks.send import SendWebhook

        caller = WebhookCaller(self.reported_web, self.signing_secrets, self.clock)
        return SendWebhook(self.announced_ends, self.deliveries, caller, self.runtime)

    @cached_property
    def overdue_deliveries(self) -> "OverdueDeliveries":
        """Sends lost messages of deliveries again."""
        from shared.jobs.webhooks.overdue import OverdueDeliveries

        return OverdueDeliveries(
            self.deliveries, self.webhooks, self.runtime, self.settings.stall_after_seconds
        )
