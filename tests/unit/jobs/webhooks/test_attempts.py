"""The attempts of a delivery: which failures are tried again, when, and what is recorded of them."""

import itertools
import logging
from datetime import timedelta

import pytest

from functions.http.models.answers import JobAnswer
from shared.errors import Conflict, Permanent, Unavailable
from shared.jobs.job.messages import JOBS_QUEUE, WEBHOOKS_QUEUE
from shared.jobs.job.states import State
from shared.jobs.ledger.rows import Progress
from shared.jobs.webhooks.back_off import ATTEMPTS, SCHEDULE_SECONDS, wait_seconds
from shared.jobs.webhooks.delivery import DISABLED, MAX_REDELIVERIES_A_DAY, Attempt
from tests.unit.jobs.webhooks.hooks import SPEC, ended, job_of

LATE = Unavailable("The service did not answer in time.")


def _waits(delivery):
    """Returns the seconds between attempts."""
    times = [attempt.at for attempt in delivery.attempts]
    return [round((after - before).total_seconds()) for before, after in itertools.pairwise(times)]


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_any_2xx_is_delivered_in_one_attempt(flow, status):
    delivery = await ended(flow, status)
    assert (delivery.state, delivery.due_at, delivery.error) == ("delivered", None, "")
    assert delivery.attempts == (Attempt(flow.clock.now(), status),)
    assert len(flow.web.sent) == 1
    assert not [signal for signal in flow.telemetry.signals if signal.kind == "exception"]


FAILURES = [500, 502, 503, 504, 408, 425, 429, 400, 401, 403, 404, 405, 301, 302, 307, LATE]


@pytest.mark.parametrize("answer", FAILURES)
async def test_a_failed_call_is_made_again_with_the_same_body_and_id(flow, answer):
    delivery = await ended(flow, answer, answer, 204)
    assert (delivery.state, delivery.attempt_count) == ("delivered", 3)
    assert [attempt.status for attempt in delivery.attempts][-1] == 204
    assert all(attempt.error for attempt in delivery.attempts[:2])
    assert len({(request.body, request.headers["webhook-id"]) for request in flow.web.sent}) == 1


@pytest.mark.parametrize("answer", FAILURES)
async def test_a_call_that_never_succeeds_is_made_for_more_than_a_day_and_then_fails(flow, caplog, answer):
    delivery = await ended(flow, *[answer] * 20)
    assert (delivery.state, delivery.attempt_count, delivery.due_at) == ("failed", ATTEMPTS, None)
    assert _waits(delivery) == list(SCHEDULE_SECONDS[1:]) == [5, 300, 1800, 7200, 18_000, 36_000, 36_000]
    assert delivery.attempts[-1].at - delivery.attempts[0].at > timedelta(days=1)
    assert (await job_of(flow, delivery)).state is State.COMPLETED
    [failure] = [signal for signal in flow.telemetry.signals if signal.kind == "exception"]
    assert (failure.properties["operation"], failure.properties["job_id"]) == ("webhook", delivery.job_id)
    assert [record.getMessage() for record in caplog.records] == [
        f"The webhook of job {delivery.job_id} failed in attempt {ATTEMPTS}: {delivery.error}"
    ]


async def test_nothing_that_is_logged_or_stored_as_an_error_has_the_url(flow, caplog):
    with caplog.at_level(logging.DEBUG):
        delivery = await ended(flow, *[500] * 20)
    assert "token" not in caplog.text
    assert "token" not in repr(delivery)
    assert "token" not in str([signal.properties for signal in flow.telemetry.signals])


@pytest.mark.parametrize(
    ("header", "waits"),
    [("7200", 7200), ("1", 5), ("999999999", 36_000), ("soon", 5), ("Thu, 01 Jan 2026 01:00:00 GMT", 3540)],
)
async def test_a_receiver_may_ask_for_a_longer_wait_of_up_to_ten_hours(flow, header, waits):
    flow.web.headers = {"retry-after": header}
    assert _waits(await ended(flow, 429, 200)) == [waits]


