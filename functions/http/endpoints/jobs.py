"""HTTP functions that submit, list, describe, cancel, retry and delete jobs."""

import asyncio
from functools import partial

from functions.http.call import Answer, Call
from functions.http.declared import (
    LOCATION,
    PAGE,
    READ_AGAIN,
    REPLAYED,
    Declared,
    Parameter,
    Reply,
    idempotency_key,
)
from functions.http.endpoint import Endpoints
from functions.http.examples import JOB, NEW_JOB, SPEC
from functions.http.inputs import moment_of, wrong_value
from functions.http.models.answers import JobAnswer, JobPage, JobSummary
from functions.http.models.downloads import RecordsAnswer
from shared.errors import Conflict, InvalidRequest, NotFound, QuotaExceeded
from shared.jobs.job.delivered import records_of
from shared.jobs.job.job import Job
from shared.jobs.job.job_filter import JobFilter
from shared.jobs.job.states import State
from shared.users.caller import Scope

endpoints = Endpoints()

_MAX_NAME_CHARACTERS = 200
_READ_AGAIN_SECONDS = 2, 30
_DATASET = Parameter(
    "Whether the job's dataset stays.", {"type": "string", "enum": ["keep", "delete"], "default": "keep"}
)


@endpoints.serve(
    Declared(
        "POST",
        "api/v1/jobs",
        {
            201: Reply(JobAnswer, "The new job.", {**LOCATION, **READ_AGAIN}, example=NEW_JOB),
            200: Reply(
                JobAnswer,
                "The job of an earlier call with the same key.",
                {**LOCATION, **READ_AGAIN, **REPLAYED},
                example=NEW_JOB,
            ),
        },
        scope=Scope.SUBMIT,
        headers=idempotency_key("The same key and body again give the same job."),
        body="shared.jobs.spec.spec.JobSpec",
        example=SPEC,
        errors=(InvalidRequest, Conflict, QuotaExceeded),
        when_late="The job may be created already or later. Send the call again with the same Idempotency-Key, which "
        "makes no second job. Without such a key, read the list of jobs first.",
    )
)
async def submit_job(call: Call) -> Answer:
    """Submits a spec. Answers 201 with the job.

    A call with the same `Idempotency-Key` and spec answers 200 with the same job and `Idempotency-Replayed: true`.
    """
    from shared.jobs.submission.submit import Submission

    key = call.idempotency_key
    submission = Submission(
        user_id=call.caller.user_id,
        spec=await call.read(call.app.specs.parse),
        key=f"http:{key}" if key is not None else None,
    )
    submitted = await call.app.submit.accept(submission)
    await call.app.used(call.caller, "submit_job")
    answer = await describe(call, submitted.job, is_new=not submitted.replayed)
    headers = {"Location": answer.links["self"], **when_to_read_again(call, submitted.job)}
    if submitted.replayed:
        return Answer(answer, headers={**headers, "Idempotency-Replayed": "true"})
    return Answer(answer, status=201, headers=headers)


_FILTERS = {
    "state": Parameter(
        "Only jobs in this state.", {"type": "string", "enum": [str(state) for state in State]}
    ),
    "name": Parameter(
        "Only jobs with this text in their names, in capitals or not.",
        {"type": "string", "minLength": 1, "maxLength": _MAX_NAME_CHARACTERS},
    ),
    "since": Parameter(
        "Only jobs that were created at this time or later (RFC 3339).",
        {"type": "string", "format": "date-time"},
    ),
}


@endpoints.serve(Declared("GET", "api/v1/jobs", {200: JobPage}, query={**PAGE, **_FILTERS}, revalidates=True))
async def list_jobs(call: Call) -> Answer:
    """Answers a page of the caller's jobs, newest first: at most `limit` of them, after `cursor`.

    With filters, a page may have fewer entries than `limit`, or none, though more follow: then `next` has its path.
    """
    jobs, more = await call.page(
        "/api/v1/jobs", partial(call.app.job_data.jobs.page, wanted=_filter_of(call))
    )
    return Answer(JobPage(items=[JobSummary.of(job) for job in jobs], next=more))


@endpoints.serve(
    Declared(
        "GET",
        "api/v1/jobs/{id}",
        {200: Reply(JobAnswer, "The job.", READ_AGAIN, example=JOB)},
        errors=(NotFound,),
        revalidates=True,
    )
)
async def get_job(call: Call) -> Answer:
    """Answers one job: state, progress, counts by label, rejections by reason, links."""
    job = await _find(call)
    return Answer(await describe(call, job), headers=when_to_read_again(call, job))


