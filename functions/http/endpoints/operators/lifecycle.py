"""HTTP functions that say what the lifecycle of datasets will do."""

from datetime import UTC, date, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from functions.http.call import Answer, Call
from functions.http.declared import Declared, Parameter, whole_number
from functions.http.endpoint import Endpoints
from functions.http.inputs import wrong_value
from functions.http.models.operators.lifecycle import PLAN, LifecyclePlan
from shared.clock import Deadline
from shared.ids import is_plain_id
from shared.users.caller import Scope

if TYPE_CHECKING:
    from shared.datasets.all_datasets import Place

endpoints = Endpoints()

_WITHIN_SECONDS = 60.0
_READING_SECONDS = 45.0
_MOST_DAYS_AHEAD = 3650
_QUERY = {
    "limit": whole_number("Steps in the answer, at most.", 1, 100, 20),
    "cursor": Parameter("Where to go on: taken from `next` of the page before."),
    "date": Parameter(
        "The day of the run (UTC), up to ten years ahead; by default that of the next run.",
        {"type": "string", "format": "date"},
    ),
}


@endpoints.serve(
    Declared(
        "GET",
        "api/v1/lifecycle/plan",
        {200: LifecyclePlan},
        scope=Scope.ADMIN,
        query=_QUERY,
        within_seconds=_WITHIN_SECONDS,
        when_late="Try again later.",
    )
)
async def get_lifecycle_plan(call: Call) -> Answer:
    """Answers what the next nightly run will do with the datasets of all users, and what that saves and costs.

    The first page has the totals of all datasets; reading a hundred thousand may take some seconds. For a later `date`,
    the plan is what the run would do if nothing happened until then, also no other run.
    """
    planner, now = call.app.lifecycle_planner, call.app.clock.now()
    cursor, text = call.query.get("cursor"), call.query.get("date")
    after = _place(cursor) if cursor is not None else None
    day = _day(text, now.astimezone(UTC).date()) if text is not None else None
    deadline = Deadline.after(call.app.clock, _READING_SECONDS)
    plan = await planner.read(int(call.query["limit"]), deadline, after=after, day=day)
    more = None
    if plan.more_after is not None:
        place = f"{plan.more_after.user_id}/{plan.more_after.dataset_id}"
        # the day may change between two pages
        more = f"{PLAN}?{urlencode({**call.query, 'date': plan.day.isoformat(), 'cursor': place})}"
    last_run = await planner.runs.latest(now)
    return Answer(LifecyclePlan.of(plan, call.app.prices, last_run, has_totals=after is None, more=more))


def _place(cursor: str) -> "Place":
    from shared.datasets.all_datasets import Place

    user_id, _, dataset_id = cursor.partition("/")
    if not is_plain_id(user_id) or not is_plain_id(dataset_id):
        raise wrong_value("cursor", cursor, "must be the cursor in the `next` of a plan")
    return Place(user_id, dataset_id)


def _day(text: str, today: date) -> date:
    last = today + timedelta(days=_MOST_DAYS_AHEAD)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text or not today <= day <= last:
        raise wrong_value("date", text, f"must be a date from {today} to {last}")
    return day
