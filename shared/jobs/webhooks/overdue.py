"""Finds planned attempts whose message was lost, and sends the message again."""

from datetime import timedelta

from shared.clock import Deadline
from shared.errors import AppError
from shared.jobs.webhooks.announce import Deliveries
from shared.jobs.webhooks.delivery import Delivery, DeliveryState
from shared.jobs.webhooks.delivery_rows import Due
from shared.jobs.webhooks.send import SendWebhook
from shared.runtime import Runtime
from shared.telemetry import signals
from shared.telemetry.correlation import working_for

_OPERATION = "overdue_deliveries"
_NO_END = "No attempt came to its end."


class OverdueDeliveries:
    """Repairs deliveries. It is safe to run twice, since a repeated message does no harm.

    An attempt is overdue if it is not made within `stall_after_seconds` of its time. The time until its message is sent
    once more doubles each time. After `max_nudges` messages, the delivery has failed.
    """

    def __init__(
        self,
        deliveries: Deliveries,
        send: SendWebhook,
        runtime: Runtime,
        stall_after_seconds: float = 900.0,
        max_nudges: int = 8,
    ) -> None:
        self._deliveries = deliveries
        self._send = send
        self._runtime = runtime
        self._stall_after_seconds = stall_after_seconds
        self._max_nudges = max_nudges

    async def run(self, deadline: Deadline) -> int:
        """Checks overdue attempts until the deadline, the longest overdue first; returns how many messages were sent.

        Errors are reported, and the next run checks again.
        """
        sent = 0
        moment = self._runtime.clock.now() - timedelta(seconds=self._stall_after_seconds)
        try:
            async for due in self._deliveries.store.overdue(moment):
                if deadline.passed:
                    break
                sent += await self._checked(due)
        except AppError as error:
            signals.failure(self._runtime.telemetry, error, operation=_OPERATION)
        return sent

    async def _checked(self, due: Due) -> bool:
        try:
            return await self._check(due)
        except AppError as error:
            # the other deliveries are checked all the same
            signals.failure(self._runtime.telemetry, error, operation=_OPERATION, job_id=due.job_id)
            return False

    async def _check(self, due: Due) -> bool:
        store = self._deliveries.store
        delivery = await store.get(due.user_id, due.job_id, due.delivery_id)
        if delivery is None or not delivery.is_planned(due.planned):
            await store.forget(due)
            return False
        if due.nudges >= self._max_nudges:
            await self._fail(delivery)
            await store.forget(due)
            return False
        later = timedelta(seconds=self._stall_after_seconds * (2**due.nudges - 1))
        await store.postpone(due, self._runtime.clock.now() + later)
        await self._deliveries.plan(delivery)
        return True

    async def _fail(self, delivery: Delivery) -> None:
        store = self._deliveries.store

        async def fail(stored: Delivery) -> Delivery | None:
            if not stored.is_planned(delivery.planned):
                return None
            return await store.save(stored.failed(stored.error or _NO_END), stored)

        failed = await store.swap(delivery, fail)
        if failed is not None and failed.state is DeliveryState.FAILED:
            with working_for(failed.origin, failed.job_id):
                self._send.report(failed)