@endpoints.serve(
    Declared(
        "GET",
        "api/v1/jobs/{id}/records/download",
        {200: RecordsAnswer},
        errors=(NotFound, Conflict),
    )
)
async def download_records(call: Call) -> Answer:
    """Answers a short-lived link to the records of all candidates, also for a job that kept no image."""
    records = await records_of(await _find(call), call.app.downloads)
    await call.app.used(call.caller, "download_records")
    return Answer(RecordsAnswer.of(records))


@endpoints.serve(
    Declared(
        "POST",
        "api/v1/jobs/{id}/cancel",
        {200: JobAnswer},
        scope=Scope.SUBMIT,
        errors=(NotFound, Conflict),
        when_late="The job may be cancelled already. It is safe to cancel it again.",
    )
)
async def cancel_job(call: Call) -> Answer:
    """Stops a job within seconds. Its stored images are kept for a retry until the nightly run deletes them."""
    job = await call.app.transitions.cancel(await _find(call))
    await call.app.used(call.caller, "cancel_job")
    return Answer(await describe(call, job))


@endpoints.serve(
    Declared(
        "POST",
        "api/v1/jobs/{id}/retry",
        {202: Reply(JobAnswer, "The job, which is queued again.", {**LOCATION, **READ_AGAIN})},
        scope=Scope.SUBMIT,
        errors=(NotFound, Conflict, QuotaExceeded),
        when_late="The retry may have begun already. It is safe to retry the job again.",
    )
)
async def retry_job(call: Call) -> Answer:
    """Retries what failed for a transient reason in a job that has ended. Answers 202, also if the retry has begun."""
    job = await _find(call)
    job = await call.app.retry.run(job.user_id, job.id)
    await call.app.used(call.caller, "retry_job")
    answer = await describe(call, job)
    headers = {"Location": answer.links["self"], **when_to_read_again(call, job)}
    return Answer(answer, status=202, headers=headers)


def _filter_of(call: Call) -> JobFilter:
    """Returns the filter in the query.

    Raises:
        InvalidRequest: a value is not valid.
    """
    state, name, since = (call.query.get(each) for each in _FILTERS)
    if name is not None and not 1 <= len(name) <= _MAX_NAME_CHARACTERS:
        raise wrong_value("name", name, f"must have 1 to {_MAX_NAME_CHARACTERS} characters")
    moment = moment_of("since", since) if since is not None else None
    return JobFilter(State(state) if state else None, name or "", moment)


@endpoints.serve(
    Declared(
        "DELETE",
        "api/v1/jobs/{id}",
        {
            202: Reply(None, "The job is gone for its user. Its files are being deleted."),
            204: Reply(None, "The job had no files, and is deleted."),
        },
        scope=Scope.SUBMIT,
        query={"dataset": _DATASET},
        errors=(NotFound, Conflict),
        when_late="The deletion may have begun already. It is safe to delete the job again.",
    )
)
async def delete_job(call: Call) -> Answer:
    """Deletes a job that has ended, and with `dataset=delete` its dataset, too. Nobody finds the job from now on.

    It is safe to delete a job again: the answer is 202 while something is left of it, and then 404.
    """
    keeps_dataset = call.query.get("dataset") != "delete"
    task = await call.app.deletion.delete_job(
        call.caller.user_id, call.route("id"), keeps_dataset=keeps_dataset
    )
    await call.app.used(call.caller, "delete_job")
    return Answer(None, status=204 if task is None else 202)


async def _find(call: Call) -> Job:
    """Finds the job in the path by its own id, by the id of its message, or by the `job_id` in a refused message."""
    return await call.app.job_keys.find(call.caller.user_id, call.route("id"))


def when_to_read_again(call: Call, job: Job) -> dict[str, str]:
    """Returns the header for those who wait for the end of a job: the longer its state lasts, the later."""
    if job.state.terminal:
        return {}
    lasts = (call.app.clock.now() - job.updated_at).total_seconds()
    least, most = _READ_AGAIN_SECONDS
    return {"Retry-After": str(round(min(most, max(least, lasts / 10))))}


async def describe(call: Call, job: Job, *, is_new: bool = False) -> JobAnswer:
    """Returns the answer for a job. The ledger of a new job is not read, as it is empty."""
    from shared.jobs.ledger.report import DiscoveryReport
    from shared.jobs.ledger.rows import Progress

    progress, report = Progress(), DiscoveryReport()
    if not is_new:
        ledger = call.app.job_data.ledger
        progress, report = await asyncio.gather(ledger.progress(job.id), ledger.report(job.id))
    dataset = None
    # before a retry completes, the job may have the dataset of an earlier revision
    if job.state is State.COMPLETED or job.revision > 1:
        dataset = await call.app.catalog.get(job.user_id, job.id)
    can_retry = await call.app.retry.is_possible(job, progress, report)
    delivery = await call.app.announced_ends.delivery(job)
    return JobAnswer.of(job, progress, dataset, report, can_retry=can_retry, delivery=delivery)
