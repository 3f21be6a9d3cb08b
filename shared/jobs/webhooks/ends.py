"""Announces the ends of jobs. Whoever ends a job sends a message, and waits for nothing else."""

from dataclasses import replace

from shared.announcements import Announcement
from shared.errors import NotFound, Permanent
from shared.jobs.job.job import Job, WebhookState
from shared.jobs.job.messages import JobMessage
from shared.jobs.job.store import JobStore
from shared.jobs.webhooks.announce import Deliveries
from shared.jobs.webhooks.body import WebhookBodies, event_of
from shared.jobs.webhooks.delivery import Delivery, delivery_id


class AnnouncedEnds:
    """Makes a delivery for each end of a job that has a webhook: one for each revision."""

    def __init__(self, jobs: JobStore, bodies: WebhookBodies, deliveries: Deliveries) -> None:
        self._jobs = jobs
        self._bodies = bodies
        self._deliveries = deliveries

    async def announce(self, message: JobMessage) -> None:
        """Makes the delivery, and then notes in the job that its end is announced.

        Nothing happens if the job was retried since, or if its end is announced already.

        Raises:
            Unavailable: storage did not answer; the message should come again.
        """
        job = await self._jobs.get(message.user_id, message.job_id)
        if job is None or not job.webhook_is_due(message.revision):
            return
        await self._deliver(job)

        async def note(stored: Job) -> None:
            if stored.webhook_is_due(job.revision):
                await self._jobs.save(replace(stored, webhook=WebhookState.ANNOUNCED))

        await self._jobs.swap(job, note)

    async def delivery(self, job: Job) -> Delivery | None:
        """Returns the delivery of the job's last end, or None if there is none."""
        if job.webhook is not WebhookState.ANNOUNCED:
            return None
        found = delivery_id(job.user_id, job.id, event_of(job), str(job.revision))
        return await self._deliveries.store.get(job.user_id, job.id, found)

    async def _deliver(self, job: Job) -> None:
        announcement = Announcement(
            job.user_id, job.id, event_of(job), str(job.revision), job.updated_at, "", {"job_id": job.id}
        )
        try:
            spec, data = await self._jobs.spec(job.id), await self._bodies.of(job)
        except (NotFound, Permanent) as error:
            await self._deliveries.record_failed(announcement, error.detail)
            return
        await self._deliveries.announce(replace(announcement, url=str(spec.webhook_url), data=data))
