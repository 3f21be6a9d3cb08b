"""An HTTP function that says which steps of a job ran when."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

from functions.http.call import Answer, Call
from functions.http.declared import Declared, Model
from functions.http.endpoint import Endpoints
from shared.errors import NotFound
from shared.jobs.job.job import Job
from shared.jobs.job.states import State

if TYPE_CHECKING:
    from shared.jobs.ledger.timeline import Timeline

endpoints = Endpoints()

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class TimelineStep(Model):
    """A state that the job was in, from `began_at` to `ended_at`, which is null for the state that it is in now."""

    revision: int
    state: State
    began_at: datetime
    ended_at: datetime | None


class FetchedSpan(Model):
    """The numbers of chunks that were done within a span of time, and of their candidates."""

    began_at: datetime
    chunks: int
    kept: int
    rejected: int


class PlanOfDataset(Model):
    """How far the writing of a dataset is. Its files are written in `slices`; it moved last at `moved_at`."""

    planned_at: datetime
    moved_at: datetime
    slices: int
    written: int


class TimelineAnswer(Model):
    """Which steps of a job ran when.

    `now` is the time of the answer. An operator finds what this revision reported by its `correlation_id`. Each of the
    spans in `fetched` is `span_seconds` long, and those in which no chunk was done are left out. There is one plan for
    each revision that has begun to write its dataset.
    """

    now: datetime
    correlation_id: str
    steps: list[TimelineStep]
    span_seconds: int
    fetched: list[FetchedSpan]
    plans: list[PlanOfDataset]

    @classmethod
    def of(cls, job: Job, timeline: "Timeline", now: datetime) -> Self:
        """Returns the answer for a timeline."""
        steps, activity = timeline.steps, timeline.activity
        ends = [*(step.at for step in steps[1:]), None]
        return cls(
            now=now,
            correlation_id=job.origin.correlation_id,
            steps=[
                TimelineStep(revision=step.revision, state=step.state, began_at=step.at, ended_at=end)
                for step, end in zip(steps, ends, strict=True)
            ],
            span_seconds=activity.seconds,
            fetched=[
                FetchedSpan(
                    began_at=_BEGINNING + timedelta(seconds=number * activity.seconds),
                    chunks=counts.chunks,
                    kept=counts.kept,
                    rejected=counts.rejected,
                )
                for number, counts in activity.spans.items()
            ],
            plans=[
                PlanOfDataset(
                    planned_at=plan.planned_at,
                    moved_at=plan.moved_at,
                    slices=plan.slices,
                    written=plan.written,
                )
                for plan in timeline.plans
            ],
        )


@endpoints.serve(Declared("GET", "api/v1/jobs/{id}/timeline", {200: TimelineAnswer}, errors=(NotFound,)))
async def get_timeline(call: Call) -> Answer:
    """Answers which steps of a job ran when: its states, when candidates were fetched, and how its dataset is written.

    It has the last forty states at most. What was fetched and written is forgotten with the job's working files.
    """
    job = await call.app.job_keys.find(call.caller.user_id, call.route("id"))
    return Answer(TimelineAnswer.of(job, await call.app.timelines.read(job), call.app.clock.now()))