def test_waits_are_spread_by_up_to_a_tenth():
    assert [wait_seconds(2, chance) for chance in (0.0, 0.5, 1.0)] == [300, 315, 330]
    assert wait_seconds(1, 1.0, 3600) == 3600


async def test_410_ends_the_delivery_and_disables_the_jobs_webhook(flow):
    delivery = await ended(flow, 410)
    assert (delivery.state, delivery.attempt_count, delivery.error) == (
        "failed",
        1,
        "It answered with status 410.",
    )
    await flow.retry.run("admin", delivery.job_id)
    await flow.run()
    again = await flow.delivery(await job_of(flow, delivery))
    assert again.id != delivery.id
    assert (again.state, again.attempts, again.error) == ("failed", (), DISABLED)
    assert len(flow.web.sent) == 1


async def test_410_leaves_the_webhooks_of_other_jobs_alone(flow):
    await ended(flow, 410)
    assert (await ended(flow)).state == "delivered"


async def test_a_forbidden_address_is_final_after_one_attempt(flow):
    delivery = await ended(flow, Permanent("The address is not a public one."))
    assert (delivery.state, delivery.attempt_count) == ("failed", 1)
    assert delivery.error == "The address is not a public one."


@pytest.mark.parametrize("spec", [b"{", b"[]", None])
async def test_an_end_whose_spec_is_damaged_or_gone_has_a_delivery_that_has_failed(flow, spec):
    job = await flow.send(SPEC)
    name = f"work/job_{job.id}/spec.json"
    await (flow.blobs.delete(name) if spec is None else flow.blobs.put(name, spec))
    await flow.cancel(job)
    await flow.run()
    delivery = await flow.delivery(job)
    assert (delivery.state, delivery.attempts) == ("failed", ())
    assert "spec" in delivery.error
    assert flow.web.sent == []


async def test_the_last_twenty_attempts_are_kept(flow):
    delivery = await ended(flow, *[500] * 40)
    for _ in range(2):
        await flow.deliveries.redeliver("admin", delivery.job_id, delivery.id)
        await flow.run()
    shown = await flow.delivery(await job_of(flow, delivery))
    assert (shown.attempt_count, len(shown.attempts)) == (3 * ATTEMPTS, 20)


async def test_an_event_is_sent_again_ten_times_a_day_at_most(flow):
    delivery = await ended(flow)

    async def redeliver():
        await flow.deliveries.redeliver("admin", delivery.job_id, delivery.id)

    for _ in range(MAX_REDELIVERIES_A_DAY):
        await redeliver()
        # an attempt that is due already is not counted
        await redeliver()
        await flow.run()
    await flow.deliveries.store.disable("admin", delivery.job_id, flow.clock.now())
    with pytest.raises(Conflict, match="10 times a day"):
        await redeliver()
    assert await flow.deliveries.store.is_disabled("admin", delivery.job_id)
    assert len(flow.web.sent) == 1 + MAX_REDELIVERIES_A_DAY
    flow.clock.advance(24 * 3600)
    await redeliver()
    await flow.run()
    assert len(flow.web.sent) == 2 + MAX_REDELIVERIES_A_DAY


async def test_the_api_shows_what_became_of_the_webhook(flow):
    job = await flow.send(SPEC)

    async def shown():
        found = await flow.job(job)
        answer = JobAnswer.of(found, Progress(), delivery=await flow.delivery(found)).webhook
        return answer and (answer.state, answer.attempts, answer.status, answer.error)

    assert await shown() == ("pending", 0, None, None)
    await flow.cancel(job)
    flow.web.answers = [503]
    flow.queues.take(JOBS_QUEUE)
    for _ in range(2):
        [message] = flow.queues.take(WEBHOOKS_QUEUE)
        await flow.webhooks.run(message)
    assert await shown() == ("pending", 1, 503, "It answered with status 503.")
    await flow.run()
    assert await shown() == ("delivered", 2, 200, None)
