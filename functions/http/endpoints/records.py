"""HTTP functions that answer pages of the records of a job's candidates."""

from typing import Annotated, Literal
from urllib.parse import urlencode

from pydantic import ConfigDict, Field

from functions.http.call import Answer, Call
from functions.http.declared import PAGE, READ_AGAIN, Declared, Model, Parameter, Reply
from functions.http.endpoint import Endpoints
from functions.http.inputs import wrong_value
from shared.errors import Conflict, NotFound

endpoints = Endpoints()

_READ_AGAIN_SECONDS = 5
_MAX_LABEL_CHARACTERS = 200
_REASON = "[a-z_]{1,40}"
_FILTERS = {
    "outcome": Parameter(
        "Only candidates with this outcome.", {"type": "string", "enum": ["kept", "rejected"]}
    ),
    "reason": Parameter(
        "Only candidates that were rejected for this reason.", {"type": "string", "pattern": f"^{_REASON}$"}
    ),
    "label": Parameter(
        "Only candidates of this label.",
        {"type": "string", "minLength": 1, "maxLength": _MAX_LABEL_CHARACTERS},
    ),
}


def _explain_reasons(schema: dict[str, object]) -> None:
    """Puts the meaning of every reason into the description of the API."""
    from shared.records.reasons import EXPLANATIONS

    texts = [f"`{reason}`: {explained.meaning}" for reason, explained in EXPLANATIONS.items()]
    schema["description"] = "\n".join(["Why it was rejected.", *texts])


class RecordEntry(Model):
    """One candidate and its outcome, with the fields of a line of the records file. Further fields may be missing."""

    model_config = ConfigDict(extra="allow")

    index: int
    label: str
    url: str
    outcome: Literal["kept", "rejected"]
    reason: Annotated[str | None, Field(json_schema_extra=_explain_reasons)] = None
    detail: str | None = None
    source: str
    license: str


class RecordList(Model):
    """A page of records. `next` is the path of the following page, or null on the last page.

    While the job runs, there is always a following page. It has no entries until more records are there.
    """

    items: list[RecordEntry]
    next: str | None


@endpoints.serve(
    Declared(
        "GET",
        "api/v1/jobs/{id}/records",
        {200: Reply(RecordList, "A page of records.", READ_AGAIN)},
        query={**PAGE, **_FILTERS},
        errors=(NotFound, Conflict),
    )
)
async def list_records(call: Call) -> Answer:
    """Answers a page of the outcomes of a job's candidates, also while the job runs.

    A page may have fewer entries than `limit`, or none, though more follow: then `next` has its path. Once the job has
    completed, a call without `cursor` begins the final records, with the duplicates that were found last.
    """
    from shared.jobs.ledger.record_pages import RecordFilter, RecordPages
    from shared.jobs.ledger.record_pieces import Place
    from shared.records.records import Reason

    outcome, reason, label = (call.query.get(name) for name in _FILTERS)
    if reason is not None and reason not in set(Reason):
        raise wrong_value("reason", reason, f"must be one of {', '.join(Reason)}")
    if label is not None and not 1 <= len(label) <= _MAX_LABEL_CHARACTERS:
        raise wrong_value("label", label, f"must have 1 to {_MAX_LABEL_CHARACTERS} characters")
    cursor = call.query.get("cursor")
    place = Place.decode(cursor) if cursor is not None else None
    if cursor is not None and place is None:
        raise wrong_value("cursor", cursor, "must be the cursor in the `next` of a list")
    job = await call.app.job_keys.find(call.caller.user_id, call.route("id"))
    wanted = RecordFilter(outcome or "", reason or "", label or "")
    pages = RecordPages(call.app.job_data, call.app.clock)
    page = await pages.read(job, wanted, place, int(call.query["limit"]))
    following = None
    if page.following is not None:
        query = urlencode({**call.query, "cursor": page.following.encode()})
        following = f"/api/v1/jobs/{job.id}/records?{query}"
    items = [RecordEntry.model_validate(line) for line in page.lines]
    headers = {"Retry-After": str(_READ_AGAIN_SECONDS)} if page.waits else {}
    return Answer(RecordList(items=items, next=following), headers=headers)
