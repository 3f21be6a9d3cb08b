"""HTTP: submit jobs, look at them, cancel them, retry them."""

import azure.functions as func

from functions.http.answers import JobAnswer, JobPage, JobSummary
from functions.http.downloads import RecordsAnswer
from functions.http.endpoint import Answer, Call, endpoint
from shared.jobs.job.delivered import records_of
from shared.jobs.job.job import Job
from shared.jobs.job.states import State

blueprint = func.Blueprint()

_MAX_KEY_CHARACTERS = 255


@blueprint.route(route="api/v1/jobs", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    when_late="The job may have been created, or may still be. Sent again with the same Idempotency-Key, it is one "
    "job; without a key, look at the list of jobs first."
)
async def submit_job(call: Call) -> Answer:
    """POST a spec; 201 with the job.

    The same `Idempotency-Key` and spec again give the same job: 200, and `Idempotency-Replayed: true`.
    """
    from shared.jobs.submission.submit import Submission

    key = call.header("Idempotency-Key", _MAX_KEY_CHARACTERS)
    submission = Submission(
        user_id=call.caller.user_id,
        spec=await call.read(call.app.specs.parse),
        key=f"http:{key}" if key is not None else None,
    )
    submitted = await call.app.submit.accept(submission)
    call.app.used(call.caller.user_id, "submit_job")
    answer = await _describe(call, submitted.job)
    headers = {"Location": answer.links["self"]}
    if submitted.replayed:
        return Answer(answer, headers={**headers, "Idempotency-Replayed": "true"})
    return Answer(answer, status=201, headers=headers)


@blueprint.route(route="api/v1/jobs", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(query=("limit", "cursor"))
async def list_jobs(call: Call) -> Answer:
    """A page of the caller's jobs, newest first: at most `limit` of them, after `cursor`."""
    jobs, more = await call.page("/api/v1/jobs", call.app.job_data.jobs.page)
    return Answer(JobPage(items=[JobSummary.of(job) for job in jobs], next=more))


@blueprint.route(route="api/v1/jobs/{id}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint()
async def get_job(call: Call) -> Answer:
    """One job: state, progress, counts by label, rejections by reason, links."""
    return Answer(await _describe(call, await _find(call)))


@blueprint.route(
    route="api/v1/jobs/{id}/records/download", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS
)
@endpoint()
async def download_records(call: Call) -> Answer:
    """A short-lived link to the records of all candidates, also for a job that kept nothing."""
    records = await records_of(await _find(call), call.app.catalog)
    call.app.used(call.caller.user_id, "download_records")
    return Answer(RecordsAnswer.of(records))


@blueprint.route(route="api/v1/jobs/{id}/cancel", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(when_late="The job may be cancelled already; it is safe to cancel it again.")
async def cancel_job(call: Call) -> Answer:
    """Stop a job, within seconds. What it has stored so far stays until the nightly clean-up, for a retry."""
    job = await call.app.transitions.cancel(await _find(call))
    call.app.used(call.caller.user_id, "cancel_job")
    return Answer(await _describe(call, job))


@blueprint.route(route="api/v1/jobs/{id}/retry", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(when_late="The retry may have begun already; it is safe to ask for it again.")
async def retry_job(call: Call) -> Answer:
    """Try again what failed for a transient reason in a job that has ended; 202, also where that is under way."""
    job = await _find(call)
    job = await call.app.retry.run(job.user_id, job.id)
    call.app.used(call.caller.user_id, "retry_job")
    answer = await _describe(call, job)
    return Answer(answer, status=202, headers={"Location": answer.links["self"]})


async def _find(call: Call) -> Job:
    """The job in the path, found by its id, by its message's id, or by the id that a refused message asked for."""
    return await call.app.job_keys.find(call.caller.user_id, call.route("id"))


async def _describe(call: Call, job: Job) -> JobAnswer:
    progress = await call.app.job_data.ledger.progress(job.id)
    report = await call.app.job_data.ledger.report(job.id)
    dataset = None
    if job.state is State.COMPLETED or job.revision > 1:  # then an earlier revision's may stand
        dataset = await call.app.catalog.get(job.user_id, job.id)
    can_retry = await call.app.retry.is_possible(job, progress, report)
    return JobAnswer.of(job, progress, dataset, report, can_retry=can_retry)
